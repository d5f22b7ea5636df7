//! From a good geometry to a better one of the same memory, by small moves.
//!
//! The price finds the best geometry without spill, at certain sizes of memory and with certain
//! ends of classes. Here the bytes that it leaves over are put to use, and the ends are moved. A
//! move that serves more, or as many with less memory, is kept; the climb ends when none does.
//! There are two, since to ask for the hits of a whole geometry takes a replay:
//!
//! 1. `climb_apart` takes the classes for apart, and adds up their hits, which are remembered.
//! 2. `climb` asks for the hits of whole geometries, as often as that is affordable, and so weighs
//!    spilling.

use super::demand::Demand;
use super::geometry::{Geometry, MAX_SLOTS, MAX_TIERS, REGION_ALIGN, SLOT_WORDS};
use std::cmp::Reverse;

/// There is hardly anything better after so many tries.
pub(crate) const MOST_TRIES: usize = 4000;

/// One change of a geometry. Memory that it frees goes to the tier `to`, or is left over.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// As many slots as the memory left over pays.
    Grow { to: usize },
    /// Slots of one tier become slots of another.
    Shift { from: usize, to: usize, slots: usize },
    /// A size so many steps larger or smaller, with slots for the same memory.
    Resize { tier: usize, by: isize },
    /// A new tier, of a quarter of the next larger one's memory and of what is left over.
    Insert { size: usize },
    /// Without this tier, its memory goes to the next smaller or larger one.
    Remove { tier: usize, to: usize },
    /// Another spill.
    Spill { tiers: usize },
}

/// All moves there may be; those that a geometry does not allow come to nothing. A new tier may be
/// of one of `sizes`, out of `of` sizes.
fn moves(sizes: &[usize], of: usize) -> Vec<Move> {
    let tiers = || 0..MAX_TIERS;
    let pairs = || {
        tiers()
            .flat_map(move |from| tiers().filter(move |&to| to != from).map(move |to| (from, to)))
    };
    let mut moves: Vec<Move> = (0..=2).map(|tiers| Move::Spill { tiers }).collect();
    moves.extend(tiers().rev().map(|to| Move::Grow { to }));
    moves.extend(sizes.iter().map(|&size| Move::Insert { size }));
    for by in [1, 4, 16, 64].into_iter().filter(|&by| by == 1 || by as usize * MAX_TIERS < of) {
        moves.extend(tiers().flat_map(|tier| [by, -by].map(|by| Move::Resize { tier, by })));
    }
    moves.extend(
        pairs()
            .filter(|(tier, to)| tier.abs_diff(*to) == 1)
            .map(|(tier, to)| Move::Remove { tier, to }),
    );
    for slots in [16, 4, 2, 1] {
        moves.extend(pairs().map(|(from, to)| Move::Shift { from, to, slots }));
    }
    // All kinds mixed, by a multiplication that spreads: a climb may end before it has tried every
    // one.
    let mut order: Vec<usize> = (0..moves.len()).collect();
    order.sort_by_key(|&place| (place as u32).wrapping_mul(2_654_435_769));
    order.into_iter().map(|place| moves[place]).collect()
}

