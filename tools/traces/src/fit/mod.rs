//! The tiers that serve given requests best.
//!
//! What counts is not how often a size is asked for but how many buffers of it *live at once*: a
//! 32-byte hash that is held for hours takes a slot as a packet does. So the requests are replayed,
//! and memory goes to where a slot serves most:
//!
//! ```text
//!   Trace, or a pool's histogram ──► Demand ──► curves of classes of sizes
//!                                                 │ a price a byte
//!                                                 ▼
//!                          best tiers without spill, for some sizes of memory            price.rs
//!                                                 │ small moves
//!                                                 ▼
//!                          tiers and spill for any size of memory                        climb.rs
//! ```
//!
//! ```
//! use tierpool_traces::{Trace, fit::{Fitter, TraceDemand}};
//!
//! let demand = TraceDemand::new(&Trace::reticulum_loopback(), 4)?;
//! let fit = Fitter::new(&demand, &mut |_, _| ()).for_memory(4096)?;
//! assert!(fit.geometry.memory() <= 4096);
//! println!("pool! {{ static POOL = {}; }} hits {:.1} %", fit.geometry, fit.percent());
//! # Ok::<(), tierpool_traces::fit::Unfit>(())
//! ```

mod climb;
mod demand;
mod geometry;
mod histogram;
mod lanes;
mod price;

pub use demand::{Demand, TraceDemand};
pub use geometry::{
    Geometry, GeometryError, MAX_SIZE, MAX_SLOTS, MAX_TIERS, SLOT_WORDS, TIER_WORDS,
};
pub use histogram::{
    FIRST_LINE, HistogramDemand, HistogramError, Recorded as Histogram, Tier as HistogramTier,
    parse as read_histogram,
};

use climb::{Limit, MOST_TRIES};
use price::Classes;
use std::cmp::Reverse;
use std::{fmt, thread};

/// Requests that a byte costs where memory is all but free: enough to prefer the smaller of two
/// that serve all.
const LEAST_PRICE: f64 = 1e-9;

/// A climb tries so many geometries, whatever it takes.
const LEAST_TRIES: usize = 100;

/// Why nothing can be fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unfit {
    /// There is no request of at most 65 536 bytes.
    NoRequests,
    /// Slot sizes cannot be multiples of this.
    Multiple,
    /// Not one slot fits into the memory.
    Memory {
        /// What the smallest pool takes, in bytes.
        least: usize,
    },
    /// Requests larger than any slot, or of more sizes and blocks than tiers can take, keep the hit
    /// rate below.
    HitRate {
        /// The most that can be had, in percent.
        most: f64,
    },
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::NoRequests => write!(
                f,
                "no request that a pool could serve: record one of at most {MAX_SIZE} bytes"
            ),
            Unfit::Multiple => {
                write!(f, "slot sizes can be multiples of a power of two, 1 to 4096")
            }
            Unfit::Memory { least } => write!(
                f,
                "too little memory: the smallest pool for these requests takes {least} bytes"
            ),
            Unfit::HitRate { most } => {
                write!(f, "no pool serves so much of it: ask for at most {most:.2} %")
            }
        }
    }
}

impl std::error::Error for Unfit {}

/// A geometry and what it does with the requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The tiers.
    pub geometry: Geometry,
    /// Requests that they serve.
    pub hits: u64,
    /// All requests.
    pub requests: u64,
}

impl Fit {
    /// The hit rate.
    pub fn percent(&self) -> f64 {
        100.0 * self.hits as f64 / self.requests as f64
    }
}

/// Finds tiers for one demand.
#[derive(Debug)]
pub struct Fitter<'a> {
    demand: &'a dyn Demand,
    classes: Classes,
    most_tiers: usize,
}

impl fmt::Debug for dyn Demand + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demand")
            .field("sizes", &self.sizes().len())
            .field("requests", &self.requests())
            .finish()
    }
}

impl<'a> Fitter<'a> {
    /// Replays the requests for the classes of sizes. That takes a fraction of a second; `progress`
    /// hears how many steps are done, and of how many.
    pub fn new(demand: &'a dyn Demand, progress: &mut dyn FnMut(usize, usize)) -> Self {
        Fitter { demand, classes: Classes::of(demand, progress), most_tiers: MAX_TIERS }
    }

    /// From now on, geometries have at most so many tiers: 1 to 16.
    pub fn most_tiers(self, tiers: usize) -> Self {
        Fitter { most_tiers: tiers.clamp(1, MAX_TIERS), ..self }
    }

