//! Two executors of embassy, one on each core, and a pool between them.
//!
//! ```text
//!   core 0                                              core 1
//!   radio's interrupt ──► receive ── PACKETS, Bytes ──► forward ──► link
//!                            ▲                                       │ it drops the packet: the slot
//!                            └────── wakes RX.alloc_wait ◄───────────┘ is free again
//! ```
//!
//! This file is yours: copy it. What a HAL does on a chip is in [`board`], for QEMU's board with
//! two Cortex-M33 cores.
#![no_std]
#![no_main]

mod board;

use board::{Link, Radio};
use defmt::{info, unwrap};
use defmt_semihosting as _;
use embassy_executor::{Executor, task};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex as BothCores;
use embassy_sync::channel::Channel;
use embassy_sync::signal::Signal;
use static_cell::StaticCell;
use tierpool::Bytes;

// One task waits for buffers: `receive`.
tierpool::pool! { static RX = [64 x 4, 256 x 4], waiters = 1; }

/// The way to the other core. A handle is four words: no packet is copied. It has as many places as
/// the pool has slots. So it is never full, and the pool alone limits what is on its way.
static PACKETS: Channel<BothCores, Bytes, 8> = Channel::new();

/// The bytes of the radio's own header, in front of each packet.
const HEADER: usize = 2;
/// A line of statistics after so many packets.
const REPORT_EVERY: u32 = 100;

/// A frame lies in the radio's FIFO.
static FRAME: Signal<BothCores, ()> = Signal::new();

/// The handler of the radio's interrupt. On a chip it has an attribute, as `#[interrupt]`.
fn on_radio() {
    FRAME.signal(());
}

/// Receives packets: the driver of the radio.
#[task]
async fn receive(mut radio: Radio) {
    loop {
        let Some(bytes) = radio.frame() else {
            FRAME.wait().await;
            continue;
        };
        // If no slot is free, this task sleeps until the other core drops a packet. The frame stays
        // in the FIFO, and the radio keeps its peer waiting: nothing is lost.
        let mut packet = unwrap!(RX.alloc_wait(bytes).await);
        unwrap!(packet.resize(bytes, 0));
        radio.read(&mut packet);
        PACKETS.send(packet.freeze()).await;
    }
}

/// Sends them on, and reports.
#[task]
async fn forward(mut link: Link) {
    for sent in 1_u32.. {
        let mut packet = PACKETS.receive().await;
        unwrap!(packet.advance(HEADER)); // strips the header: no byte moves
        link.send(packet).await;
        if sent.is_multiple_of(REPORT_EVERY) {
            let stats = RX.stats();
            let waited: u64 = stats.tiers().iter().map(|tier| tier.missed).sum();
            info!("{} packets sent, the radio waited {} times; {}", sent, waited, stats);
        }
    }
}

/// Core 0. On a chip: the entry point.
fn core_0(radio: Radio) -> ! {
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    EXECUTOR.init(Executor::new()).run(|spawner| spawner.spawn(unwrap!(receive(radio))))
}

/// Core 1. On a chip: what its HAL starts there, as `spawn_core1` of embassy-rp.
fn core_1(link: Link) -> ! {
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    EXECUTOR.init(Executor::new()).run(|spawner| spawner.spawn(unwrap!(forward(link))))
}
