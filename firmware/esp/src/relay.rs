//! What the two cores do with packets: `receive` in the radio's interrupt handler, `route`
//! everywhere else.

use crate::modem::{FRAME, Modem};
use crate::pools::{RX, TX};
use core::cell::UnsafeCell;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use heapless::spsc::{Consumer, Producer, Queue};
use tierpool::{AllocError, Bytes, BytesMut};

const LINK_HEADER: [u8; 8] = *b"\0\0\0\0\0\0LK";
/// Offset of the hop count in a packet.
const HOPS: usize = 1;
/// One packet in so many asks for a resource, which is larger than any slot.
const RESOURCE_EVERY: u32 = 64;
const RESOURCE: usize = 4096;

/// The router's end of the queue of received packets.
pub type Inbox = Consumer<'static, Bytes>;

/// The radio's side, for its interrupt handler alone: so it needs no lock.
struct Radio {
    modem: Modem,
    inbox: Producer<'static, Bytes>,
}

struct OfTheHandler(UnsafeCell<Option<Radio>>);
// SAFETY: `inbox` writes before the radio starts, and from then on the handler alone uses it; it
// does not interrupt itself.
unsafe impl Sync for OfTheHandler {}
static RADIO: OfTheHandler = OfTheHandler(UnsafeCell::new(None));

/// Makes the queue between radio and router.
///
/// # Safety
/// Called once, before the radio starts.
pub unsafe fn inbox(modem: Modem) -> Inbox {
    static mut QUEUE: Queue<Bytes, 9> = Queue::new();
    // SAFETY: called once, so nobody else has it.
    let (radio, inbox) = unsafe { (*(&raw mut QUEUE)).split() };
    // SAFETY: the radio has not started.
    unsafe { *RADIO.0.get() = Some(Radio { modem, inbox: radio }) };
    inbox
}

static RECEIVED: AtomicU32 = AtomicU32::new(0);
static SENT: AtomicU32 = AtomicU32::new(0);
/// For want of a buffer, or of room in the queue.
static DROPPED: AtomicU32 = AtomicU32::new(0);

// Relaxed, all three: counts publish nothing.
fn count(counter: &AtomicU32) -> u32 {
    counter.fetch_add(1, Relaxed)
}

/// In interrupt context: the frame that the DMA has received since the last interrupt goes into the
/// queue, and the next one gets a buffer of RX.
pub fn receive() {
    // SAFETY: this is the radio's handler.
    let Some(radio) = (unsafe { &mut *RADIO.0.get() }) else { return };
    if let Some(frame) = radio.modem.received() {
        deliver(radio, frame);
    }
    // Whole words: ESP32 transfers nothing else.
    let length = 64 + 4 * (RECEIVED.load(Relaxed) as usize % ((FRAME - 64) / 4 + 1));
    let buffer = RX.alloc_pooled(FRAME);
    if !buffer.is_ok_and(|buffer| radio.modem.receive(buffer, length)) {
        count(&DROPPED);
    }
}

#[esp_hal::ram]
fn deliver(radio: &mut Radio, frame: BytesMut) {
    count(&RECEIVED);
    // A full queue gives the frame back: dropped here.
    if radio.inbox.enqueue(frame.freeze()).is_err() {
        count(&DROPPED);
    }
}

/// The next packet from the queue, sent on; false if there is none.
pub fn route(inbox: &mut Inbox) -> bool {
    let Some(packet) = inbox.dequeue() else { return false };
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
    // The packet is sent, whether there is memory for a resource or not: TX's statistics count
    // that.
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
        let [received, sent, dropped] =
            [&RECEIVED, &SENT, &DROPPED].map(|counter| counter.load(Relaxed));
        writeln!(f, "received={received} sent={sent} dropped={dropped}")?;
        writeln!(f, "rx {}", RX.stats())?;
        write!(f, "tx {}", TX.stats())
    }
}