    /// The tiers that serve most within `bytes`.
    ///
    /// # Errors
    /// Not even one slot fits.
    pub fn for_memory(&self, bytes: usize) -> Result<Fit, Unfit> {
        let one_slot = |&size: &usize| Geometry { tiers: vec![(size, 1)], spill: 0 };
        let limit = self.limit(bytes);
        let smallest = || {
            self.classes
                .sizes()
                .iter()
                .map(one_slot)
                .filter(|geometry| geometry.memory() <= bytes)
                .collect()
        };
        let (below, above) = self.around(|geometry| geometry.memory() <= bytes);
        let best =
            self.climbed(vec![below, above], limit).or_else(|| self.climbed(smallest(), limit));
        best.ok_or(Unfit::Memory { least: one_slot(&self.demand.sizes()[0]).memory() })
    }

    /// As many tries as take a fraction of a second, but some in any case.
    fn limit(&self, memory: usize) -> Limit {
        Limit {
            memory,
            most_tiers: self.most_tiers,
            tries: self.demand.affordable_hits().clamp(LEAST_TRIES, MOST_TRIES),
            enough: u64::MAX,
        }
    }

    /// The best that is reached from one of these, if there is one.
    fn climbed(&self, starts: Vec<Geometry>, limit: Limit) -> Option<Fit> {
        let climbs = |start: Geometry| {
            let shrunk = climb::shrink(self.demand, start.clone(), limit.memory);
            let apart = self.apart(shrunk.clone(), limit);
            // What is best with classes apart is not always best to start from, nor is what has
            // never had more memory: where time allows, all of these.
            let more = if limit.tries < MOST_TRIES {
                vec![]
            } else {
                vec![shrunk, self.with_a_detour(start, limit)]
            };
            [vec![apart], more].concat()
        };
        let starts: Vec<Geometry> =
            starts.into_iter().flat_map(climbs).filter(|start| !start.tiers.is_empty()).collect();
        let climb = |start: Geometry| climb::climb(self.demand, self.classes.sizes(), start, limit);
        let climbed = thread::scope(|scope| {
            let threads: Vec<_> =
                starts.into_iter().map(|start| scope.spawn(|| climb(start))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("a climb does not panic"))
                .collect::<Vec<_>>()
        });
        let best =
            climbed.into_iter().max_by_key(|(geometry, hits)| (*hits, Reverse(geometry.memory())));
        best.map(|(geometry, hits)| self.fit(geometry, hits))
    }

    fn apart(&self, start: Geometry, limit: Limit) -> Geometry {
        climb::climb_apart(self.demand, self.classes.sizes(), start, limit).0
    }

    /// The end of a climb with an eighth more memory, shrunk.
    fn with_a_detour(&self, start: Geometry, limit: Limit) -> Geometry {
        let more = Limit { memory: limit.memory / 8 * 9, ..limit };
        let start = self.apart(climb::shrink(self.demand, start, more.memory), more);
        let (end, _) = climb::climb(self.demand, self.classes.sizes(), start, more);
        climb::shrink(self.demand, end, limit.memory)
    }

    /// What `fit` becomes with more memory: never worse.
    pub fn enlarged(&self, fit: &Fit, bytes: usize) -> Fit {
        let limit = self.limit(bytes.max(fit.geometry.memory()));
        let (geometry, hits) =
            climb::climb(self.demand, self.classes.sizes(), fit.geometry.clone(), limit);
        self.fit(geometry, hits)
    }

