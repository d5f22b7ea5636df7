//! Random operations on a handful of handles on each core, with handles exchanged in between.

use crate::buffers::{self, Filled};
use crate::exchange::Exchange;
use crate::pools;
use crate::round::{self, Round};
use tierpool::Bytes;
use tierpool_testkit::{Choices, Pattern, Random};

static EXCHANGE: Exchange<Part, 5> = Exchange::new();

pub fn run(round: Round) {
    EXCHANGE.open();
    round.both(job, |_| ());
    EXCHANGE.empty(|part| part.check());
}

/// A part of a filled buffer.
#[derive(Clone)]
struct Part {
    bytes: Bytes,
    offset: usize,
    pattern: Pattern,
}

impl Part {
    #[track_caller]
    fn check(&self) {
        self.pattern.moved(self.offset as isize).check(&self.bytes);
    }
}

fn job(core: usize) {
    let mut rng = round::rng(core);
    let mut held: [Option<Part>; 4] = [const { None }; 4];
    for number in 0..round::steps() {
        let place = rng.below(held.len());
        let part = held[place].take();
        if let Some(part) = &part {
            part.check();
        }
        held[place] = match (rng.below(9), part) {
            (0 | 1, None) => fresh(&mut rng, round::pattern(core, number)),
            (2 | 3, None) => EXCHANGE.receive(),
            (0 | 1, Some(part)) => EXCHANGE.send(part).err(),
            (2, Some(part)) => {
                let to = rng.below(held.len());
                held[to] = Some(part.clone());
                Some(part)
            }
            (3 | 4, Some(part)) => Some(shortened(&mut rng, part)),
            (5, Some(part)) => Some(written(part, round::pattern(core, number))),
            (6, Some(part)) => Some(unfrozen(part, round::pattern(core, number))),
            (7, Some(part)) => Some(halved(&mut rng, part, round::pattern(core, number))),
            _ => None,
        };
    }
}

fn fresh(rng: &mut Random, pattern: Pattern) -> Option<Part> {
    let Filled { bytes, pattern } = Filled::new(rng, pattern)?;
    Some(Part { bytes, offset: 0, pattern })
}

/// A slice: of the middle, or what `split_off` leaves and gives.
fn shortened(rng: &mut Random, mut part: Part) -> Part {
    let cut = rng.below(part.bytes.len() + 1);
    let Part { offset, pattern, .. } = part;
    match rng.below(3) {
        0 => {
            Part { bytes: part.bytes.slice_clamped(cut, usize::MAX), offset: offset + cut, pattern }
        }
        1 => {
            let Ok(rest) = part.bytes.split_off(cut) else { panic!("split_off inside the buffer") };
            part.check();
            Part { bytes: rest, offset: offset + cut, pattern }
        }
        _ => {
            let Ok(front) = part.bytes.split_to(cut) else { panic!("split_to inside the buffer") };
            Part { bytes: front, offset, pattern }.check();
            Part { offset: offset + cut, ..part }
        }
    }
}

/// Written through `make_mut`; left as it was if that fails.
fn written(mut part: Part, pattern: Pattern) -> Part {
    match pools::make_mut(&mut part.bytes) {
        Some(bytes) => {
            pattern.fill(bytes);
            Part { offset: 0, pattern, ..part }
        }
        None => part,
    }
}

/// Split into halves if it is unique. The other core may have the front while the back is written.
fn halved(rng: &mut Random, part: Part, pattern: Pattern) -> Part {
    let mut back = match part.bytes.try_into_mut() {
        Ok(unique) => unique,
        Err(bytes) => return Part { bytes, ..part },
    };
    let Ok(front) = back.split_to(rng.below(back.len() + 1)) else {
        panic!("split_to inside the buffer")
    };
    let front = EXCHANGE.send(Part { bytes: front.freeze(), ..part });
    pattern.fill(&mut back);
    if let Err(front) = front {
        front.check();
    }
    Part { bytes: back.freeze(), offset: 0, pattern }
}

/// Unfrozen if it is unique, and filled over the whole capacity.
fn unfrozen(part: Part, pattern: Pattern) -> Part {
    match part.bytes.try_into_mut() {
        Ok(mut unique) => {
            buffers::refill(&mut unique, pattern);
            Part { bytes: unique.freeze(), offset: 0, pattern }
        }
        Err(bytes) => Part { bytes, ..part },
    }
}
