//! Chains of buffers beside plain vectors.
//!
//! ```text
//!   muts     ChainMut + Vec<u8>   ── freeze ──►  chains   Chain + Vec<u8>   ── pop_front ──►  parts
//!                                                  ▲                                           │
//!                                                  └─────────────── push_front, push_back ─────┘
//! ```
//!
//! `tests/chain.rs` drives it by random sequences, the fuzz target `chains` by the bytes of its
//! input.

use tierpool::{AllocError, Bytes, Chain, ChainMut, Config, Pool, RangeError};

use crate::{assert_all_home, canary, fresh_pool};

/// Places of the chains under test.
pub const PLACES: usize = 4;

/// The most bytes that are written or read in one go.
const MOST: usize = 200;

/// Two tiers, of which the larger one helps out. So a request is refused exactly if the largest
/// slots that are free, as many as there are places, are too few bytes.
pub const TIERS: [(usize, usize); 2] = [(8, 6), (32, 4)];

/// What can be done. `at` chooses a chain, and `part` a part. All else is bytes.
#[derive(Clone, Debug)]
pub enum Op {
    /// `alloc_chain`.
    Alloc(usize),
    /// `extend_from_slice`, of at most `MOST`.
    Extend(usize, usize),
    /// Writes into the room of one of the `parts_mut`.
    Fill {
        /// The chain.
        at: usize,
        /// The part.
        part: usize,
        /// As many bytes, at most what there is room for.
        bytes: usize,
    },
    /// `freeze`.
    Freeze(usize),
    /// `push_front`, `push_back`.
    Push {
        /// The chain.
        at: usize,
        /// A single part, or static bytes if there is none.
        part: usize,
        /// At which end.
        front: bool,
    },
    /// `pop_front`.
    Pop(usize),
    /// `advance`.
    Advance(usize, usize),
    /// `truncate`.
    Truncate(usize, usize),
    /// `split_to`.
    SplitTo(usize, usize),
    /// `slice`.
    Slice(usize, usize, usize),
    /// `copy_to_slice`, of at most `MOST`.
    Read(usize, usize),
    /// `linearize`.
    Linearize(usize),
    /// Another handle on each part.
    Clone(usize),
    /// Of a `Chain`.
    Drop(usize),
    /// Of a `ChainMut`.
    DropMut(usize),
}

fn in_use(pool: &Pool) -> Vec<usize> {
    pool.stats().tiers().iter().map(|tier| tier.in_use).collect()
}

fn capacities(chain: &ChainMut<PLACES>) -> Vec<usize> {
    chain.parts().iter().map(|part| part.capacity()).collect()
}

/// All chains beside their bytes.
#[derive(Debug)]
pub struct World {
    /// Where all slots are of.
    pub pool: &'static Pool,
    muts: Vec<(ChainMut<PLACES>, Vec<u8>)>,
    chains: Vec<(Chain<PLACES>, Vec<u8>)>,
    /// Single parts, to push.
    parts: Vec<Bytes>,
    fills: u64,
}

fn take<T>(list: &mut Vec<T>, at: usize) -> Option<T> {
    (!list.is_empty()).then(|| list.swap_remove(at % list.len()))
}

