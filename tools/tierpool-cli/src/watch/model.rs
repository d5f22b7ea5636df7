//! The pools of a log, as they were and as they are.
//!
//! A pool is known by its name, or, without one, by its tiers: pools without names have different
//! ones in most programs.

use super::parse::Report;
use super::snapshot::{Clock, Counts, Holder, Snapshot, Sums};
use tierpool_traces::fit::Histogram;

/// Points of a pool's past; beyond, every other one is left out.
const MOST_POINTS: usize = 8192;

/// What was read of all pools so far.
#[derive(Debug, Default)]
pub struct Model {
    pub pools: Vec<Pool>,
    /// Texts that had lost a part.
    pub damaged: u64,
    /// Snapshots taken.
    pub snapshots: u64,
    /// The pool whose table came last.
    last_table: Option<usize>,
}

/// A pool.
#[derive(Debug)]
pub struct Pool {
    pub name: String,
    named: bool,
    /// The newest snapshot.
    pub now: Snapshot,
    /// For each tier, the most slots that were in use: by the last table, or in a line since.
    pub peaks: Vec<u64>,
    /// What only tables tell, by the last one: for each tier, and in all.
    pub counts: Vec<Option<Counts>>,
    pub sums: Option<Sums>,
    /// Since the snapshot before; none if no time has passed, or the device has started again.
    pub rate: Option<Rate>,
    /// By the last table with holders, the oldest first.
    pub holders: Vec<Holder>,
    pub histogram: Option<Histogram>,
    pub past: Vec<Point>,
    /// Starts of the device.
    pub restarts: u64,
}

/// Events a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    pub requests: f64,
    pub misses: f64,
}

/// A moment of a pool's past.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub seconds: f64,
    pub rate: Option<Rate>,
    /// Slots in use, by tier.
    pub in_use: Vec<u64>,
}

impl Model {
    /// Takes what was read; the number of the pool whose snapshot it was.
    pub fn take(&mut self, report: Report) -> Option<usize> {
        match report {
            Report::Snapshot(snapshot) => {
                let pool = self.pool_of(&snapshot);
                self.last_table = pool.filter(|_| snapshot.sums.is_some());
                let Some(pool) = pool else {
                    self.damaged += 1;
                    return None;
                };
                self.snapshots += 1;
                self.pools[pool].take(snapshot);
                return Some(pool);
            }
            Report::Holders => {
                if let Some(pool) = self.last_table() {
                    pool.holders.clear();
                }
            }
            Report::Holder(holder) => {
                if let Some(pool) = self.last_table() {
                    pool.holders.push(holder);
                }
            }
            Report::Histogram(histogram) => {
                let shape = |tier: &tierpool_traces::fit::HistogramTier| (tier.size, tier.slots);
                let shape: Vec<_> = histogram.tiers.iter().map(shape).collect();
                // Of two with these tiers it may be either.
                let mut same = self.pools.iter_mut().filter(|pool| pool.now.shape() == shape);
                if let (Some(pool), None) = (same.next(), same.next()) {
                    pool.histogram = Some(histogram);
                }
            }
            Report::Damaged => self.damaged += 1,
        }
        None
    }

    fn last_table(&mut self) -> Option<&mut Pool> {
        self.last_table.and_then(|pool| self.pools.get_mut(pool))
    }

    /// The pool that a snapshot is of, which may be a new one; none if the snapshot lacks its end.
    fn pool_of(&mut self, snapshot: &Snapshot) -> Option<usize> {
        let shape = snapshot.shape();
        let same_name = |pool: &Pool| match &snapshot.name {
            Some(name) => pool.named && pool.name == *name,
            None => !pool.named,
        };
        let like = |pool: &Pool| same_name(pool) && pool.now.shape() == shape;
        if let Some(pool) = self.pools.iter().position(like) {
            return Some(pool);
        }
        if self.pools.iter().any(|pool| same_name(pool) && is_cut(&shape, &pool.now.shape())) {
            return None;
        }
        // The first one of this pool had lost its end, or the device has other pools now.
        let changed =
            |pool: &Pool| same_name(pool) && (pool.named || is_cut(&pool.now.shape(), &shape));
        let place = self.pools.iter().position(changed);
        let pool = Pool::new(snapshot);
        Some(match place {
            Some(place) => {
                self.pools[place] = pool;
                place
            }
            None => {
                self.pools.push(pool);
                self.pools.len() - 1
            }
        })
    }
}

/// True if the tiers are those of the other, but some are lost, or digits of the last one.
fn is_cut(cut: &[(u64, u64)], whole: &[(u64, u64)]) -> bool {
    let mut rest = whole.iter();
    if cut.len() < whole.len() && cut.iter().all(|tier| rest.any(|like| like == tier)) {
        return true;
    }
    let Some((last, before)) = cut.split_last() else { return true };
    let Some((like, rest)) = whole.get(before.len()..).and_then(<[_]>::split_first) else {
        return false;
    };
    let digits = last.0 == like.0 && like.1.to_string().starts_with(&last.1.to_string());
    whole.starts_with(before) && digits && (last.1 != like.1 || !rest.is_empty())
}

