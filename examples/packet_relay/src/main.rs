//! A packet relay on two threads that stand for the two cores of a microcontroller.
//!
//! ```text
//!            core 0                                   core 1
//!   air ──► radio ── BytesMut from RX ──► channel ──► router ─┬─► WiFi    the received buffer itself, shared
//!           (radio.rs)                               strips,  ├─► serial  hop count changed, copied on write ─┐ from
//!                                                    routes   └─► LoRa    link header in front, copied ───────┘ TX
//!
//!   beside them: a recorded heap trace of a Reticulum node, over and over, through TABLES (replay.rs)
//! ```
//!
//! Receive and transmit buffers come from pools of their own, so that a burst on the air cannot
//! starve the router. When time is up everything is dropped, and what the pools then say of
//! themselves is checked: a buffer that has not come home, a damaged byte, or a packet that is
//! neither sent nor counted as dropped makes the exit code 1.
//!
//! `cargo run --release -p packet_relay -- --help`; with `--features alloc` the whole program's heap is a pool, too, and the report says what it served.

mod audit;
#[path = "../../common/command_line.rs"]
mod command_line;
#[path = "../../common/figures.rs"]
mod figures;
mod heap;
mod packet;
mod radio;
mod replay;
mod report;
mod router;
mod traffic;

use lexopt::{
    Arg::{Long, Short},
    ValueExt,
};
use std::io::{IsTerminal, stderr};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use figures::grouped;
use heap::CountingHeap;
use report::Report;
use tierpool_traces::Trace;
use traffic::Traffic;

tierpool::pool! {
    /// Receive buffers: the default geometry. A burst of small packets may spill into the next
    /// larger slots.
    pub static RX = default, spill = 1;
}

tierpool::pool! {
    /// Transmit buffers: copies for the interfaces that change a packet. Two slots are for proofs
    /// alone: a sender that gets none repeats its packet, just when buffers are short.
    pub static TX = [128 x 6 + 2, 256 x 8, 512 x 8], spill = 1;
}

tierpool::pool! {
    /// Everything else of a node, for which its recorded heap traffic stands: many small blocks
    /// that live long. One tier has at most 1022 slots, so the 1536 of 32 bytes are two; the
    /// `spill` leads from one to the other.
    pub static TABLES = [16 x 256, 32 x 768, 32 x 768, 64 x 288, 256 x 208, 512 x 72, 1024 x 4],
        spill = 1, fallback = &HEAP;
}

tierpool::pool! {
    /// The same traffic on the default geometry, to show what a geometry that does not fit is
    /// worth.
    pub static UNFIT = default;
}

/// Where `TABLES` turns when it has no slot.
static HEAP: CountingHeap = CountingHeap::new();

#[cfg(feature = "alloc")]
tierpool::pool! {
    /// With the feature `alloc`: what the program itself allocates, its threads' channels and this
    /// report included.
    pub static NODE = [16 x 64, 64 x 512, 256 x 256, 1024 x 64, 4096 x 8, 65_536 x 4], spill = 1;
}

#[cfg(feature = "alloc")]
#[global_allocator]
static ALLOCATOR: tierpool::PoolGlobalAlloc<std::alloc::System> =
    tierpool::PoolGlobalAlloc::new(&NODE, std::alloc::System);

const HELP: &str = "\
Moves Reticulum-shaped packets from a radio to three interfaces on two threads, with a recorded
heap trace beside them, and checks that every buffer comes home.

Usage: packet_relay [OPTIONS]

Options:
      --seconds <N>  Run for this many seconds [default: 15]
      --json         Print the report as one JSON object
      --track        Print every second who holds the buffers
      --leak <N>     Forget a receive buffer every N frames: the check must fail, and the table of
                     the receive pool names the line
  -h, --help         Print this help

Exit code 0: every buffer is home, every packet accounted for, every byte as it was. 1: something of
this is not so. 2: the options are wrong.";

struct Options {
    seconds: u64,
    json: bool,
    track: bool,
    /// Forget a receive buffer after so many frames.
    leak: Option<NonZeroU32>,
}

impl Options {
    /// Reads the command line. `None`: it asks for help.
    fn parse() -> Result<Option<Options>, lexopt::Error> {
        let mut options = Options { seconds: 15, json: false, track: false, leak: None };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("seconds") => options.seconds = arguments.value()?.parse()?,
                Long("json") => options.json = true,
                Long("track") => options.track = true,
                Long("leak") => options.leak = Some(arguments.value()?.parse()?),
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(Some(options))
    }
}

fn main() -> ExitCode {
    let options = match command_line::options(HELP, Options::parse()) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let traffic = Traffic::default();
    let trace = Trace::reticulum_transport();
    let start = Instant::now();
    thread::scope(|scope| {
        // Room for all receive buffers: the pool is the bound, not the channel.
        let (router, radio) = sync_channel(RX.stats().tiers().iter().map(|tier| tier.slots).sum());
        scope.spawn(|| radio::receive(&traffic, router, options.leak));
        scope.spawn(|| router::route(&traffic, radio));
        scope.spawn(|| replay::until_stopped(&traffic, &trace));
        watch(&traffic, &options, start);
        traffic.stop();
    });
    let elapsed = start.elapsed();

    let report = Report::new(&traffic, elapsed, &trace);
    if options.json {
        println!("{}", report.json());
    } else {
        println!("{report}");
    }
    ExitCode::from(u8::from(!report.passed()))
}

/// Returns when the time is up; until then, a line of progress each second, and with `--track` who
/// holds the buffers.
fn watch(traffic: &Traffic, options: &Options, start: Instant) {
    let seconds = options.seconds;
    let (before, after) = if stderr().is_terminal() { ("\r\x1b[K", "") } else { ("", "\n") };
    let mut earlier = 0;
    for second in 1..=seconds {
        thread::sleep(Duration::from_secs(second).saturating_sub(start.elapsed()));
        // Relaxed: statistics.
        let received = traffic.received.load(Relaxed);
        eprint!(
            "{before}{second:>4} of {seconds} s {:>15} packets {:>11} packets/s {:>6} trace replays{after}",
            grouped(received),
            grouped(received - earlier),
            traffic.replays.load(Relaxed),
        );
        earlier = received;
        if options.track {
            eprint!("\n{}", report::holders());
        }
    }
    eprint!("{before}");
}
