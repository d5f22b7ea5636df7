//! Random operations on a handful of handles on each core, with handles exchanged in between.

use crate::buffers::{self, Filled};
use crate::pattern::Key;
use crate::pools;
use crate::round::{self, Round};
use harness::rng::Rng;
use ring::Ring;
use tierpool::Bytes;

static EXCHANGE: [Ring<Part, 4>; 2] = [const { Ring::new() }; 2];

pub fn run(round: Round) {
    round.both(job, |_| ());
    for ring in &EXCHANGE {
        while let Some(part) = ring.pop() {
            part.check();
        }
    }
}

/// A part of a filled buffer.
#[derive(Clone)]
struct Part {
    bytes: Bytes,
    offset: usize,
    key: Key,
}

impl Part {
    #[track_caller]
    fn check(&self) {
        self.key.check(&self.bytes, self.offset);
    }
}

fn job(core: usize) {
    let mut rng = round::rng(core);
    let mut held: [Option<Part>; 4] = [const { None }; 4];
    for number in 0..round::steps() {
        let place = rng.below(held.len() as u32) as usize;
        let part = held[place].take();
        if let Some(part) = &part {
            part.check();
        }
        held[place] = match (rng.below(8), part) {
            (0 | 1, None) => fresh(&mut rng, Key::new(core, number)),
            (2 | 3, None) => EXCHANGE[1 - core].pop(),
            (0 | 1, Some(part)) => EXCHANGE[core].push(part).err(),
            (2, Some(part)) => {
                let to = rng.below(held.len() as u32) as usize;
                held[to] = Some(part.clone());
                Some(part)
            }
            (3 | 4, Some(part)) => Some(shortened(&mut rng, part)),
            (5, Some(part)) => Some(written(part, Key::new(core, number))),
            (6, Some(part)) => Some(unfrozen(part, Key::new(core, number))),
            _ => None,
        };
    }
}

fn fresh(rng: &mut Rng, key: Key) -> Option<Part> {
    let Filled { bytes, key } = Filled::new(rng, key)?;
    Some(Part { bytes, offset: 0, key })
}

/// A slice: of the middle, or what `split_off` leaves and gives.
fn shortened(rng: &mut Rng, mut part: Part) -> Part {
    let cut = rng.below(part.bytes.len() as u32 + 1) as usize;
    let Part { offset, key, .. } = part;
    match rng.below(3) {
        0 => Part { bytes: part.bytes.slice_clamped(cut, usize::MAX), offset: offset + cut, key },
        1 => {
            let Ok(rest) = part.bytes.split_off(cut) else { panic!("split_off inside the buffer") };
            part.check();
            Part { bytes: rest, offset: offset + cut, key }
        }
        _ => {
            let Ok(front) = part.bytes.split_to(cut) else { panic!("split_to inside the buffer") };
            Part { bytes: front, offset, key }.check();
            Part { offset: offset + cut, ..part }
        }
    }
}

/// Written through `make_mut`; left as it was if that fails.
fn written(mut part: Part, key: Key) -> Part {
    match pools::make_mut(&mut part.bytes) {
        Some(bytes) => {
            key.fill(bytes);
            Part { offset: 0, key, ..part }
        }
        None => part,
    }
}

/// Unfrozen if it is unique, and filled over the whole capacity.
fn unfrozen(part: Part, key: Key) -> Part {
    match part.bytes.try_into_mut() {
        Ok(mut unique) => {
            buffers::refill(&mut unique, key);
            Part { bytes: unique.freeze(), offset: 0, key }
        }
        Err(bytes) => Part { bytes, ..part },
    }
}