impl World {
    /// A pool, and no chain.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let pool = fresh_pool(&Config::new(&TIERS).spill(1)).expect("a right geometry");
        World { pool, muts: Vec::new(), chains: Vec::new(), parts: Vec::new(), fills: 0 }
    }

    /// What a chain that lacks `missing` bytes must be answered, if it has so many places.
    fn foretell(&self, missing: usize, places: usize) -> Result<(), AllocError> {
        if missing > places * TIERS[1].0 {
            return Err(AllocError::ChainFull);
        }
        let free = self
            .pool
            .stats()
            .tiers()
            .iter()
            .rev()
            .flat_map(|tier| std::iter::repeat_n(tier.size, tier.slots - tier.in_use))
            .take(places)
            .sum::<usize>();
        if missing > free { Err(AllocError::Exhausted) } else { Ok(()) }
    }

    fn fresh(&mut self, len: usize) -> Vec<u8> {
        self.fills += 1;
        canary(self.fills, len)
    }

    /// Does one thing, and compares the answer with that of the model.
    pub fn step(&mut self, op: &Op) {
        match *op {
            Op::Alloc(len) => {
                let (expected, before) = (self.foretell(len, PLACES), in_use(self.pool));
                let made = self.pool.alloc_chain(len);
                assert_eq!(made.as_ref().map(|_| ()).map_err(|error| *error), expected);
                match made {
                    Ok(chain) => {
                        assert!(chain.capacity() >= len);
                        self.muts.push((chain, Vec::new()));
                    }
                    Err(_) => assert_eq!(in_use(self.pool), before),
                }
            }
            Op::Extend(at, len) => {
                let Some((mut chain, mut model)) = take(&mut self.muts, at) else { return };
                let data = self.fresh(len.min(MOST));
                let missing = data.len().saturating_sub(chain.capacity() - chain.len());
                let expected = self.foretell(missing, PLACES - chain.parts().len());
                let before = (capacities(&chain), in_use(self.pool));
                assert_eq!(chain.extend_from_slice(&data), expected);
                match expected {
                    Ok(()) => model.extend(data),
                    Err(_) => assert_eq!((capacities(&chain), in_use(self.pool)), before),
                }
                self.muts.push((chain, model));
            }
            Op::Fill { at, part, bytes } => {
                let Some((mut chain, mut model)) = take(&mut self.muts, at) else { return };
                let data = self.fresh(bytes.min(MOST));
                if !chain.parts().is_empty() {
                    let part = part % chain.parts().len();
                    let buffer = &mut chain.parts_mut()[part];
                    let data = &data[..data.len().min(buffer.capacity() - buffer.len())];
                    buffer.extend_in_place(data).expect("there is room");
                    let end = chain.parts()[..=part].iter().map(|part| part.len()).sum::<usize>();
                    let at = end - data.len();
                    model.splice(at..at, data.iter().copied());
                }
                self.muts.push((chain, model));
            }
            Op::Freeze(at) => {
                let Some((chain, model)) = take(&mut self.muts, at) else { return };
                self.chains.push((chain.freeze(), model));
            }
            Op::DropMut(at) => drop(take(&mut self.muts, at)),
            Op::Drop(at) => drop(take(&mut self.chains, at)),
            _ => self.on_chain(op),
        }
    }

    fn on_chain(&mut self, op: &Op) {
        let (Op::Push { at, .. }
        | Op::Pop(at)
        | Op::Advance(at, _)
        | Op::Truncate(at, _)
        | Op::SplitTo(at, _)
        | Op::Slice(at, ..)
        | Op::Read(at, _)
        | Op::Linearize(at)
        | Op::Clone(at)) = *op
        else {
            unreachable!("{op:?}")
        };
        let Some((mut chain, mut model)) = take(&mut self.chains, at) else { return };
        match *op {
            Op::Push { part, front, .. } => {
                let part = take(&mut self.parts, part).unwrap_or(Bytes::from_static(b"static"));
                let data = part.to_vec();
                let full = chain.parts().len() == PLACES && !part.is_empty();
                let pushed = if front { chain.push_front(part) } else { chain.push_back(part) };
                assert_eq!(pushed.is_err(), full);
                match pushed {
                    Ok(()) if front => drop(model.splice(..0, data)),
                    Ok(()) => model.extend(data),
                    Err(back) => self.parts.push(back.bytes),
                }
            }
            Op::Pop(_) => match chain.pop_front() {
                Some(part) => {
                    assert_eq!(part, model.drain(..part.len()).collect::<Vec<_>>());
                    self.parts.push(part);
                }
                None => assert!(model.is_empty()),
            },
            Op::Advance(_, bytes) => match chain.advance(bytes) {
                Ok(()) => drop(model.drain(..bytes)),
                Err(RangeError) => assert!(bytes > model.len()),
            },
            Op::Truncate(_, len) => {
                chain.truncate(len);
                model.truncate(len);
            }
            Op::SplitTo(_, bytes) => match chain.split_to(bytes) {
                Ok(front) => self.chains.push((front, model.drain(..bytes).collect())),
                Err(RangeError) => assert!(bytes > model.len()),
            },
            Op::Slice(_, from, to) => match (chain.slice(from..to), model.get(from..to)) {
                (Ok(slice), Some(expected)) => self.chains.push((slice, expected.to_vec())),
                (result, expected) => assert_eq!((result, expected), (Err(RangeError), None)),
            },
            Op::Read(_, bytes) => {
                let mut target = vec![0; bytes.min(MOST)];
                match chain.copy_to_slice(&mut target) {
                    Ok(()) => assert_eq!(target, model.drain(..target.len()).collect::<Vec<_>>()),
                    Err(RangeError) => {
                        assert!(target.len() > model.len() && target.iter().all(|&b| b == 0));
                    }
                }
            }
            Op::Linearize(_) => {
                let (parts, free) = (chain.parts().len(), self.foretell(model.len(), 1));
                match chain.linearize(self.pool) {
                    Ok(bytes) => assert_eq!(bytes, model),
                    Err(_) => assert!(parts > 1 && free.is_err() && chain.parts().len() == parts),
                }
                assert!(free.is_err() || chain.parts().len() <= 1);
            }
            _ => self.chains.push((chain.clone(), model.clone())),
        }
        self.chains.push((chain, model));
    }

    /// All chains read as their models.
    pub fn check(&self) {
        for (chain, model) in &self.muts {
            assert_eq!((chain.len(), chain.is_empty()), (model.len(), model.is_empty()));
            assert!(chain.parts().iter().flatten().eq(model));
            assert!(chain.capacity() >= chain.len() && chain.parts().len() <= PLACES);
        }
        for (chain, model) in &self.chains {
            assert_eq!(chain, model);
            assert_eq!((chain.len(), chain.is_empty()), (model.len(), model.is_empty()));
            assert!(chain.chunks().all(|chunk| !chunk.is_empty()));
            assert!(chain.chunks().flatten().eq(model));
            assert!(chain.chunks().rev().flat_map(|c| c.iter().rev()).eq(model.iter().rev()));
        }
    }

    /// Everything is given back, and the pool is whole.
    pub fn finish(self) {
        let pool = self.pool;
        drop(self);
        assert_all_home(pool);
    }
}
