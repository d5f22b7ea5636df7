//! What the two cores do with packets: `receive` in the radio's interrupt handler, `route` everywhere else.

use crate::pools::{RX, TX};
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use ring::Ring;
use tierpool::{AllocError, Bytes};

/// The largest frame of the radio.
const FRAME: usize = 508;
const LINK_HEADER: [u8; 8] = *b"\0\0\0\0\0\0LK";
/// Offset of the hop count in a packet.
const HOPS: usize = 1;
/// One packet in so many asks for a resource, which is larger than any slot.
const RESOURCE_EVERY: u32 = 64;
const RESOURCE: usize = 4096;

static INBOX: Ring<Bytes, 8> = Ring::new();

static RECEIVED: AtomicU32 = AtomicU32::new(0);
static SENT: AtomicU32 = AtomicU32::new(0);
/// For want of a buffer, or of room in the queue.
static DROPPED: AtomicU32 = AtomicU32::new(0);

// Relaxed, all three: counts publish nothing.
fn count(counter: &AtomicU32) -> u32 {
    counter.fetch_add(1, Relaxed)
}

/// In interrupt context: a frame goes from the radio into a buffer of RX and into the queue.
#[esp_hal::ram]
pub fn receive() {
    let number = count(&RECEIVED);
    let Ok(mut frame) = RX.alloc_pooled(FRAME) else {
        count(&DROPPED);
        return;
    };
    // The radio would write this: flags, hops, then the number over and over.
    let length = 64 + number as usize % (FRAME - 64);
    if frame.resize(length, number as u8).is_ok() {
        frame[HOPS] = 0;
    }
    if INBOX.push(frame.freeze()).is_err() {
        count(&DROPPED);
    }
}

/// The next packet from the queue, sent on; false if there is none.
pub fn route() -> bool {
    let Some(packet) = INBOX.pop() else { return false };
    let outcome = forward(&packet);
    count(if outcome.is_ok() { &SENT } else { &DROPPED });
    true
}

fn forward(packet: &Bytes) -> Result<(), AllocError> {
    // The received buffer stays with whoever else holds it; the copy has room for the link header.
    let mut out = packet.clone().into_mut_in(&TX, LINK_HEADER.len())?;
    if let Some(hops) = out.get_mut(HOPS) {
        *hops = hops.saturating_add(1);
    }
    out.prepend(&LINK_HEADER)?;
    transmit(out.freeze());
    // The packet is sent, whether there is memory for a resource or not: TX's statistics count that.
    if SENT.load(Relaxed) % RESOURCE_EVERY == 0
        && let Ok(resource) = TX.zeroed(RESOURCE)
    {
        transmit(resource.freeze());
    }
    Ok(())
}

/// A modem would take the buffer by DMA and drop it when it is done.
fn transmit(packet: Bytes) {
    drop(core::hint::black_box(packet));
}

/// The counts and both pools, a line each.
pub struct Report;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [received, sent, dropped] = [&RECEIVED, &SENT, &DROPPED].map(|counter| counter.load(Relaxed));
        writeln!(f, "received={received} sent={sent} dropped={dropped}")?;
        writeln!(f, "rx {}", RX.stats())?;
        write!(f, "tx {}", TX.stats())
    }
}
