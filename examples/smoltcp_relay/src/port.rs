//! A network device whose frames are buffers of a pool.
//!
//! | smoltcp asks to | while there is no buffer |
//! |---|---|
//! | transmit | "not now": the data stays with the socket, and smoltcp asks again |
//! | reply to what it has just received | the reply is lost, as on any network; TCP sees to it |
//!
//! A reply must not wait: two ports that will not receive before they can reply may wait for each
//! other.

use heapless::spsc::{Consumer, Producer};
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use tierpool::{Bytes, BytesMut, Pool};

use crate::MTU;

pub struct Port<'a> {
    pool: &'static Pool,
    outbox: Producer<'a, Bytes>,
    inbox: Consumer<'a, Bytes>,
    pub counts: Counts,
}

/// What has gone through a port, and what has not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub sent: u64,
    pub received: u64,
    /// How often smoltcp was told "not now".
    pub held_back: u64,
    pub replies_lost: u64,
}

impl<'a> Port<'a> {
    pub fn new(
        pool: &'static Pool,
        outbox: Producer<'a, Bytes>,
        inbox: Consumer<'a, Bytes>,
    ) -> Port<'a> {
        Port { pool, outbox, inbox, counts: Counts::default() }
    }
}

impl<'a> Device for Port<'a> {
    type RxToken<'t>
        = Received
    where
        Self: 't;
    type TxToken<'t>
        = Transmit<'t, 'a>
    where
        Self: 't;

    fn receive(&mut self, _: Instant) -> Option<(Received, Transmit<'_, 'a>)> {
        let frame = self.inbox.dequeue()?;
        self.counts.received += 1;
        let buffer = self.pool.alloc(MTU).ok();
        Some((Received(frame), Transmit { port: self, buffer }))
    }

    fn transmit(&mut self, _: Instant) -> Option<Transmit<'_, 'a>> {
        let buffer = self.pool.alloc(MTU).ok();
        if buffer.is_none() {
            self.counts.held_back += 1;
            return None;
        }
        Some(Transmit { port: self, buffer })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        (capabilities.medium, capabilities.max_transmission_unit) = (Medium::Ip, MTU);
        capabilities
    }
}

/// A frame of the other host. It goes home to that host's pool when it has been read.
pub struct Received(Bytes);

impl phy::RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

/// The right to send one frame of any length.
pub struct Transmit<'t, 'a> {
    port: &'t mut Port<'a>,
    /// One for the largest frame; without it, the frame is lost.
    buffer: Option<BytesMut>,
}

impl phy::TxToken for Transmit<'_, '_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let Port { pool, outbox, counts, .. } = self.port;
        let Some(largest) = self.buffer else {
            counts.replies_lost += 1;
            return write(&mut [0; MTU][..len]);
        };
        // Now that the length is known: a slot that fits it better, if there is one.
        let mut frame = pool.alloc(len).unwrap_or(largest);
        frame.resize(len, 0).expect("the slot is as large as the largest frame");
        let result = write(&mut frame);
        outbox.enqueue(frame.freeze()).expect("the queue has room for every slot");
        counts.sent += 1;
        result
    }
}
