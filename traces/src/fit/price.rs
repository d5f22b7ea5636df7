//! The best tiers for a price of memory.
//!
//! Let a byte cost `p` requests: what is a geometry worth, its hits less the price of its bytes? Without spill each class
//! of sizes stands for itself, so the best geometry is found exactly, by dynamic programming over where classes end:
//!
//! ```text
//!   sizes   4   8   16 │ 24   32 │ 64 … 256 │ 512    …larger ones are left to the heap
//!                 tier 0    tier 1     tier 2
//!   best(sizes up to j, t tiers) = max over i < j:  best(up to i, t − g) + worth(class i..j, g tiers)
//! ```
//!
//! A class takes `g` > 1 tiers of equal size where it wants more slots than one may have. No other geometry of as much
//! memory has more hits (without spill): otherwise it would be worth more at this price. From a high price to none,
//! the best geometries run along the upper edge of all that is possible.

use super::demand::Demand;
use super::geometry::{Geometry, MAX_SLOTS, MAX_TIERS, SLOT_WORDS, TIER_WORDS};

/// For every class of sizes, the hits of a tier of so many slots.
#[derive(Debug)]
pub(crate) struct Classes<'a> {
    sizes: &'a [usize],
    /// The class of the sizes `i..=j` is at `j * (j + 1) / 2 + i`.
    curves: Vec<Curve>,
}

/// Hits by the number of slots, from 0 up.
#[derive(Debug)]
struct Curve {
    hits: Vec<u64>,
    /// The numbers of slots on the upper convex hull: for any price one of these is the best.
    hull: Vec<usize>,
    /// Between two neighbours on the hull, the requests that a slot more serves; falling.
    gains: Vec<f64>,
}

impl Curve {
    fn new(served: &[u64]) -> Self {
        let running = served.iter().scan(0, |sum, served| {
            *sum += served;
            Some(*sum)
        });
        let hits: Vec<u64> = std::iter::once(0).chain(running).collect();
        // Left of `b` lies under the line from `a` to `c`: then `b` is never the best.
        let useless = |a: usize, b: usize, c: usize| (hits[b] - hits[a]) * (c - b) as u64 <= (hits[c] - hits[b]) * (b - a) as u64;
        let mut hull: Vec<usize> = Vec::new();
        for slots in 0..hits.len() {
            while let [.., a, b] = hull[..] {
                if !useless(a, b, slots) {
                    break;
                }
                hull.pop();
            }
            hull.push(slots);
        }
        let gain = |pair: &[usize]| (hits[pair[1]] - hits[pair[0]]) as f64 / (pair[1] - pair[0]) as f64;
        let gains = hull.windows(2).map(gain).collect();
        Curve { hits, hull, gains }
    }

    /// The best number of slots, at least 1, where each costs `price` requests.
    fn best(&self, price: f64) -> usize {
        self.hull[self.gains.partition_point(|&gain| gain > price)].max(1)
    }
}

/// How the best choice for some sizes and tiers ends: a class that begins at size `from`, with so many slots.
#[derive(Clone, Copy)]
struct Choice {
    worth: f64,
    from: usize,
    slots: usize,
    tiers: usize,
}

impl<'a> Classes<'a> {
    /// Computes all curves, and tells how far it is.
    pub(crate) fn of(demand: &'a dyn Demand, progress: &mut dyn FnMut(usize, usize)) -> Self {
        let sizes = demand.sizes();
        let mut curves = Vec::with_capacity(sizes.len() * (sizes.len() + 1) / 2);
        for last in 0..sizes.len() {
            progress(last, sizes.len());
            curves.extend((0..=last).map(|first| Curve::new(&demand.served_by_slot(first..last + 1))));
        }
        Classes { sizes, curves }
    }

    fn curve(&self, first: usize, last: usize) -> &Curve {
        &self.curves[last * (last + 1) / 2 + first]
    }

    /// The best geometry where a byte costs `price` requests, and its hits without spill between classes. Empty where
    /// no tier is worth its memory.
    pub(crate) fn best(&self, price: f64) -> Geometry {
        let none = Choice { worth: f64::NEG_INFINITY, from: 0, slots: 0, tiers: 0 };
        // Row `j`: sizes below index `j` are covered; column `t`: by at most `t` tiers.
        let mut best = vec![[none; MAX_TIERS + 1]; self.sizes.len() + 1];
        best[0] = [Choice { worth: 0.0, ..none }; MAX_TIERS + 1];
        for end in 1..=self.sizes.len() {
            let slot = (self.sizes[end - 1] + SLOT_WORDS) as f64 * price;
            for from in 0..end {
                let curve = self.curve(from, end - 1);
                let wanted = curve.best(slot);
                for tiers in 1..=wanted.div_ceil(MAX_SLOTS).min(MAX_TIERS) {
                    let slots = wanted.min(tiers * MAX_SLOTS);
                    let worth = curve.hits[slots] as f64 - slots as f64 * slot - tiers as f64 * TIER_WORDS as f64 * price;
                    for used in tiers..=MAX_TIERS {
                        let worth = best[from][used - tiers].worth + worth;
                        if worth > best[end][used].worth {
                            best[end][used] = Choice { worth, from, slots, tiers };
                        }
                    }
                }
            }
        }
        let worth = |end: &usize| best[*end][MAX_TIERS].worth;
        let end = (0..best.len()).max_by(|a, b| worth(a).total_cmp(&worth(b)).then(b.cmp(a))).unwrap_or(0);
        self.traced_back(&best, end)
    }

    fn traced_back(&self, best: &[[Choice; MAX_TIERS + 1]], mut end: usize) -> Geometry {
        let mut geometry = Geometry::default();
        let mut used = MAX_TIERS;
        while end > 0 {
            let choice = best[end][used];
            // Split evenly, the remainder to the first.
            for tier in 0..choice.tiers {
                let slots = choice.slots / choice.tiers + usize::from(tier < choice.slots % choice.tiers);
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
        assert_eq!(curve.hits, [0, 1, 10, 13, 16, 17]);
        assert_eq!(curve.hull, [0, 2, 4, 5]);
        assert_eq!([20.0, 4.9, 3.1, 2.9, 0.5].map(|price| curve.best(price)), [1, 2, 2, 4, 5]);
    }
}
