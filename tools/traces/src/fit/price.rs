//! The best tiers for a price of memory.
//!
//! Let a byte cost `p` requests: what is a geometry worth, its hits less the price of its bytes?
//! Without spill each class of sizes stands for itself, so the best geometry is found exactly, by
//! dynamic programming over where classes end:
//!
//! ```text
//!   sizes   4   8   16 │ 24   32 │ 64 … 256 │ 512    …larger ones are left to the heap
//!                 tier 0    tier 1     tier 2
//!   best(sizes up to j, t tiers) = max over i < j:  best(up to i, t − g) + worth(class i..j, g tiers)
//! ```
//!
//! A class takes `g` > 1 tiers of equal size where it wants more slots than one may have. No other
//! geometry of as much memory has more hits (without spill): otherwise it would be worth more at
//! this price. From a high price to none, the best geometries run along the upper edge of all that
//! is possible.
//!
//! Of many sizes only some may end a class here, since classes are as many as pairs of ends: those
//! that part the requests, and the bytes asked for, about evenly. The climb then moves the ends.

use super::demand::{Demand, running};
use super::geometry::{Geometry, MAX_SLOTS, MAX_TIERS, SLOT_WORDS, TIER_WORDS};
use std::iter::from_fn;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;

/// At most so many sizes may end a class, and at least so many if there are, whatever it takes.
const MOST_ENDS: usize = 96;
const LEAST_ENDS: usize = 24;

/// For every class of sizes, the hits of a tier of so many slots.
#[derive(Debug)]
pub(crate) struct Classes {
    /// The sizes that may end a class, rising.
    sizes: Vec<usize>,
    /// In row `i`: the classes that begin after the end before `i`, the largest first.
    rows: Vec<Vec<Curve>>,
}

/// A number of slots, and its hits.
type Point = (usize, u64);

/// Hits by the number of slots.
#[derive(Clone, Debug, Default)]
struct Curve {
    /// What lies on the upper convex hull, from one slot up: for any price one of these is the
    /// best.
    hull: Vec<Point>,
    /// Between two neighbours on the hull, the requests that a slot more serves; falling.
    gains: Vec<f64>,
    /// The hits of 1, 2, … tiers that have as many slots as a tier may.
    full_tiers: Vec<u64>,
}

impl Curve {
    fn new(served: &[u64]) -> Self {
        let hits = running(served);
        // The middle one lies under the line between the others: then it is never the best.
        let useless = |a: Point, b: Point, c: Point| {
            (b.1 - a.1) * (c.0 - b.0) as u64 <= (c.1 - b.1) * (b.0 - a.0) as u64
        };
        let mut hull: Vec<Point> = Vec::new();
        for point in hits.iter().copied().enumerate().skip(1) {
            while let [.., a, b] = hull[..] {
                if !useless(a, b, point) {
                    break;
                }
                hull.pop();
            }
            hull.push(point);
        }
        let gain = |pair: &[Point]| (pair[1].1 - pair[0].1) as f64 / (pair[1].0 - pair[0].0) as f64;
        let gains = hull.windows(2).map(gain).collect();
        let full_tiers = hits.iter().skip(MAX_SLOTS).step_by(MAX_SLOTS).copied().collect();
        Curve { hull, gains, full_tiers }
    }

    /// The best number of slots, at least 1, where each costs `price` requests; and its hits.
    fn best(&self, price: f64) -> Point {
        self.hull[self.gains.partition_point(|&gain| gain > price)]
    }
}

/// How the best choice for some sizes and tiers ends: a class that begins after the end `from`,
/// with so many slots.
#[derive(Clone, Copy)]
struct Choice {
    worth: f64,
    from: usize,
    slots: usize,
    tiers: usize,
}

/// The indices of at most `most` sizes that may end a class; the largest is one of them.
fn ends(demand: &dyn Demand, most: usize) -> Vec<usize> {
    let sizes = demand.sizes();
    if sizes.len() <= most {
        return (0..sizes.len()).collect();
    }
    let parts = (most / 2) as u128;
    let parted = |weight: &dyn Fn(usize) -> u128| -> Vec<usize> {
        let all: u128 = (0..sizes.len()).map(weight).sum();
        let mut sum = 0;
        let is_end = |&size: &usize| {
            let before = sum * parts / all;
            sum += weight(size);
            sum * parts / all > before
        };
        (0..sizes.len()).filter(is_end).collect()
    };
    let requests = |size: usize| u128::from(demand.asked(size));
    let mut ends = parted(&requests);
    ends.extend(parted(&|size| requests(size) * sizes[size] as u128));
    // The smallest pool of all has one slot of the smallest size.
    ends.push(0);
    ends.sort_unstable();
    ends.dedup();
    ends
}

