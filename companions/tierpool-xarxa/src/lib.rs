#![no_std]
#![doc = include_str!("../README.md")]

use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use core::task::{Context, Poll, Waker};

use atomic_waker::AtomicWaker;
use heapless::spsc::{Consumer, Producer, Queue};
use tierpool::{AllocWait, BytesMut, Pool, WaitError};
use xarxa_driver::{
    Capabilities, Driver, HardwareAddress, LinkState, NotSupported, PacketBuf,
    config::PACKET_BUF_SIZE,
};

/// The memory of a driver: a queue for received packets, and a queue for packets to be sent. They
/// hold `RX - 1` and `TX - 1` handles, because one place in each queue stays free.
pub struct State<const RX: usize, const TX: usize> {
    received: Queue<BytesMut, RX>,
    to_send: Queue<BytesMut, TX>,
    events: Events,
}

/// The news between the two sides.
struct Events {
    link_up: AtomicBool,
    /// Packets that went no further, modulo 2^32.
    dropped: AtomicU32,
    /// The stack waits here for all that its trait asks to be woken for.
    stack: AtomicWaker,
    /// The radio waits here for packets.
    radio: AtomicWaker,
}

impl Events {
    fn drop_one(&self) {
        // Relaxed: a count publishes nothing.
        self.dropped.fetch_add(1, Relaxed);
    }
}

impl<const RX: usize, const TX: usize> State<RX, TX> {
    /// Creates empty queues, with the link down.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        State {
            received: Queue::new(),
            to_send: Queue::new(),
            events: Events {
                link_up: AtomicBool::new(false),
                dropped: AtomicU32::new(0),
                stack: AtomicWaker::new(),
                radio: AtomicWaker::new(),
            },
        }
    }
}

/// Makes a driver for the stack, and the radio's side of it.
///
/// Packets to be sent are copied to buffers of `pool`, each from the tier that fits
/// `capabilities.max_transmission_unit` bytes.
///
/// Interrupt handler: better not; call it once, at start. Cost: no atomic operation.
///
/// # Errors
/// [`WaitError::Oversized`] if no tier fits that many bytes, or if xarxa's own buffers do not.
pub fn new<'d, const RX: usize, const TX: usize>(
    state: &'d mut State<RX, TX>,
    pool: &'static Pool,
    hardware_address: HardwareAddress,
    capabilities: Capabilities,
) -> Result<(Device<'d>, Radio<'d>), WaitError> {
    let largest = pool.stats().tiers().last().map_or(0, |tier| tier.size);
    if capabilities.max_transmission_unit > largest.min(PACKET_BUF_SIZE) {
        return Err(WaitError::Oversized);
    }
    let events = &state.events;
    let (received, queued) = state.received.split();
    let (queue, to_send) = state.to_send.split();
    let device = Device {
        received: queued,
        to_send: queue,
        events,
        pool,
        next: Next::None,
        waker: None,
        hardware_address,
        capabilities,
    };
    let rx = RxRunner { received, events };
    let tx = TxRunner { to_send, events };
    Ok((device, Radio { rx, tx, link: LinkRunner { events } }))
}

/// The stack's side: a [xarxa driver](Driver).
///
/// Cost: one copy, a queue operation, an allocation and a free for each packet.
pub struct Device<'d> {
    received: Consumer<'d, BytesMut>,
    to_send: Producer<'d, BytesMut>,
    events: &'d Events,
    /// The pool of packets to be sent.
    pool: &'static Pool,
    /// The buffer of the next one.
    next: Next,
    /// Of the stack: the pool wakes it, too.
    waker: Option<Waker>,
    hardware_address: HardwareAddress,
    capabilities: Capabilities,
}

/// The buffer for the next packet to be sent. It is taken before the stack is told that it can
/// send, because the stack then must not fail.
enum Next {
    None,
    Waits(AllocWait),
    Buffer(BytesMut),
}

impl Device<'_> {
    /// True if there is a buffer for the next packet. If not, the stack will be woken when there is.
    fn has_buffer(&mut self) -> bool {
        loop {
            self.next = match &mut self.next {
                Next::Buffer(_) => return true,
                Next::None => {
                    Next::Waits(self.pool.alloc_wait(self.capabilities.max_transmission_unit))
                }
                Next::Waits(wait) => {
                    let waker = self.waker.as_ref().unwrap_or(Waker::noop());
                    match Pin::new(wait).poll(&mut Context::from_waker(waker)) {
                        Poll::Ready(Ok(buffer)) => Next::Buffer(buffer),
                        // All places of the pool are taken by others: the stack asks again.
                        Poll::Ready(Err(_)) => {
                            self.next = Next::None;
                            return false;
                        }
                        Poll::Pending => return false,
                    }
                }
            };
        }
    }
}

