//! A recorded heap trace on `linked_list_allocator` and `rlsf`: each alone, behind a pool of the
//! default geometry, and behind one that is fitted to the trace, in equal memory.
//!
//! ```text
//!   tables ──► questions ──► run ──► memory ──► heaps
//! ```
//!
//! `cargo xtask replay` builds it for 32 bits, as firmware has it: blocks of heaps and control
//! blocks are half as large there as on 64 bits, and slots cost 4 bytes. It prints lines of fields
//! between tabs; the first names the table.

mod memory;
mod parallel;
mod questions;
mod run;
mod tables;

use questions::{Candidate, Of, least};
use tierpool_replay::heaps;
use tierpool_traces::Trace;
use tierpool_traces::fit::{Fitter, Geometry, TraceDemand};

/// No heap needs more for the trace, whatever stands before it.
const MOST: usize = 512 << 10;

/// How thorough.
struct Effort {
    /// Sizes of the pools that are fitted and tried, in KiB.
    pools: &'static [usize],
    rounds: usize,
}

const FULL: Effort = Effort { pools: &[16, 32, 48, 64, 80, 96, 112, 128, 144, 160], rounds: 15 };
const QUICK: Effort = Effort { pools: &[64, 128], rounds: 3 };

fn main() {
    let effort = match std::env::args().nth(1).as_deref() {
        None => FULL,
        Some("--quick") => QUICK,
        Some(_) => {
            eprintln!(
                "usage: tierpool-replay [--quick]\nThe tables come from `cargo xtask replay`."
            );
            std::process::exit(2);
        }
    };
    let trace = Trace::reticulum_transport();
    let fitted = fitted(&trace, effort.pools);
    let mut candidates = candidates_on::<heaps::LinkedList>(&trace, &fitted);
    candidates.extend(candidates_on::<heaps::Tlsf>(&trace, &fitted));
    println!("bits\t{}", usize::BITS);
    tables::memory(&candidates, &trace);
    for kib in [256, 168] {
        tables::equal(&candidates, &trace, kib << 10);
    }
    tables::time(&candidates, &trace, 256 << 10, effort.rounds);
}

/// Pools of several sizes, and the one that serves all.
fn fitted(trace: &Trace, sizes: &[usize]) -> Vec<Geometry> {
    let demand = TraceDemand::new(trace, heaps::WORD).expect("the trace holds requests");
    let fitter = Fitter::new(&demand, &mut |_, _| ());
    let mut fitted: Vec<Geometry> = Vec::new();
    for kib in sizes {
        eprintln!("fitting a pool of {kib} KiB");
        fitted.extend(fitter.for_memory(kib << 10).map(|fit| fit.geometry));
    }
    fitted.push(fitter.for_all().geometry);
    fitted
}

/// The heap alone, behind the default geometry, and behind the fitted one with which the trace
/// completes in the least memory.
fn candidates_on<H: heaps::Heap>(trace: &Trace, fitted: &[Geometry]) -> Vec<Box<dyn Candidate>> {
    let default = Geometry { tiers: vec![(256, 16), (512, 16), (1024, 16)], spill: 0 };
    let behind = |geometry: &Geometry| Of::<H>::behind("fitted pool", geometry.clone());
    eprintln!("choosing the pool for {}", H::NAME);
    let best = fitted
        .iter()
        .filter_map(|geometry| Some((least(&behind(geometry), trace, MOST)?, geometry)));
    let (_, best) =
        best.min_by_key(|(least, _)| *least).expect("some pool and heap hold the trace");
    vec![
        Box::new(Of::<H>::alone()),
        Box::new(Of::<H>::behind("default pool", default)),
        Box::new(behind(best)),
    ]
}
