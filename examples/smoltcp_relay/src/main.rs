//! TCP between two hosts on two threads, each a smoltcp interface whose frames lie in a pool.
//!
//! ```text
//!   left (host.rs)                                                    right (host.rs)
//!   10 MB ──► socket ─► port ── frames from LEFT ──► queue ─────────► port ─► socket ──► checked
//!   checked ◄── socket ◄─ port ◄───────── queue ◄── frames from RIGHT ── port ◄─ socket ◄── 10 MB
//!                       (port.rs)
//! ```
//!
//! A frame is written once, into the slot that the transmitting side has allocated, and read there
//! by the receiving side, whose drop sends the slot home to the other thread's pool. The pools are
//! smaller than TCP's window, so they run out all the time. That is no failure: the port says "not
//! now", smoltcp keeps its data and asks again, and the report counts how often.
//!
//! A content that differs, a transfer that does not end, or a buffer that has not come home makes
//! the exit code 1.
//!
//! `cargo run --release -p smoltcp_relay -- --help`

#[path = "../../common/command_line.rs"]
mod command_line;
#[path = "../../common/figures.rs"]
mod figures;
mod host;
mod port;
mod report;
mod stream;

use heapless::spsc::Queue;
use lexopt::{
    Arg::{Long, Short},
    ValueExt,
};
use std::process::ExitCode;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::Instant;
use tierpool::Bytes;

use host::{Address, Host};
use port::Port;
use report::Report;

/// The largest IP packet.
const MTU: usize = 1500;
/// Frames of each size that a host can have under way. A queue has room for all of them: the pool
/// is the bound.
const SLOTS: usize = 8;

tierpool::pool! {
    /// Frames of the left host: acknowledgements without data, and whole segments.
    pub static LEFT = [64 x SLOTS, MTU x SLOTS];
}

tierpool::pool! {
    /// Frames of the right host.
    pub static RIGHT = [64 x SLOTS, MTU x SLOTS];
}

const HELP: &str = "\
Exchanges data over TCP between two smoltcp interfaces on two threads, whose frames lie in pools,
and checks that all of it arrives and every buffer comes home.

Usage: smoltcp_relay [OPTIONS]

Options:
      --megabytes <N>  Megabytes to send, each way [default: 10]
      --json           Print the report as one JSON object
  -h, --help           Print this help

Exit code 0: all bytes have arrived as they were sent, and every buffer is home. 1: something of
this is not so. 2: the options are wrong.";

struct Options {
    megabytes: u64,
    json: bool,
    /// Do something wrong, to see a check fail. Not in the help.
    fault: Option<Fault>,
}

impl Options {
    /// Reads the command line. `None`: it asks for help.
    fn parse() -> Result<Option<Options>, lexopt::Error> {
        let mut options = Options { megabytes: 10, json: false, fault: None };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("megabytes") => options.megabytes = arguments.value()?.parse()?,
                Long("json") => options.json = true,
                Long("fault") => options.fault = Some(arguments.value()?.parse_with(Fault::named)?),
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(Some(options))
    }
}

/// What a check must find.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// One byte of what the left host sends is another.
    Content,
    /// A buffer does not come home.
    Leak,
}

impl Fault {
    fn named(name: &str) -> Result<Fault, &'static str> {
        match name {
            "content" => Ok(Fault::Content),
            "leak" => Ok(Fault::Leak),
            _ => Err("neither `content` nor `leak`"),
        }
    }
}

fn main() -> ExitCode {
    let options = match command_line::options(HELP, Options::parse()) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let report = exchange(options.megabytes * 1_000_000, options.fault);
    if options.json {
        println!("{}", report.json());
    } else {
        println!("{report}");
    }
    ExitCode::from(u8::from(!report.passed()))
}

/// Sends so many bytes each way.
fn exchange(bytes: u64, fault: Option<Fault>) -> Report {
    type Frames = Queue<Bytes, { 2 * SLOTS + 1 }>; // it has room for one less
    let [mut to_right, mut to_left] = [Frames::new(), Frames::new()];
    let (left_out, right_in) = to_right.split();
    let (right_out, left_in) = to_left.split();
    let spoiled = (fault == Some(Fault::Content)).then_some(bytes / 2);

    let finished = AtomicUsize::new(0);
    let start = Instant::now();
    let hosts = thread::scope(|scope| {
        let left = scope.spawn(|| {
            Host::new(Address::Left, Port::new(&LEFT, left_out, left_in), bytes, spoiled)
                .run(&finished)
        });
        let right = scope.spawn(|| {
            Host::new(Address::Right, Port::new(&RIGHT, right_out, right_in), bytes, None)
                .run(&finished)
        });
        [left, right].map(|host| host.join().expect("a host has panicked"))
    });
    let elapsed = start.elapsed();
    // What a transfer that did not end has left behind.
    drop((to_right, to_left));
    if fault == Some(Fault::Leak) {
        std::mem::forget(LEFT.alloc(MTU));
    }
    Report::new(bytes, elapsed, hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, since the pools are the program's.
    #[test]
    fn all_arrives_though_the_pools_run_out() {
        let report = exchange(500_000, None);
        assert!(report.passed() && report.held_back() > 0, "{report}");
        let faults = exchange(100_000, Some(Fault::Content)).faults();
        assert_eq!(faults, ["right: byte 50000 is not what was sent"]);
        let faults = exchange(100_000, Some(Fault::Leak)).faults();
        assert_eq!(faults, ["LEFT: 1 buffers have not come home"]);
    }
}