impl Driver for Device<'_> {
    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn hardware_address(&self) -> HardwareAddress {
        self.hardware_address
    }

    fn link_state(&mut self) -> LinkState {
        // Relaxed: this is one word, and it publishes nothing else. If it is out of date, a wake-up
        // follows.
        if self.events.link_up.load(Relaxed) { LinkState::Up } else { LinkState::Down }
    }

    fn register_waker(&mut self, waker: &Waker) -> Result<(), NotSupported> {
        self.events.stack.register(waker);
        if !self.waker.as_ref().is_some_and(|old| old.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
        // A wait that has begun goes on with this waker.
        if matches!(self.next, Next::Waits(_)) && self.has_buffer() {
            waker.wake_by_ref();
        }
        Ok(())
    }

    /// Copies the next received packet. If xarxa's pool has no buffer for it, the packet stays in
    /// the queue. A packet that is longer than any such buffer is dropped and counted.
    fn receive(&mut self) -> Option<PacketBuf> {
        while let Some(packet) = self.received.peek() {
            if packet.len() <= PACKET_BUF_SIZE {
                let mut copy = PacketBuf::try_new()?;
                copy.set_len(packet.len());
                copy.copy_from_slice(packet);
                self.received.dequeue();
                return Some(copy);
            }
            self.received.dequeue();
            self.events.drop_one();
        }
        None
    }

    /// While the link is down, packets are dropped, so there is always room for them.
    fn can_transmit(&mut self) -> bool {
        self.link_state() == LinkState::Down || self.to_send.ready() && self.has_buffer()
    }

    /// Copies the packet. While the link is down, or if the packet is longer than the
    /// `max_transmission_unit` that the stack was told, it is dropped and counted.
    fn transmit(&mut self, packet: PacketBuf) -> Result<(), PacketBuf> {
        if !self.can_transmit() {
            return Err(packet);
        }
        let mut buffer = match core::mem::replace(&mut self.next, Next::None) {
            Next::Buffer(buffer) => buffer,
            // The link is down.
            other => {
                self.next = other;
                self.events.drop_one();
                return Ok(());
            }
        };
        if self.link_state() == LinkState::Down || buffer.extend_in_place(&packet).is_err() {
            self.next = Next::Buffer(buffer);
            self.events.drop_one();
        } else if let Err(buffer) = self.to_send.enqueue(buffer) {
            // The link was down when the device looked for room, and it has come up since.
            drop(buffer);
            self.events.drop_one();
        } else {
            self.events.radio.wake();
        }
        Ok(())
    }
}

// From here on as in `tierpool::net_driver`, and not shared with it: one waker gets all news here,
// and each kind of news has its own there. A shared part would have to publish all that a stack does
// with the queues, which is longer than these lines.

/// The radio's side, in parts for its tasks and interrupt handlers.
#[derive(Debug)]
pub struct Radio<'d> {
    /// Gives received packets to the stack.
    pub rx: RxRunner<'d>,
    /// Takes packets from the stack.
    pub tx: TxRunner<'d>,
    /// Tells the stack whether there is a link.
    pub link: LinkRunner<'d>,
}

/// Gives received packets to the stack.
pub struct RxRunner<'d> {
    received: Producer<'d, BytesMut>,
    events: &'d Events,
}

impl RxRunner<'_> {
    /// Hands a received packet to the stack, and wakes it.
    ///
    /// Interrupt handler: yes, if the waker of the stack may be woken there. Cost: at most two
    /// read-modify-writes.
    ///
    /// # Errors
    /// The packet, if the queue is full. Then the stack is too slow: drop the packet and count a
    /// loss.
    pub fn push(&mut self, packet: BytesMut) -> Result<(), BytesMut> {
        self.received.enqueue(packet)?;
        self.events.stack.wake();
        Ok(())
    }
}

/// Takes packets from the stack.
pub struct TxRunner<'d> {
    to_send: Consumer<'d, BytesMut>,
    events: &'d Events,
}

impl TxRunner<'_> {
    /// Returns the next packet to be sent, if there is one. Drop the packet when it is sent: then
    /// the stack may send another.
    ///
    /// Interrupt handler: yes. Cost: at most two read-modify-writes.
    pub fn try_next(&mut self) -> Option<BytesMut> {
        let packet = self.to_send.dequeue()?;
        self.events.stack.wake();
        Some(packet)
    }

    /// Waits for the next packet to be sent. If the future is dropped, no packet is lost.
    ///
    /// Cost: as [`try_next`](Self::try_next); to wait, a clone of the waker and up to three
    /// read-modify-writes.
    pub async fn next(&mut self) -> BytesMut {
        poll_fn(|cx| {
            if !self.to_send.ready() {
                self.events.radio.register(cx.waker());
            }
            // Once more: a packet may have come before the waker was there.
            self.try_next().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Tells the stack whether there is a link.
pub struct LinkRunner<'d> {
    events: &'d Events,
}

impl LinkRunner<'_> {
    /// Tells the stack that the link is up or down, and wakes it. At first the link is down.
    ///
    /// Interrupt handler: yes, if the waker of the stack may be woken there. Cost: at most two
    /// read-modify-writes.
    pub fn set(&self, state: LinkState) {
        // Relaxed: the wake-up below publishes the word.
        self.events.link_up.store(state == LinkState::Up, Relaxed);
        self.events.stack.wake();
    }

    /// The number of packets that went no further, modulo 2^32: sent while the link was down, or
    /// too long.
    ///
    /// Interrupt handler: yes. Cost: no read-modify-write.
    pub fn dropped(&self) -> u32 {
        // Relaxed: this is only a count.
        self.events.dropped.load(Relaxed)
    }
}

macro_rules! opaque_debug {
    ($($name:ident),+) => {
        $(impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })+
    };
}

opaque_debug!(Device, RxRunner, TxRunner, LinkRunner);

impl<const RX: usize, const TX: usize> fmt::Debug for State<RX, TX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}