impl Pool {
    fn new(snapshot: &Snapshot) -> Self {
        let tiers: Vec<String> =
            snapshot.tiers.iter().map(|tier| format!("{} x {}", tier.bytes, tier.slots)).collect();
        Pool {
            name: snapshot.name.clone().unwrap_or_else(|| format!("[{}]", tiers.join(", "))),
            named: snapshot.name.is_some(),
            now: Snapshot { seconds: f64::NAN, ..Snapshot::default() },
            peaks: vec![0; snapshot.tiers.len()],
            counts: vec![None; snapshot.tiers.len()],
            sums: None,
            rate: None,
            holders: Vec::new(),
            histogram: None,
            past: Vec::new(),
            restarts: 0,
        }
    }

    fn take(&mut self, snapshot: Snapshot) {
        let before = std::mem::replace(&mut self.now, snapshot);
        let now = &self.now;
        for (peak, tier) in self.peaks.iter_mut().zip(&now.tiers) {
            // The device's own peak, which a reset may have lowered.
            *peak = tier.counts.map_or(tier.in_use.max(*peak), |counts| counts.peak);
        }
        // Times of two clocks have nothing in common.
        if now.clock != before.clock {
            self.past.clear();
        }
        let timed = now.clock == before.clock && now.clock != Clock::Lines;
        let restarted = now.requests < before.requests || now.misses < before.misses;
        self.restarts += u64::from(restarted);
        let seconds = now.seconds - before.seconds;
        self.rate = (timed && !restarted && seconds > 0.0).then(|| Rate {
            requests: (now.requests - before.requests) as f64 / seconds,
            misses: (now.misses - before.misses) as f64 / seconds,
        });
        if now.sums.is_some() {
            self.sums = now.sums;
            self.counts = now.tiers.iter().map(|tier| tier.counts).collect();
            // A table has no holders behind it when nobody holds anything.
            self.holders.clear();
        }
        self.past.push(Point {
            seconds: now.seconds,
            rate: self.rate,
            in_use: now.tiers.iter().map(|tier| tier.in_use).collect(),
        });
        if self.past.len() > MOST_POINTS {
            self.thin();
        }
    }

