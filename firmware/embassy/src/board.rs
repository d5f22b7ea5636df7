//! What a HAL does on a chip, and a look at the outcome. Not to be copied.
//!
//! | item | here |
//! |---|---|
//! | start of both cores, panics, critical section | the harness of the emulated boards |
//! | [`Radio`] | a FIFO of [`FIFO`] frames; a tick of core 0's timer brings one |
//! | [`Link`] | a packet takes [`TICKS`] ticks of core 1's timer |
//! | the outcome | each packet is whole, in its turn and on the right core; the radio has waited; the pool is idle at the end |

#[path = "../../bench/src/critical.rs"]
mod critical;

use crate::{HEADER, RX, core_0, core_1, on_radio};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use defmt::info;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use harness::ticks::{Pace, Ticks};
use harness::{board, report, ticks};
use tierpool::Bytes;

/// The packets of a run: no multiple of a report's, so that the last report is out before the end.
const PACKETS_OF_A_RUN: u32 = 350;
/// Frames that the radio keeps while nobody reads them.
const FIFO: u32 = 2;
/// Ticks that the link needs for a packet: more than the radio needs for a frame.
const TICKS: u32 = 6;
/// Ticks that the last packet may take until its slot is free.
const LATE: u32 = 1000;

/// The arguments of the image: whether the cores run in turns, by counted instructions, and what is
/// to go wrong, for the proof that the outcome is looked at.
const COUNTED: usize = 0;
const WRONG: usize = 1;
/// The link never gives back one packet.
const LEAK: u32 = 1;
/// A frame comes only when no packet is on its way, so that the radio never waits.
const NO_WAIT: u32 = 2;
/// The radio loses a frame.
const LOSS: u32 = 3;

// Relaxed, all of these: each belongs to one core, to a task and to the interrupt handler there.
/// Frames in the FIFO.
static IN_FIFO: AtomicU32 = AtomicU32::new(0);
/// Ticks until the link has sent its packet.
static BUSY: AtomicU32 = AtomicU32::new(0);
/// Packets that the link has sent.
static SENT: AtomicU32 = AtomicU32::new(0);
/// Ticks since the last of them.
static SINCE: AtomicU32 = AtomicU32::new(0);
/// The link has no packet.
static FREE: Signal<CriticalSectionRawMutex, ()> = Signal::new();

/// Core 0: where the harness begins.
#[unsafe(no_mangle)]
fn main() {
    report::running("two executors", 0);
    let counted = board::argument(COUNTED) != 0;
    let pace = if counted { Pace::Instructions(4000) } else { Pace::Micros(40) };
    let handler = |core| if core == 0 { radio_tick() } else { link_tick() };
    let job = |core| if core == 0 { core_0(Radio { next: 0 }) } else { core_1(Link) };
    ticks::run(job, Ticks { seed: 1, pace, handler })
}

/// The interrupt of core 0: a frame comes in, if there is room for it.
fn radio_tick() {
    let may = board::argument(WRONG) != NO_WAIT || RX.is_idle();
    if may && IN_FIFO.load(Relaxed) < FIFO {
        IN_FIFO.fetch_add(1, Relaxed);
        on_radio();
    }
}

/// The radio: it receives the frames of a run, and then no more.
pub struct Radio {
    /// The number of the frame that is read next.
    next: u32,
}

impl Radio {
    /// The bytes of the next frame in the FIFO.
    pub fn frame(&self) -> Option<usize> {
        let there = IN_FIFO.load(Relaxed) > 0 && self.next < PACKETS_OF_A_RUN;
        there.then(|| HEADER + bytes(self.next).len())
    }

    /// Reads it.
    pub fn read(&mut self, frame: &mut [u8]) {
        assert_eq!(board::core(), 0, "the radio is read");
        for (to, from) in frame[HEADER..].iter_mut().zip(bytes(self.next)) {
            *to = from;
        }
        IN_FIFO.fetch_sub(1, Relaxed);
        self.next += if went_wrong(LOSS, self.next) { 2 } else { 1 };
    }
}

/// The interrupt of core 1.
fn link_tick() {
    match BUSY.load(Relaxed) {
        0 if SENT.load(Relaxed) == PACKETS_OF_A_RUN => look_at_the_end(),
        0 => {}
        ticks => {
            BUSY.store(ticks - 1, Relaxed);
            if ticks == 1 {
                FREE.signal(());
            }
        }
    }
}

/// The link, which knows what should come.
pub struct Link;

impl Link {
    /// Sends a packet and drops it.
    pub async fn send(&mut self, packet: Bytes) {
        let number = SENT.load(Relaxed);
        assert_eq!(board::core(), 1, "the link is used");
        assert!(packet.iter().copied().eq(bytes(number)), "packet {number} is not the next one");
        BUSY.store(TICKS, Relaxed);
        FREE.wait().await;
        if went_wrong(LEAK, number) {
            core::mem::forget(packet);
        }
        SENT.store(number + 1, Relaxed);
    }
}

/// What packet `number` consists of: 4 to 203 bytes.
fn bytes(number: u32) -> impl ExactSizeIterator<Item = u8> {
    let head = number.to_le_bytes();
    (0..4 + 37 * number as usize % 200).map(move |at| head[at % 4] ^ (at / 4) as u8)
}

/// Whether this is to go wrong with the packet in the middle.
fn went_wrong(what: u32, number: u32) -> bool {
    board::argument(WRONG) == what && number == PACKETS_OF_A_RUN / 2
}

/// All packets were sent. Ends the run when the last slot is free.
fn look_at_the_end() {
    let late = SINCE.fetch_add(1, Relaxed) == LATE;
    if RX.is_idle() || late {
        RX.assert_idle();
        let waited: u64 = RX.stats().tiers().iter().map(|tier| tier.missed).sum();
        assert!(waited > 0, "the radio never waited for a slot");
        info!("the pool is idle after {} packets", PACKETS_OF_A_RUN);
        board::exit(0)
    }
}