impl Classes {
    /// Computes all curves, and tells how far it is.
    pub(crate) fn of(demand: &dyn Demand, progress: &mut dyn FnMut(usize, usize)) -> Self {
        // As many ends as make so many pairs.
        let most = ((2 * demand.affordable_classes()).isqrt()).clamp(LEAST_ENDS, MOST_ENDS);
        let ends = ends(demand, most);
        let next = AtomicUsize::new(0);
        let row = || {
            // Relaxed: only says who takes which row; the channel passes the rows on.
            let from = next.fetch_add(1, Relaxed);
            (from < ends.len()).then(|| {
                let first = if from == 0 { 0 } else { ends[from - 1] + 1 };
                let mut curves = Vec::new();
                demand.served_by_slot(
                    first,
                    &mut ends[from..].iter().copied().rev(),
                    &mut |_, served| curves.push(Curve::new(served)),
                );
                (from, curves)
            })
        };
        let mut rows = vec![Vec::new(); ends.len()];
        thread::scope(|scope| {
            let (send, receive) = mpsc::channel();
            for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
                let send = send.clone();
                scope.spawn(move || from_fn(row).try_for_each(|row| send.send(row)));
            }
            drop(send);
            for (done, (from, curves)) in receive.into_iter().enumerate() {
                progress(done + 1, ends.len());
                rows[from] = curves;
            }
        });
        let sizes = ends.iter().map(|&end| demand.sizes()[end]).collect();
        Classes { sizes, rows }
    }

    /// The sizes that may end a class, rising.
    pub(crate) fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// The best geometry of at most `most` tiers where a byte costs `price` requests, without spill
    /// between classes. Empty where no tier is worth its memory.
    pub(crate) fn best(&self, price: f64, most: usize) -> Geometry {
        let none = Choice { worth: f64::NEG_INFINITY, from: 0, slots: 0, tiers: 0 };
        // Row `j`: sizes below index `j` are covered; column `t`: by at most `t` tiers.
        let mut best = vec![[none; MAX_TIERS + 1]; self.sizes.len() + 1];
        best[0] = [Choice { worth: 0.0, ..none }; MAX_TIERS + 1];
        for end in 1..=self.sizes.len() {
            let slot = (self.sizes[end - 1] + SLOT_WORDS) as f64 * price;
            for from in 0..end {
                let curve = &self.rows[from][self.sizes.len() - end];
                let (wanted, all_hits) = curve.best(slot);
                for tiers in 1..=wanted.div_ceil(MAX_SLOTS).min(most) {
                    let slots = wanted.min(tiers * MAX_SLOTS);
                    let hits = if slots == wanted { all_hits } else { curve.full_tiers[tiers - 1] };
                    let worth = hits as f64
                        - slots as f64 * slot
                        - tiers as f64 * TIER_WORDS as f64 * price;
                    for used in tiers..=most {
                        let worth = best[from][used - tiers].worth + worth;
                        if worth > best[end][used].worth {
                            best[end][used] = Choice { worth, from, slots, tiers };
                        }
                    }
                }
            }
        }
        let worth = |end: &usize| best[*end][most].worth;
        let end = (0..best.len())
            .max_by(|a, b| worth(a).total_cmp(&worth(b)).then(b.cmp(a)))
            .unwrap_or(0);
        self.traced_back(&best, end, most)
    }

    fn traced_back(
        &self,
        best: &[[Choice; MAX_TIERS + 1]],
        mut end: usize,
        most: usize,
    ) -> Geometry {
        let mut geometry = Geometry::default();
        let mut used = most;
        while end > 0 {
            let choice = best[end][used];
            // Split evenly, the remainder to the first.
            for tier in 0..choice.tiers {
                let slots =
                    choice.slots / choice.tiers + usize::from(tier < choice.slots % choice.tiers);
                geometry.tiers.push((self.sizes[end - 1], slots));
            }
            end = choice.from;
            used -= choice.tiers;
        }
        geometry.tiers.reverse();
        geometry.spill = geometry.least_spill();
        geometry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hull_leaves_out_what_is_never_best() {
        let curve = Curve::new(&[1, 9, 3, 3, 1]);
        assert_eq!(curve.hull, [(1, 1), (2, 10), (4, 16), (5, 17)]);
        assert_eq!([20.0, 4.9, 3.1, 2.9, 0.5].map(|price| curve.best(price).0), [1, 2, 2, 4, 5]);
    }
}
