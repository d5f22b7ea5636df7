//! What is asked of a pool: how many buffers of which sizes, and how many of them at once.
//!
//! A *class* is a range of sizes that one tier serves alone. What a tier of it is worth is a curve
//! over its slots:
//!
//! ```text
//!   requests
//!   served    │          ·  ·  · ···   all of the class
//!             │     ·  ·
//!             │  ·
//!             │ ·
//!             └──────────────────── slots
//! ```
//!
//! A curve ends at [`MOST_SLOTS`], which is all that a pool can have.

use super::climb::hits_apart;
use super::geometry::{Geometry, MAX_SLOTS, MAX_TIERS};
use super::lanes::Lanes;
use super::{MAX_SIZE, Unfit};
use crate::{Event, Trace};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most slots of a pool, all tiers together.
pub(crate) const MOST_SLOTS: usize = MAX_TIERS * MAX_SLOTS;
/// Points of the curves that are remembered: 16 MiB.
const REMEMBERED: usize = 2 << 20;
/// Steps of replays that take half a second or so.
const STEPS: usize = 160_000_000;

/// Requests that a pool is fitted to.
pub trait Demand: Sync {
    /// The slot sizes worth considering, rising: every request is of one of these, rounded up.
    /// Larger requests are no pool's.
    fn sizes(&self) -> &[usize];

    /// How many requests are of the size with this index.
    fn asked(&self, size: usize) -> u64;

    /// All requests, those that are too large for any pool included.
    fn requests(&self) -> u64;

    /// How many classes of sizes it takes a fraction of a second to look at.
    fn affordable_classes(&self) -> usize;

    /// For the classes of the sizes from `first` up to each of `lasts` (indices, falling): how many
    /// requests each slot serves, the first slot first. A tier of `n` slots serves the sum over the
    /// first `n`.
    fn served_by_slot(
        &self,
        first: usize,
        lasts: &mut dyn Iterator<Item = usize>,
        each: &mut dyn FnMut(usize, &[u64]),
    );

    /// How many requests of a class so many slots serve.
    fn class_hits(&self, class: Range<usize>, slots: usize) -> u64;

    /// How many requests a whole pool serves.
    fn hits(&self, geometry: &Geometry) -> u64;

    /// How many whole pools it takes a fraction of a second to ask for.
    fn affordable_hits(&self) -> usize;
}

/// A trace as a demand. Exact: replaying the trace on a real pool gives the same hits.
#[derive(Debug)]
pub struct TraceDemand {
    sizes: Vec<usize>,
    asked: Vec<u64>,
    steps: Vec<Step>,
    blocks: usize,
    requests: u64,
    curves: Mutex<Curves>,
}

/// An event of a block that is small enough for a pool.
#[derive(Clone, Copy, Debug)]
struct Step {
    id: u32,
    /// The index of the block's rounded size.
    size: u16,
    frees: bool,
}

/// The hits of classes by the number of slots, from 0 up: those that were asked for of late.
#[derive(Debug, Default)]
struct Curves {
    of: HashMap<Range<usize>, Arc<[u64]>>,
    points: usize,
}