impl Move {
    /// The geometry after the move, within the limit; none where the move does not apply.
    fn apply(self, geometry: &Geometry, sizes: &[usize], limit: Limit) -> Option<Geometry> {
        let memory = limit.memory;
        let mut moved = geometry.clone();
        let tiers = &mut moved.tiers;
        let grown = match self {
            Move::Grow { to } => to,
            Move::Shift { from, to, slots } => {
                let tier = tiers.get_mut(from)?;
                tier.1 = tier.1.checked_sub(slots)?;
                to
            }
            Move::Resize { tier, by } => {
                let (size, slots) = tiers.get_mut(tier)?;
                let index = sizes.binary_search(size).ok()?;
                let other = *sizes.get(index.checked_add_signed(by)?)?;
                *slots = ((*size + SLOT_WORDS) * *slots / (other + SLOT_WORDS)).min(MAX_SLOTS);
                *size = other;
                tier
            }
            Move::Insert { size } => {
                let place = tiers.partition_point(|tier| tier.0 < size);
                if let Some(larger) = tiers.get_mut(place) {
                    larger.1 -= larger.1.div_ceil(4);
                }
                tiers.insert(place, (size, 1));
                place
            }
            Move::Remove { tier, to } => {
                tiers.get(tier.max(to))?;
                tiers.remove(tier);
                if to > tier { to - 1 } else { to }
            }
            Move::Spill { tiers } => {
                moved.spill = tiers;
                0
            }
        };
        let (size, slots) = *moved.tiers.get(grown)?;
        // About as many slots as the memory left over pays; gaps between tiers make it a slot or
        // two more or less.
        let left = memory.saturating_sub(moved.memory());
        let most = (slots + left / (size + SLOT_WORDS) + REGION_ALIGN / size).min(MAX_SLOTS);
        moved.tiers[grown].1 = most;
        while moved.memory() > memory {
            moved.tiers[grown].1 = moved.tiers[grown].1.checked_sub(1)?;
        }
        let possible = moved.tiers.len() <= limit.most_tiers
            && moved.tiers.iter().all(|tier| (1..=MAX_SLOTS).contains(&tier.1))
            && moved.tiers.is_sorted_by_key(|tier| tier.0)
            && moved.spill >= moved.least_spill();
        (possible && moved != *geometry).then_some(moved)
    }
}

/// The hits of a geometry whose classes are apart: nothing spills but between tiers of one size.
pub(crate) fn hits_apart(demand: &dyn Demand, geometry: &Geometry) -> u64 {
    let mut from = 0;
    let mut hits = 0;
    for run in geometry.tiers.chunk_by(|a, b| a.0 == b.0) {
        let upto = demand.sizes().partition_point(|&size| size <= run[0].0);
        if from < upto {
            hits += demand.class_hits(from..upto, run.iter().map(|tier| tier.1).sum());
        }
        from = upto;
    }
    hits
}

/// Takes slots from where they serve least for their memory, until `memory` bytes are enough.
pub(crate) fn shrink(demand: &dyn Demand, mut geometry: Geometry, memory: usize) -> Geometry {
    while geometry.memory() > memory && !geometry.tiers.is_empty() {
        let (bytes, hits) = (geometry.memory(), hits_apart(demand, &geometry));
        let less = (0..geometry.tiers.len()).map(|tier| {
            let (size, slots) = geometry.tiers[tier];
            // A quarter of the way at once, so that a long way takes few steps.
            let taken = ((bytes - memory) / (size + SLOT_WORDS) / 4).clamp(1, slots);
            let mut less = geometry.clone();
            less.tiers[tier].1 -= taken;
            less.tiers.retain(|tier| tier.1 > 0);
            let lost = hits.saturating_sub(hits_apart(demand, &less));
            (lost as f64 / (taken * (size + SLOT_WORDS)) as f64, less)
        });
        geometry = less
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map_or_else(Geometry::default, |(_, less)| less);
    }
    geometry
}

/// The end of the climb from `start`, within the limit, and its hits with its classes apart. New
/// tiers are of one of `sizes`.
pub(crate) fn climb_apart(
    demand: &dyn Demand,
    sizes: &[usize],
    start: Geometry,
    limit: Limit,
) -> (Geometry, u64) {
    // Any number of tiers may repeat a size on the way.
    let start = start.with_spill(MAX_TIERS);
    let limit = Limit { tries: MOST_TRIES, enough: u64::MAX, ..limit };
    let (mut end, hits) =
        climb_by(demand, sizes, start, limit, &|geometry| hits_apart(demand, geometry));
    end.spill = end.least_spill();
    (end, hits)
}