    /// Halves the past: of two points the later, with the larger figures of both.
    fn thin(&mut self) {
        let halved = self.past.chunks(2).map(|pair| {
            let mut point = pair[pair.len() - 1].clone();
            for (in_use, other) in point.in_use.iter_mut().zip(&pair[0].in_use) {
                *in_use = (*in_use).max(*other);
            }
            let rates = [pair[0].rate, point.rate];
            point.rate = rates.into_iter().flatten().reduce(|one, other| Rate {
                requests: one.requests.max(other.requests),
                misses: one.misses.max(other.misses),
            });
            point
        });
        self.past = halved.collect();
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::watch::parse::Parser;

    /// The model of a log whose lines come at these seconds.
    pub fn model(lines: &[(f64, &str)]) -> Model {
        let (mut parser, mut model) = (Parser::new(Clock::Arrival), Model::default());
        for (seconds, text) in lines {
            for report in text.lines().flat_map(|line| parser.line(line, *seconds)) {
                model.take(report);
            }
        }
        model
    }

    #[test]
    fn pools_are_told_apart() {
        tierpool::pool! {
            static RX = [256 x 4];
            static TX = [256 x 4, 512 x 2];
        }
        let held = RX.alloc(1);
        let (rx, tx) = (RX.stats().to_string(), TX.stats().to_string());
        let bare = |text: &str| text.split_once(' ').unwrap().1.to_owned();
        let (bare_rx, bare_tx) = (bare(&rx), bare(&tx));
        let lines = [&rx, &tx, &bare_tx, &bare_rx, &rx, &bare_rx];
        let model = model(&lines.map(|line| (0.0, line.as_str())));
        let names: Vec<&str> = model.pools.iter().map(|pool| pool.name.as_str()).collect();
        // What is one tier less may be a line that was cut off: so the unnamed small one is none.
        assert_eq!(names, ["RX", "TX", "[256 x 4, 512 x 2]"]);
        assert_eq!((model.pools[0].past.len(), model.damaged), (2, 2));
        drop(held);
    }

    #[test]
    fn rates_are_by_the_second() {
        tierpool::pool! { static RX = [256 x 2]; }
        let ask = |times| (0..times).for_each(|_| drop(RX.alloc(1)));
        let first = RX.stats().to_string();
        ask(10);
        let second = RX.stats().to_string();
        let held = [RX.alloc(1), RX.alloc(1), RX.alloc(1)];
        let third = format!("{:#}", RX.stats());
        let all = [(1.0, &*first), (3.0, &*second), (3.5, &*third)];
        let pool = &model(&all).pools[0];
        assert_eq!(pool.past[0].rate, None);
        assert_eq!(pool.past[1].rate, Some(Rate { requests: 5.0, misses: 0.0 }));
        assert_eq!(pool.rate, Some(Rate { requests: 6.0, misses: 2.0 }));
        assert_eq!((pool.peaks[0], pool.holders.len(), pool.restarts), (2, 2, 0));
        drop(held);
        // Counts that fall are of a device that has started again.
        let again = model(&[all[1], all[2], (4.0, &*first), (5.0, &*second)]);
        assert_eq!((again.pools[0].restarts, again.pools[0].past[2].rate), (1, None));
        assert_eq!(again.pools[0].rate, Some(Rate { requests: 10.0, misses: 0.0 }));
    }

    /// Without a clock nothing is known of a second, and the times of two clocks are not mixed.
    #[test]
    fn lines_are_no_seconds() {
        let text = |n: u64| format!("requests={n} hits={n} misses=0 hit_rate=100% 64=0/8");
        let (mut parser, mut model) = (Parser::new(Clock::Lines), Model::default());
        let mut take = |text: &str, at: f64| {
            parser
                .line(text, at)
                .into_iter()
                .for_each(|report| assert!(model.take(report).is_some()));
            let pool = &model.pools[0];
            (pool.past.len(), pool.rate.map(|rate| rate.requests))
        };
        assert_eq!([take(&text(1), 1.0), take(&text(9), 2.0)], [(1, None), (2, None)]);
        assert_eq!(take(&format!("I (500) a: {}", text(20)), 3.0), (1, None));
        assert_eq!(take(&format!("I (1500) a: {}", text(26)), 4.0), (2, Some(6.0)));
    }

    /// A device may print a line a second, and a table now and then.
    #[test]
    fn a_line_keeps_what_the_table_told() {
        tierpool::pool! { static RX = [256 x 2]; }
        let _held = [RX.alloc(1), RX.alloc(1), RX.alloc(1)];
        let (table, line) = (format!("{:#}", RX.stats()), RX.stats().to_string());
        let pool = &model(&[(1.0, &table), (2.0, &line)]).pools[0];
        assert_eq!(pool.counts[0].unwrap().missed, 1);
        assert_eq!((pool.sums.unwrap().exhausted, pool.peaks[0]), (1, 2));
        assert!(pool.now.sums.is_none() && !pool.holders.is_empty());
    }

    #[test]
    fn a_line_without_its_end_is_of_no_pool() {
        let whole = [(64, 8), (256, 16), (512, 16)];
        assert!(is_cut(&whole[..2], &whole) && is_cut(&[(64, 8), (256, 1)], &whole));
        assert!(is_cut(&[(64, 8), (256, 16), (512, 1)], &whole));
        assert!(is_cut(&whole[1..], &whole) && is_cut(&[whole[0], whole[2]], &whole));
        assert!(!is_cut(&whole, &whole) && !is_cut(&[(64, 9)], &whole));
        assert!(!is_cut(&[(64, 8), (256, 16), (512, 16), (600, 1)], &whole));
        let line = |tiers: &str| format!("requests=0 hits=0 misses=0 hit_rate=100% {tiers}");
        let of = |lines: [&str; 3]| {
            let lines = lines.map(line);
            let model = model(&[(0.0, &lines[0]), (1.0, &lines[1]), (2.0, &lines[2])]);
            let shapes = model.pools.iter().map(|pool| pool.now.shape().len()).collect::<Vec<_>>();
            (shapes, model.damaged)
        };
        assert_eq!(of(["64=0/8 256=0/16", "64=0/8 256=0/1", "64=0/8"]), (vec![2], 2));
        assert_eq!(of(["64=0/8", "64=0/8 256=0/16", "64=0/8 256=0/16"]), (vec![2], 0));
    }

    #[test]
    fn a_long_past_is_thinned() {
        let line = |n: u64| format!("requests={n} hits={n} misses=0 hit_rate=100% 64={}/8", n % 9);
        let lines: Vec<String> = (0..=MOST_POINTS as u64 * 2).map(line).collect();
        let lines: Vec<_> =
            lines.iter().zip(0..).map(|(line, n)| (f64::from(n), &**line)).collect();
        let past = &model(&lines).pools[0].past;
        assert!(past.len() <= MOST_POINTS && past.is_sorted_by_key(|point| point.seconds));
        assert!(
            past[1..].iter().all(|point| point.rate == Some(Rate { requests: 1.0, misses: 0.0 }))
        );
        assert_eq!(past.last().unwrap().seconds, MOST_POINTS as f64 * 2.0);
    }

    #[test]
    fn a_histogram_finds_the_pool_of_its_tiers() {
        tierpool::pool! {
            static RX = [256 x 4];
            static TX = [256 x 4, 512 x 2];
        }
        let texts = [&RX, &TX].map(|pool| pool.stats().to_string());
        drop((TX.alloc(100), TX.alloc(300)));
        let histogram = TX.histogram().to_string();
        let mut lines = vec![(0.0, &*texts[0]), (0.0, &*texts[1])];
        lines.push((1.0, &histogram));
        let model = model(&lines);
        assert!(model.pools[0].histogram.is_none());
        assert_eq!(model.pools[1].histogram.as_ref().unwrap().asked, [(104, 1), (320, 1)]);
    }
}
