//! Allocate and free 500 bytes; each thread holds one buffer at a time. The floor is two
//! compare-and-swaps.

use crate::candidates::{self, Candidate, Kind, own, typed};
use crate::candidates::{cached, malloc};
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
    let heapless = |name, other| {
        Mark::new(NAME, format!("1 thread: {name} ÷ {other}"), 0.8, over(columns, name, other))
    };
    vec![
        floor(own::RAW_SIZED, 1.3),
        floor(own::RAW_CHECKED, 1.6),
        floor(own::HANDLES, 1.4),
        heapless(own::RAW_SIZED, typed::HEAPLESS_BOX),
        heapless(own::RAW_CHECKED, typed::HEAPLESS_BOX),
        heapless(own::HANDLES, typed::HEAPLESS_BOX),
        heapless(own::HANDLES, typed::HEAPLESS_ARC),
    ]
}

/// The marks of a number of threads.
fn shared(candidates: &[Candidate], columns: &[Column], threads: usize) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut ahead = |name, kind| {
        for other in candidates.iter().filter(|it| it.kind == kind) {
            let mark = format!("{}: {name} ÷ {}", plural(threads), other.name);
            marks.push(Mark::new(NAME, mark, 1.0, over(columns, name, other.name)));
        }
    };
    ahead(own::HANDLES, Kind::TypedOrCounted);
    if threads > 1 {
        ahead(own::HANDLES, Kind::Locked);
    }
    if threads <= 2 {
        let text = |other| format!("{}: {} ÷ {other}", plural(threads), cached::CACHED);
        marks.push(Mark::new(NAME, text("floor"), 0.6, over_floor(columns, cached::CACHED)));
        marks.push(Mark::new(
            NAME,
            text(malloc::MIMALLOC),
            1.0,
            over(columns, cached::CACHED, malloc::MIMALLOC),
        ));
    }
    marks
}

fn over_floor(columns: &[Column], name: &str) -> Option<Spread> {
    Spread::of(column(columns, name).costs().map(|cost| cost / SWAPS))
}

fn plural(threads: usize) -> String {
    if threads == 1 { "1 thread".into() } else { format!("{threads} threads") }
}