/// How far a climb goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// The most bytes of a geometry.
    pub(crate) memory: usize,
    /// The most tiers of a geometry.
    pub(crate) most_tiers: usize,
    /// At most so many geometries are tried.
    pub(crate) tries: usize,
    /// So many hits are as good as more.
    pub(crate) enough: u64,
}

/// The same by the hits of whole geometries.
pub(crate) fn climb(
    demand: &dyn Demand,
    sizes: &[usize],
    start: Geometry,
    limit: Limit,
) -> (Geometry, u64) {
    climb_by(demand, sizes, start, limit, &|geometry| demand.hits(geometry))
}

fn climb_by(
    demand: &dyn Demand,
    sizes: &[usize],
    start: Geometry,
    limit: Limit,
    worth: &dyn Fn(&Geometry) -> u64,
) -> (Geometry, u64) {
    let moves = moves(sizes, demand.sizes().len());
    let rank = |geometry: &Geometry| (worth(geometry), Reverse(geometry.memory()));
    let mut best_rank = rank(&start);
    let mut best = start;
    let (mut tries, mut since_better, mut place) = (0, 0, 0);
    while tries < limit.tries && since_better < moves.len() && best_rank.0 < limit.enough {
        since_better += 1;
        if let Some(moved) = moves[place].apply(&best, demand.sizes(), limit) {
            tries += 1;
            let moved_rank = rank(&moved);
            if moved_rank > best_rank {
                (best, best_rank) = (moved, moved_rank);
                since_better = 0;
                // Once more the same: a good direction often goes on.
                continue;
            }
        }
        place = (place + 1) % moves.len();
    }
    (best, best_rank.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(memory: usize) -> Limit {
        Limit { memory, most_tiers: MAX_TIERS, tries: 1, enough: u64::MAX }
    }

    fn after(tiers: &[(usize, usize)], step: Move, memory: usize) -> Option<Vec<(usize, usize)>> {
        let geometry = Geometry { tiers: tiers.into(), spill: 0 };
        step.apply(&geometry, &[16, 32, 64], limit(memory)).map(|geometry| geometry.tiers)
    }

    #[test]
    fn each_move_keeps_the_memory() {
        let two: &[_] = &[(16, 16), (64, 4)];
        let memory = 16 * 20 + 4 * 68 + 32;
        assert_eq!(Geometry { tiers: two.into(), spill: 0 }.memory(), memory);
        assert_eq!(after(two, Move::Grow { to: 1 }, memory), None);
        assert_eq!(after(two, Move::Grow { to: 1 }, memory + 68), Some(vec![(16, 16), (64, 5)]));
        assert_eq!(
            after(two, Move::Shift { from: 1, to: 0, slots: 1 }, memory),
            Some(vec![(16, 17), (64, 3)]),
            "the tiers lie apart"
        );
        assert_eq!(after(two, Move::Shift { from: 1, to: 0, slots: 4 }, memory), None);
        assert_eq!(
            after(two, Move::Resize { tier: 1, by: -1 }, memory),
            Some(vec![(16, 16), (32, 6)])
        );
        assert_eq!(
            after(two, Move::Insert { size: 32 }, memory + 16),
            Some(vec![(16, 16), (32, 1), (64, 3)])
        );
        assert_eq!(after(two, Move::Insert { size: 128 }, memory), None);
        assert_eq!(after(two, Move::Remove { tier: 1, to: 0 }, memory), Some(vec![(16, 28)]));
        assert_eq!(after(two, Move::Shift { from: 2, to: 0, slots: 1 }, memory), None);
    }

    #[test]
    fn repeated_sizes_need_their_spill() {
        let pair = Geometry { tiers: vec![(16, 8), (16, 8)], spill: 1 };
        assert!(Move::Spill { tiers: 0 }.apply(&pair, &[16], limit(10_000)).is_none());
        assert!(Move::Spill { tiers: 2 }.apply(&pair, &[16], limit(10_000)).is_some());
    }
}
