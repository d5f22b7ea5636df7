//! What is asked of a pool: how many buffers of which sizes, and how many of them at once.
//!
//! A *class* is a range of sizes that one tier serves alone. What a tier of it is worth is a curve over its slots:
//!
//! ```text
//!   requests
//!   served    │          ·  ·  · ···   all of the class
//!             │     ·  ·
//!             │  ·
//!             │ ·
//!             └──────────────────── slots
//! ```

use super::geometry::Geometry;
use super::lanes::Lanes;
use super::{MAX_SIZE, Unfit};
use crate::{Event, Trace};

/// Requests that a pool is fitted to.
pub trait Demand: Sync {
    /// The slot sizes worth considering, rising: every request is of one of these, rounded up. Larger requests are
    /// no pool's.
    fn sizes(&self) -> &[usize];

    /// All requests, those that are too large for any pool included.
    fn requests(&self) -> u64;

    /// For the class of the sizes with these indices: how many requests each slot serves, the first slot first. A tier of
    /// `n` slots serves the sum over the first `n`.
    fn served_by_slot(&self, class: std::ops::Range<usize>) -> Vec<u64>;

    /// How many requests a whole pool serves.
    fn hits(&self, geometry: &Geometry) -> u64;
}

/// A trace as a demand. Exact: replaying the trace on a real pool gives the same hits.
#[derive(Debug)]
pub struct TraceDemand {
    sizes: Vec<usize>,
    steps: Vec<Step>,
    blocks: usize,
    requests: u64,
}

/// An event with the block's ID and, for allocations, the index of its rounded size; frees have none.
#[derive(Clone, Copy, Debug)]
struct Step {
    id: u32,
    size: Option<u16>,
}

impl TraceDemand {
    /// Slot sizes will be multiples of `multiple_of` bytes, so that slots are at least so aligned.
    ///
    /// # Errors
    /// The trace holds no request that a pool could serve, or `multiple_of` is no power of two up to 4096.
    pub fn new(trace: &Trace, multiple_of: usize) -> Result<Self, Unfit> {
        if !multiple_of.is_power_of_two() || multiple_of > 4096 {
            return Err(Unfit::Multiple);
        }
        let rounded = |size: u32| (size as usize).max(1).next_multiple_of(multiple_of);
        let asked = |event| if let Event::Alloc { size, .. } = event { Some(rounded(size)) } else { None };
        let mut sizes: Vec<usize> = trace.events().filter_map(asked).filter(|&size| size <= MAX_SIZE).collect();
        sizes.sort_unstable();
        sizes.dedup();
        if sizes.is_empty() {
            return Err(Unfit::NoRequests);
        }
        let mut pooled = vec![false; trace.peak_blocks()];
        let step = |event| match event {
            Event::Alloc { id, size } => {
                let index = sizes.binary_search(&rounded(size)).ok();
                pooled[id as usize] = index.is_some();
                index.map(|index| Step { id, size: Some(index as u16) })
            }
            Event::Free { id } => pooled[id as usize].then_some(Step { id, size: None }),
        };
        let steps = trace.events().filter_map(step).collect();
        let requests = trace.events().filter_map(asked).count() as u64;
        Ok(TraceDemand { steps, blocks: trace.peak_blocks(), requests, sizes })
    }
}

impl Demand for TraceDemand {
    fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    fn requests(&self) -> u64 {
        self.requests
    }

    /// One replay gives the whole curve. Each allocation takes the lowest free slot of an endless tier; then what happens
    /// on the first `n` slots is what would happen on a tier of only `n`: a request that it could not serve takes a slot
    /// above them, and gives that one back.
    fn served_by_slot(&self, class: std::ops::Range<usize>) -> Vec<u64> {
        let mut lanes = Lanes::default();
        let mut served = Vec::new();
        let mut slot_of = vec![None; self.blocks];
        for step in &self.steps {
            match step.size {
                Some(size) if class.contains(&size.into()) => {
                    let slot = lanes.take();
                    if slot == served.len() {
                        served.push(0);
                    }
                    served[slot] += 1;
                    slot_of[step.id as usize] = Some(slot as u32);
                }
                Some(_) => {}
                None => {
                    if let Some(slot) = slot_of[step.id as usize].take() {
                        lanes.give_back(slot as usize);
                    }
                }
            }
        }
        served
    }

    /// A replay on counters: a number of free slots for each tier.
    fn hits(&self, geometry: &Geometry) -> u64 {
        const NONE: u8 = u8::MAX;
        let mut free: Vec<usize> = geometry.tiers.iter().map(|tier| tier.1).collect();
        let first: Vec<usize> = self.sizes.iter().map(|&size| geometry.tiers.partition_point(|tier| tier.0 < size)).collect();
        let mut tier_of = vec![NONE; self.blocks];
        let mut hits = 0;
        for step in &self.steps {
            let tier = &mut tier_of[step.id as usize];
            match step.size {
                Some(size) => {
                    let first = first[usize::from(size)];
                    let end = (first + 1 + geometry.spill).min(free.len());
                    if let Some(found) = (first..end).find(|&tier| free[tier] > 0) {
                        free[found] -= 1;
                        hits += 1;
                        *tier = found as u8;
                    }
                }
                None if *tier == NONE => {}
                None => {
                    free[usize::from(*tier)] += 1;
                    *tier = NONE;
                }
            }
        }
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(text: &str) -> TraceDemand {
        TraceDemand::new(&crate::text::parse(text).unwrap(), 4).unwrap()
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
        let large = crate::text::parse("a 0 100000").unwrap();
        assert_eq!(TraceDemand::new(&large, 4).unwrap_err(), Unfit::NoRequests);
        assert_eq!(TraceDemand::new(&large, 3).unwrap_err(), Unfit::Multiple);
    }

    /// The claim of `served_by_slot`: its curve has, for every number of slots, the hits of a tier with so many.
    #[test]
    fn one_replay_gives_every_number_of_slots() {
        let trace = Trace::reticulum_loopback();
        let demand = TraceDemand::new(&trace, 4).unwrap();
        let classes = demand.sizes().len();
        for upto in 1..=classes {
            let curve = demand.served_by_slot(0..upto);
            for slots in 1..=curve.len() {
                let geometry = Geometry { tiers: vec![(demand.sizes()[upto - 1], slots)], spill: 0 };
                assert_eq!(curve[..slots].iter().sum::<u64>(), demand.hits(&geometry), "{geometry}");
            }
        }
    }

    #[test]
    fn spilling_pins_larger_slots() {
        let demand = demand("a 0 4\na 1 4\na 2 8\nf 0\nf 1\nf 2");
        let hits = |spill| demand.hits(&Geometry { tiers: vec![(4, 1), (8, 1)], spill });
        assert_eq!((hits(0), hits(1)), (2, 2));
        assert_eq!(demand.hits(&Geometry::default()), 0);
    }
}