impl TraceDemand {
    /// Slot sizes will be multiples of `multiple_of` bytes, so that slots are at least so aligned.
    ///
    /// # Errors
    /// The trace holds no request that a pool could serve, or `multiple_of` is no power of two up
    /// to 4096.
    pub fn new(trace: &Trace, multiple_of: usize) -> Result<Self, Unfit> {
        if !multiple_of.is_power_of_two() || multiple_of > 4096 {
            return Err(Unfit::Multiple);
        }
        let rounded = |size: u32| (size as usize).max(1).next_multiple_of(multiple_of);
        let requested =
            |event| if let Event::Alloc { size, .. } = event { Some(rounded(size)) } else { None };
        let mut sizes: Vec<usize> =
            trace.events().filter_map(requested).filter(|&size| size <= MAX_SIZE).collect();
        sizes.sort_unstable();
        let asked = sizes.chunk_by(|a, b| a == b).map(|same| same.len() as u64).collect();
        sizes.dedup();
        if sizes.is_empty() {
            return Err(Unfit::NoRequests);
        }
        // The size of each live block; none for one that is too large.
        let mut size_of = vec![None; trace.peak_blocks()];
        let step = |event| {
            let (Event::Alloc { id, .. } | Event::Free { id }) = event;
            if let Event::Alloc { size, .. } = event {
                size_of[id as usize] = sizes.binary_search(&rounded(size)).ok();
            }
            let size = size_of[id as usize]? as u16;
            Some(Step { id, size, frees: matches!(event, Event::Free { .. }) })
        };
        let steps = trace.events().filter_map(step).collect();
        let requests = trace.events().filter_map(requested).count() as u64;
        Ok(TraceDemand {
            steps,
            blocks: trace.peak_blocks(),
            requests,
            asked,
            sizes,
            curves: Mutex::default(),
        })
    }

    /// One replay gives the whole curve. Each allocation takes the lowest free slot of an endless
    /// tier; then what happens on the first `n` slots is what would happen on a tier of only `n`: a
    /// request that it could not serve takes a slot above them, and gives that one back.
    fn served(&self, steps: impl Iterator<Item = Step>) -> Vec<u64> {
        let mut lanes = Lanes::default();
        let mut served = Vec::new();
        let mut slot_of = vec![0; self.blocks];
        for step in steps {
            let slot_of = &mut slot_of[step.id as usize];
            if step.frees {
                lanes.give_back(*slot_of as usize);
                continue;
            }
            let slot = lanes.take();
            if slot == served.len() && slot < MOST_SLOTS {
                served.push(0);
            }
            if let Some(served) = served.get_mut(slot) {
                *served += 1;
            }
            *slot_of = slot as u32;
        }
        served
    }

    fn curve(&self, class: Range<usize>) -> Arc<[u64]> {
        if let Some(curve) = self.remembered().of.get(&class) {
            return curve.clone();
        }
        let of_class = |step: &&Step| class.contains(&step.size.into());
        let served = self.served(self.steps.iter().filter(of_class).copied());
        let mut curves = self.remembered();
        if curves.points > REMEMBERED {
            *curves = Curves::default();
        }
        curves.insert(class, running(&served))
    }

    fn remembered(&self) -> MutexGuard<'_, Curves> {
        // A curve is only ever put in whole, so a panic elsewhere leaves none that is wrong.
        self.curves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Curves {
    fn insert(&mut self, class: Range<usize>, hits: Vec<u64>) -> Arc<[u64]> {
        self.points += hits.len();
        let curve: Arc<[u64]> = hits.into();
        self.of.insert(class, curve.clone());
        curve
    }
}

/// The sums over the first 0, 1, 2, … of these.
pub(crate) fn running(served: &[u64]) -> Vec<u64> {
    let sums = served.iter().scan(0, |sum, served| {
        *sum += served;
        Some(*sum)
    });
    std::iter::once(0).chain(sums).collect()
}

impl Demand for TraceDemand {
    fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    fn asked(&self, size: usize) -> u64 {
        self.asked[size]
    }

    fn requests(&self) -> u64 {
        self.requests
    }

    /// A class is half of the steps, more or less.
    fn affordable_classes(&self) -> usize {
        2 * STEPS / self.steps.len()
    }

    fn served_by_slot(
        &self,
        first: usize,
        lasts: &mut dyn Iterator<Item = usize>,
        each: &mut dyn FnMut(usize, &[u64]),
    ) {
        // Each class is a part of the one before it.
        let mut steps: Vec<Step> =
            self.steps.iter().filter(|step| usize::from(step.size) >= first).copied().collect();
        for last in lasts {
            steps.retain(|step| usize::from(step.size) <= last);
            let served = self.served(steps.iter().copied());
            each(last, &served);
            let mut curves = self.remembered();
            if curves.points < REMEMBERED {
                curves.insert(first..last + 1, running(&served));
            }
        }
    }

