//! Allocate and free 500 bytes; each thread holds one buffer at a time. The floor is two
//! compare-and-swaps.

use crate::candidates::{self, Candidate, Kind, cached, malloc, own, treiber, typed};
use crate::questions::{Effort, column, costs, over};
use crate::record::{Mark, Output, Record};
use crate::round::Column;
use crate::spread::Spread;

pub const NAME: &str = "pair";

/// Compare-and-swaps of the floor.
const SWAPS: f64 = 2.0;

pub fn candidates() -> Vec<Candidate> {
    candidates::pairs()
}

pub fn ask(output: &mut Output<'_>, effort: &Effort) -> anyhow::Result<()> {
    let candidates = candidates();
    for threads in [1, 2, 4, 8] {
        let columns = costs(output, effort, NAME, threads, &candidates, SWAPS)?;
        let alone = if threads == 1 { alone(&columns) } else { Vec::new() };
        for mark in alone.into_iter().chain(shared(&candidates, &columns, threads)) {
            output.line(&Record::Mark(mark))?;
        }
    }
    Ok(())
}

/// The marks of one thread.
fn alone(columns: &[Column]) -> Vec<Mark> {
    let floor = |name, at_most| {
        Mark::new(NAME, format!("1 thread: {name} ÷ floor"), at_most, over_floor(columns, name))
    };
    let other = |name, other, at_most| {
        let mark = format!("1 thread: {name} ÷ {other}");
        Mark::new(NAME, mark, at_most, over(columns, name, other))
    };
    let heapless = |name, peer| other(name, peer, 0.8);
    vec![
        floor(own::RAW_SIZED, 1.3),
        floor(own::RAW_CHECKED, 1.6),
        floor(own::HANDLES, 1.4),
        other(own::RAW_SIZED, treiber::TREIBER, 1.05),
        other(own::HANDLES, treiber::TREIBER, 1.15),
        heapless(own::RAW_SIZED, typed::HEAPLESS_BOX),
        heapless(own::RAW_CHECKED, typed::HEAPLESS_BOX),
        heapless(own::HANDLES, typed::HEAPLESS_BOX),
        heapless(own::HANDLES, typed::HEAPLESS_ARC),
    ]
}

/// The marks of a number of threads.
fn shared(candidates: &[Candidate], columns: &[Column], threads: usize) -> Vec<Mark> {
    let floor = |name, at_most| {
        let mark = format!("{}: {name} ÷ floor", plural(threads));
        Mark::new(NAME, mark, at_most, over_floor(columns, name))
    };
    let other = |name, other, at_most| {
        let mark = format!("{}: {name} ÷ {other}", plural(threads));
        Mark::new(NAME, mark, at_most, over(columns, name, other))
    };
    let ahead_of = |name, kind| {
        let peers = candidates.iter().filter(move |it| it.kind == kind);
        peers.map(move |peer| other(name, peer.name, 1.0))
    };
    let mut marks: Vec<_> = ahead_of(own::HANDLES, Kind::TypedOrCounted).collect();
    if threads > 1 {
        marks.extend(ahead_of(own::HANDLES, Kind::Locked));
    }
    if threads == 2 {
        marks.extend([
            floor(own::HANDLES_2_LANES, 1.4),
            other(own::HANDLES_2_LANES, typed::ATOMIC_POOL, 0.25),
            other(own::HANDLES_2_LANES, typed::HEAPLESS_BOX, 0.15),
            other(own::HANDLES_2_LANES, typed::HEAPLESS_ARC, 0.15),
            floor(cached::CACHED_2_LANES, 0.6),
        ]);
    }
    if threads > 2 {
        marks.extend(ahead_of(own::HANDLES_8_LANES, Kind::TypedOrCounted));
        marks.extend(ahead_of(own::HANDLES_8_LANES, Kind::Locked));
    }
    if threads <= 2 {
        marks.extend([floor(cached::CACHED, 0.6), other(cached::CACHED, malloc::MIMALLOC, 1.0)]);
    }
    marks
}

fn over_floor(columns: &[Column], name: &str) -> Option<Spread> {
    Spread::of(column(columns, name).costs().map(|cost| cost / SWAPS))
}

fn plural(threads: usize) -> String {
    if threads == 1 { "1 thread".into() } else { format!("{threads} threads") }
}
