//! A pool's statistics on recorded traffic equal a count that knows nothing of the crate: a number
//! of free slots for each tier, the smallest tier that fits, then as many larger ones as `spill`
//! allows.

#[path = "common/replay.rs"]
mod replay;

use replay::replay;
use std::iter::zip;
use tierpool::Pool;
use tierpool_traces::{Event, Trace};

/// The independent count of one trace on one geometry.
struct Count {
    spill: usize,
    tiers: Vec<Tier>,
    exhausted: u64,
    oversized: u64,
}

struct Tier {
    size: usize,
    slots: usize,
    free: usize,
    least_free: usize,
    served: u64,
    missed: u64,
}

impl Count {
    fn of(trace: &Trace, tiers: &[(usize, usize)], spill: usize) -> Count {
        let tier = |&(size, slots)| Tier {
            size,
            slots,
            free: slots,
            least_free: slots,
            served: 0,
            missed: 0,
        };
        let mut count =
            Count { spill, tiers: tiers.iter().map(tier).collect(), exhausted: 0, oversized: 0 };
        let mut tier_of = vec![None; trace.peak_blocks()];
        for event in trace.events() {
            match event {
                Event::Alloc { id, size } => tier_of[id as usize] = count.take(size as usize),
                Event::Free { id } => {
                    if let Some(tier) = tier_of[id as usize].take() {
                        count.tiers[tier].free += 1;
                    }
                }
            }
        }
        count
    }

    /// The tier that serves a request, if any.
    fn take(&mut self, size: usize) -> Option<usize> {
        let Some(first) = self.tiers.iter().position(|tier| tier.size >= size) else {
            self.oversized += 1;
            return None;
        };
        for index in first..self.tiers.len().min(first + 1 + self.spill) {
            let tier = &mut self.tiers[index];
            if tier.free > 0 {
                tier.free -= 1;
                tier.least_free = tier.least_free.min(tier.free);
                tier.served += 1;
                return Some(index);
            }
            tier.missed += 1;
        }
        self.exhausted += 1;
        None
    }
}

/// Replays, compares everything that can be counted, and returns the hits.
fn check(pool: &'static Pool, trace: &Trace, tiers: &[(usize, usize)], spill: usize) -> u64 {
    let count = Count::of(trace, tiers, spill);
    replay(pool, trace);

    let stats = pool.stats();
    assert_eq!(stats.tiers().len(), count.tiers.len());
    for (index, (found, expected)) in zip(stats.tiers(), &count.tiers).enumerate() {
        let context = format!("tier {index} of {tiers:?}");
        assert_eq!(found.size, expected.size, "{context}");
        assert_eq!(found.slots, expected.slots, "{context}");
        assert_eq!(found.served, expected.served, "{context}");
        assert_eq!(found.missed, expected.missed, "{context}");
        assert_eq!(found.peak, expected.slots - expected.least_free, "{context}");
        assert_eq!(found.in_use, 0, "{context}");
        assert!(found.exact, "{context}");
    }
    assert_eq!(stats.exhausted(), count.exhausted);
    assert_eq!(stats.oversized(), count.oversized);
    let hits = count.tiers.iter().map(|tier| tier.served).sum();
    assert_eq!(stats.hits(), hits);
    assert_eq!(stats.misses(), count.exhausted + count.oversized);
    assert_eq!(
        stats.requests(),
        trace.events().filter(|event| matches!(event, Event::Alloc { .. })).count() as u64
    );
    assert_eq!(stats.fallbacks(), 0);
    assert_eq!(stats.fallback_live(), 0);
    assert!(pool.is_idle());
    hits
}

#[test]
fn default_geometry() {
    tierpool::pool! { static POOL = default; }
    let tiers = [(256, 16), (512, 16), (1024, 16)];
    // 1.1 % of 87 044: blocks that live for hours hold the slots.
    assert_eq!(check(&POOL, &Trace::reticulum_transport(), &tiers, 0), 970);
}

#[test]
fn default_geometry_with_spill() {
    tierpool::pool! { static ONE = default, spill = 1; }
    tierpool::pool! { static ALL = default, spill = 2; }
    let tiers = [(256, 16), (512, 16), (1024, 16)];
    let trace = Trace::reticulum_transport();
    let (one, all) = (check(&ONE, &trace, &tiers, 1), check(&ALL, &trace, &tiers, 2));
    assert!(one > all, "the more spill, the more large slots are pinned by small blocks");
}

#[test]
fn fitted_geometry() {
    tierpool::pool! {
        static POOL = [16 x 256, 32 x 768, 32 x 768, 64 x 288, 256 x 208, 512 x 72, 1024 x 4], spill = 1;
    }
    let tiers = [(16, 256), (32, 768), (32, 768), (64, 288), (256, 208), (512, 72), (1024, 4)];
    // 96.9 % of 87 044.
    assert_eq!(check(&POOL, &Trace::reticulum_transport(), &tiers, 1), 84_357);
}

#[test]
fn sizes_rounded_up_to_the_alignment() {
    tierpool::pool! { static POOL = [20 x 100, 40 x 100, 40 x 50, 500 x 3], align = 16, spill = 2; }
    let tiers = [(32, 100), (48, 100), (48, 50), (512, 3)];
    check(&POOL, &Trace::reticulum_transport(), &tiers, 2);
}

#[test]
fn another_trace() {
    tierpool::pool! { static POOL = [16 x 8, 64 x 8, 512 x 8]; }
    check(&POOL, &Trace::reticulum_loopback(), &[(16, 8), (64, 8), (512, 8)], 0);
}

/// The count tells geometries apart, so the comparisons above can fail.
#[test]
fn one_slot_less_is_another_count() {
    let trace = Trace::reticulum_transport();
    let full = Count::of(&trace, &[(256, 16), (512, 16), (1024, 16)], 0);
    let less = Count::of(&trace, &[(256, 15), (512, 16), (1024, 16)], 0);
    assert_ne!(full.tiers[0].served, less.tiers[0].served);
}