    fn class_hits(&self, class: Range<usize>, slots: usize) -> u64 {
        let curve = self.curve(class);
        curve[slots.min(curve.len() - 1)]
    }

    /// Without spill the classes are apart, unless a tier repeats the size of another, which nothing
    /// reaches then.
    fn hits(&self, geometry: &Geometry) -> u64 {
        if geometry.spill == 0 && geometry.least_spill() == 0 {
            hits_apart(self, geometry)
        } else {
            self.replay(geometry)
        }
    }

    fn affordable_hits(&self) -> usize {
        STEPS / self.steps.len()
    }
}

impl TraceDemand {
    /// A replay on counters: a number of free slots for each tier.
    fn replay(&self, geometry: &Geometry) -> u64 {
        const NONE: u8 = u8::MAX;
        let mut free: Vec<usize> = geometry.tiers.iter().map(|tier| tier.1).collect();
        let first = |&size: &usize| geometry.tiers.partition_point(|tier| tier.0 < size);
        let first: Vec<usize> = self.sizes.iter().map(first).collect();
        let mut tier_of = vec![NONE; self.blocks];
        let mut hits = 0;
        for step in &self.steps {
            let tier = &mut tier_of[step.id as usize];
            if !step.frees {
                let first = first[usize::from(step.size)];
                let end = (first + 1 + geometry.spill).min(free.len());
                if let Some(found) = (first..end).find(|&tier| free[tier] > 0) {
                    free[found] -= 1;
                    hits += 1;
                    *tier = found as u8;
                }
            } else if *tier != NONE {
                free[usize::from(*tier)] += 1;
                *tier = NONE;
            }
        }
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(text: &str) -> TraceDemand {
        TraceDemand::new(&crate::log::read(text.as_bytes()).unwrap().trace, 4).unwrap()
    }

    #[test]
    fn sizes_are_rounded_and_too_large_ones_counted() {
        let demand = demand("a 0 0\na 1 5\na 2 8\na 3 65536\na 4 65537\nf 4\nf 1");
        assert_eq!(demand.sizes(), [4, 8, 65_536]);
        assert_eq!(demand.requests(), 5);
        assert_eq!(demand.steps.len(), 5);
    }

    #[test]
    fn nothing_to_serve_is_an_error() {
        assert_eq!(TraceDemand::new(&Trace::default(), 4).unwrap_err(), Unfit::NoRequests);
        let large = crate::log::read(b"a 0 100000").unwrap().trace;
        assert_eq!(TraceDemand::new(&large, 4).unwrap_err(), Unfit::NoRequests);
        assert_eq!(TraceDemand::new(&large, 3).unwrap_err(), Unfit::Multiple);
    }

    /// The claim of `served_by_slot`: its curve has, for every number of slots, the hits of a tier
    /// with so many.
    #[test]
    fn one_replay_gives_every_number_of_slots() {
        let trace = Trace::reticulum_loopback();
        let demand = TraceDemand::new(&trace, 4).unwrap();
        demand.served_by_slot(0, &mut (0..demand.sizes().len()).rev(), &mut |last, served| {
            for slots in 1..=served.len() {
                let geometry = Geometry { tiers: vec![(demand.sizes()[last], slots)], spill: 0 };
                let hits = demand.replay(&geometry);
                assert_eq!(served[..slots].iter().sum::<u64>(), hits, "{geometry}");
                assert_eq!(demand.class_hits(0..last + 1, slots), hits, "{geometry}");
            }
        });
    }

    #[test]
    fn spilling_pins_larger_slots() {
        let demand = demand("a 0 4\na 1 4\na 2 8\nf 0\nf 1\nf 2");
        let hits = |spill| demand.hits(&Geometry { tiers: vec![(4, 1), (8, 1)], spill });
        assert_eq!(hits(0), 2);
        assert_eq!(hits(1), 2);
        assert_eq!(demand.hits(&Geometry::default()), 0);
    }
}