    /// The smallest pool found, to one percent of its memory or one byte, that serves at least
    /// `percent` of the requests; `progress` hears each memory tried.
    ///
    /// # Errors
    /// None serves so many.
    pub fn for_hit_rate(
        &self,
        percent: f64,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Fit, Unfit> {
        let all = self.for_all();
        if all.percent() < percent {
            return Err(Unfit::HitRate { most: all.percent() });
        }
        let about = (percent / 100.0 * all.requests as f64) as u64;
        let enough = (about.saturating_sub(1)..all.hits)
            .find(|&hits| self.fit(Geometry::default(), hits).percent() >= percent);
        let enough = enough.unwrap_or(all.hits);
        let (below, above) = self.around(|geometry| self.demand.hits(geometry) < enough);
        let mut best = self.fit(above.clone(), self.demand.hits(&above));
        let mut too_little = (below.memory() / 4 * 3).min(best.geometry.memory());
        // A climb may find less than what another climb found too little: then this is the end.
        while best.geometry.memory().saturating_sub(too_little)
            > (best.geometry.memory() / 100).max(1)
        {
            let memory = (too_little + best.geometry.memory()) / 2;
            progress(memory);
            // A few of these climbs take as long as one for a memory.
            let limit = self.limit(memory);
            let limit = Limit { tries: (limit.tries / 8).max(LEAST_TRIES), enough, ..limit };
            let starts =
                vec![best.geometry.clone(), self.around(|geometry| geometry.memory() <= memory).1];
            match self.climbed(starts, limit) {
                Some(fit) if fit.hits >= enough => best = fit,
                _ => too_little = memory,
            }
        }
        Ok(best)
    }

    /// The tiers that serve all that tiers can: more memory than these take is of no use.
    pub fn for_all(&self) -> Fit {
        let geometry = self.classes.best(LEAST_PRICE, self.most_tiers);
        let hits = self.demand.hits(&geometry);
        self.fit(geometry, hits)
    }

    /// Of the geometries that are best for some price, the last that is `small` on the way from
    /// nothing to all, and the next; the largest of all, twice, if that is small.
    fn around(&self, small: impl Fn(&Geometry) -> bool) -> (Geometry, Geometry) {
        let (mut high, mut low) = (self.demand.requests() as f64, LEAST_PRICE);
        let all = self.classes.best(low, self.most_tiers);
        if small(&all) {
            return (all.clone(), all);
        }
        let (mut below, mut above) = (Geometry::default(), all);
        // Halves the ratio: a price to six digits.
        while high / low > 1.000_001 {
            let price = (high * low).sqrt();
            let geometry = self.classes.best(price, self.most_tiers);
            if geometry == below || geometry != above && small(&geometry) {
                (below, high) = (geometry, price);
            } else {
                (above, low) = (geometry, price);
            }
        }
        (below, above)
    }

    fn fit(&self, geometry: Geometry, hits: u64) -> Fit {
        Fit { geometry, hits, requests: self.demand.requests() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Trace;

    fn fitted(trace: &Trace, bytes: usize) -> Fit {
        let demand = TraceDemand::new(trace, 4).unwrap();
        Fitter::new(&demand, &mut |_, _| ()).for_memory(bytes).unwrap()
    }

    /// Random traffic in four sizes; some of it stays for long.
    fn random(mut seed: u64) -> Trace {
        let mut random = |below: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let (mut trace, mut live) = (Trace::default(), Vec::new());
        for _ in 0..120 {
            if live.len() < 8 && random(2) == 0 {
                live.push(trace.alloc([4, 8, 16, 40][random(4) as usize]));
            } else if !live.is_empty() {
                let first = random(live.len() as u64) * random(2);
                assert!(trace.free(live.swap_remove(first as usize)));
            }
        }
        trace
    }

    /// Every geometry of these sizes with up to four slots a tier, and every spill.
    fn all_geometries(sizes: &[usize]) -> Vec<Geometry> {
        let tiers = |&size: &usize| (0..=4).map(move |slots| (size, slots));
        let mut all = vec![vec![]];
        for size in sizes {
            all = all
                .iter()
                .flat_map(|begin: &Vec<_>| tiers(size).map(|tier| [&begin[..], &[tier]].concat()))
                .collect();
        }
        let used = |tiers: Vec<(usize, usize)>| {
            tiers.into_iter().filter(|tier| tier.1 > 0).collect::<Vec<_>>()
        };
        let all = all.into_iter().map(used).filter(|tiers| !tiers.is_empty());
        all.flat_map(|tiers| (0..3).map(move |spill| Geometry { tiers: tiers.clone(), spill }))
            .collect()
    }

    /// What the price stands for: no geometry without spill is worth more.
    #[test]
    fn for_a_price_there_is_nothing_better() {
        for seed in 0..10 {
            let demand = TraceDemand::new(&random(seed), 4).unwrap();
            let classes = Classes::of(&demand, &mut |_, _| ());
            for price in [0.01, 0.05, 0.1, 0.2, 0.5, 1.0] {
                let worth = |geometry: &Geometry| {
                    let slots = geometry
                        .tiers
                        .iter()
                        .map(|(size, slots)| slots * (size + SLOT_WORDS))
                        .sum::<usize>();
                    demand.hits(geometry) as f64
                        - (slots + geometry.tiers.len() * TIER_WORDS) as f64 * price
                };
                let found = worth(&classes.best(price, MAX_TIERS));
                for other in all_geometries(demand.sizes()).iter().filter(|other| other.spill == 0)
                {
                    assert!(worth(other) <= found + 1e-6, "seed {seed}, price {price}: {other}");
                }
            }
        }
    }

    /// For a memory, the climb gets as far as trying everything does, within two percent of it all
    /// in all.
    #[test]
    fn for_a_memory_there_is_hardly_anything_better() {
        let (mut found, mut possible) = (0, 0);
        for seed in 0..10 {
            let trace = random(seed);
            let demand = TraceDemand::new(&trace, 4).unwrap();
            let fitter = Fitter::new(&demand, &mut |_, _| ());
            let all: Vec<_> = all_geometries(demand.sizes())
                .into_iter()
                .map(|it| (it.memory(), demand.hits(&it)))
                .collect();
            for memory in [100, 200, 300, 400] {
                let fit = fitter.for_memory(memory).unwrap();
                assert!(fit.geometry.memory() <= memory);
                found += fit.hits;
                possible += all.iter().filter(|it| it.0 <= memory).map(|it| it.1).max().unwrap();
            }
        }
        assert!(found * 50 >= possible * 49, "{found} of {possible}");
    }

    /// A hash that is held and a packet that comes and goes: one slot each serves everything.
    /// A climb may end below a memory that an earlier one found too little.
    #[test]
    fn a_hit_rate_is_reached_on_a_short_trace() {
        let demand = TraceDemand::new(&Trace::reticulum_loopback(), 4).unwrap();
        let fitter = Fitter::new(&demand, &mut |_, _| ());
        let fit = fitter.for_hit_rate(95.0, &mut |_| ()).unwrap();
        assert!(
            fit.percent() >= 95.0 && fit.geometry.memory() < fitter.for_all().geometry.memory()
        );
    }

    #[test]
    fn what_lives_long_gets_slots_of_its_own() {
        let mut trace = Trace::default();
        trace.alloc(16);
        for _ in 0..100 {
            let packet = trace.alloc(500);
            assert!(trace.free(packet));
        }
        let demand = TraceDemand::new(&trace, 4).unwrap();
        let fitter = Fitter::new(&demand, &mut |_, _| ());
        let all = fitter.for_all();
        assert_eq!(all.geometry.to_string().as_str(), "[16 x 1, 500 x 1]");
        assert_eq!(all.hits, 101);
        // Too little memory for both: the packets are worth more, and a spill would let the hash
        // pin their slot.
        let fit = fitter.for_memory(all.geometry.memory() - 1).unwrap();
        assert_eq!(fit.geometry.to_string().as_str(), "[16 x 1]");
        assert_eq!(fit.hits, 1);
    }

    #[test]
    fn more_slots_than_a_tier_has_become_two_tiers() {
        let mut trace = Trace::default();
        for _ in 0..1500 {
            trace.alloc(8);
        }
        let fit = fitted(&trace, 20_000);
        assert_eq!(fit.geometry.to_string().as_str(), "[8 x 750, 8 x 750], spill = 1");
        assert_eq!(fit.hits, 1500);
    }

    /// With fewer tiers allowed there are no more, and they serve no more.
    #[test]
    fn there_are_only_so_many_tiers() {
        let demand = TraceDemand::new(&Trace::reticulum_loopback(), 4).unwrap();
        let of = |tiers| {
            let fitter = Fitter::new(&demand, &mut |_, _| ()).most_tiers(tiers);
            let fits = [fitter.for_memory(4096).unwrap(), fitter.for_all()];
            assert!(fits.iter().all(|fit| fit.geometry.tiers.len() <= tiers), "{tiers}: {fits:?}");
            fits.map(|fit| fit.hits)
        };
        let [one, three, all] = [1, 3, 16].map(of);
        assert!(one[0] < three[0] && three[0] <= all[0], "{one:?}, {three:?}, {all:?}");
    }

    /// Without a spill nothing reaches the second of two tiers of one size.
    #[test]
    fn a_repeated_size_without_spill_is_of_no_use() {
        let mut trace = Trace::default();
        for _ in 0..5 {
            trace.alloc(8);
        }
        let demand = TraceDemand::new(&trace, 4).unwrap();
        let hits = |spill| demand.hits(&Geometry { tiers: vec![(8, 2), (8, 2)], spill });
        assert_eq!([hits(0), hits(1)], [2, 4]);
    }

    #[test]
    fn the_smallest_pool_for_a_hit_rate() {
        let mut trace = Trace::default();
        for _ in 0..100 {
            trace.alloc(60);
        }
        let demand = TraceDemand::new(&trace, 4).unwrap();
        let fitter = Fitter::new(&demand, &mut |_, _| ());
        let half = fitter.for_hit_rate(50.0, &mut |_| ()).unwrap();
        assert_eq!(half.geometry.to_string(), "[60 x 50]");
        // One percent of which is less than a byte.
        let one = fitter.for_hit_rate(1.0, &mut |_| ()).unwrap();
        assert_eq!(one.geometry.to_string().as_str(), "[60 x 1]");
        assert_eq!(one.geometry.memory(), 84);
        trace.alloc(100_000);
        let demand = TraceDemand::new(&trace, 4).unwrap();
        let fitter = Fitter::new(&demand, &mut |_, _| ());
        let error = fitter.for_hit_rate(100.0, &mut |_| ()).unwrap_err();
        assert_eq!(error.to_string(), "no pool serves so much of it: ask for at most 99.01 %");
        let error = fitter.for_memory(10).unwrap_err();
        assert_eq!(
            error.to_string(),
            "too little memory: the smallest pool for these requests takes 84 bytes"
        );
    }
}
