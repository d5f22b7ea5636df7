//! The histogram of a running pool as a demand.
//!
//! A pool knows how often each size was asked for, and for each tier how many slots were away at
//! once, but not how long buffers of one size live. So this is an estimate, by three assumptions:
//!
//! 1. What a tier served was its own sizes, and what had missed the tier before: a spilled request
//!    is the larger tier's.
//! 2. Buffers that shared a tier lived equally long: of a tier's peak, each size had the share that
//!    it has of what the tier served. What was too large for every tier lived as long as the
//!    buffers of the largest one.
//! 3. Requests that no tier served would have lived as long as the others of their size: it would
//!    have needed more slots, in proportion. Where nothing was refused, no more slots are needed
//!    than the peaks add up to.
//!
//! Peaks of sizes that rise at different times are added up, and a tier with fewer slots than live
//! buffers is taken to serve the same share of the requests. A trace knows better; so does the pool
//! with the tiers that were fitted, when it records in turn: then each tier has the peak of its own
//! few sizes. For the same reason such tiers want a spill of 1.

mod text;

pub use text::{FIRST_LINE, Recorded, Tier, parse};

use super::Unfit;
use super::demand::{Demand, MOST_SLOTS};
use super::geometry::Geometry;
use crate::error::FormatError;
use crate::log::Skipped;
use std::ops::Range;
use text::smallest_in;

/// What a running pool was asked for, as `tierpool::Histogram` prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramDemand {
    sizes: Vec<usize>,
    /// For each size: its requests, and the buffers of it that live at once.
    asked: Vec<(u64, f64)>,
    requests: u64,
    notes: Vec<String>,
}

/// Why a text is no histogram to fit tiers to.
#[derive(Clone, Debug, PartialEq)]
pub enum HistogramError {
    /// A line cannot be read, or contradicts others.
    Format(FormatError),
    /// There is nothing to fit.
    Unfit(Unfit),
}

impl std::fmt::Display for HistogramError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HistogramError::Format(error) => error.fmt(f),
            HistogramError::Unfit(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for HistogramError {}

impl HistogramDemand {
    /// Reads what `tierpool::Histogram` prints, also out of a log: of several the last, whatever a
    /// logger has put in front of the lines. Empty lines say nothing; lines of others are left out
    /// and counted.
    ///
    /// # Errors
    /// There is none, it is cut off, a line contradicts others, or nothing was asked for.
    pub fn parse(text: &str) -> Result<Self, HistogramError> {
        let recorded = text::parse(text).map_err(HistogramError::Format)?;
        if recorded.tiers.iter().all(|tier| tier.served == 0)
            || recorded.asked.iter().all(|asked| asked.1 == 0)
        {
            return Err(HistogramError::Unfit(Unfit::NoRequests));
        }
        let flow = Flow::of(&recorded);
        let mut notes: Vec<String> = Some(recorded.skipped)
            .filter(|it| it.count > 0)
            .iter()
            .map(Skipped::to_string)
            .collect();
        if flow.apart >= 1.0 {
            notes.push(format!(
                "{:.0} requests came to no tier: caches served them, or a line `tier` is lost",
                flow.apart
            ));
        }
        if flow.refused > flow.served {
            notes.push(format!(
                "{:.0} requests were refused, more than were served: how many slots these need is hardly known, record again with more",
                flow.refused
            ));
        }
        // One that was never asked for is no class.
        let asked = recorded.asked.iter().zip(flow.live).filter(|(asked, _)| asked.1 > 0);
        let (sizes, asked) = asked.map(|(asked, live)| (asked.0 as usize, (asked.1, live))).unzip();
        Ok(HistogramDemand { sizes, asked, requests: recorded.requests, notes })
    }

    /// What is to be known of this estimate: lines that were left out, and what is hardly more than
    /// a guess.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Requests of these sizes, and their buffers that live at once.
    fn class(&self, class: Range<usize>) -> (u64, u64) {
        let asked = &self.asked[class];
        let live: f64 = asked.iter().map(|asked| asked.1).sum();
        // Shares that add up to a whole number do so only roughly.
        (asked.iter().map(|asked| asked.0).sum(), ((live * (1.0 - 1e-9)).ceil() as u64).max(1))
    }
}

/// Where the requests of each size went.
#[derive(Default)]
struct Flow {
    /// Buffers that live at once, if nothing is refused.
    live: Vec<f64>,
    /// Served by a tier, or by caches that have slots of it.
    served: f64,
    refused: f64,
    /// Came to no tier.
    apart: f64,
}

/// Moves requests of the sizes that are `wanted` to `to`: `most` of them, in proportion. How many
/// are moved.
fn pour(most: f64, from: &mut [f64], to: &mut [f64], wanted: impl Fn(usize) -> bool) -> f64 {
    let all: f64 = from
        .iter()
        .enumerate()
        .filter(|(size, _)| wanted(*size))
        .map(|(_, requests)| requests)
        .sum();
    let share = if all > 0.0 { (most / all).clamp(0.0, 1.0) } else { 0.0 };
    for (_, (from, to)) in from.iter_mut().zip(to).enumerate().filter(|(size, _)| wanted(*size)) {
        let poured = *from * share;
        (*from, *to) = (*from - poured, *to + poured);
    }
    all * share
}

impl Flow {
    /// Follows the requests from the smallest tier up.
    fn of(recorded: &Recorded) -> Flow {
        let none = vec![0.0; recorded.asked.len()];
        let mut flow = Flow { live: none.clone(), ..Flow::default() };
        // Requests that have come to no tier yet, and those that have missed a tier or more.
        let mut fresh: Vec<f64> = recorded.asked.iter().map(|asked| asked.1 as f64).collect();
        let mut missed = none.clone();
        let mut served = none.clone();
        // For each tier, the buffers of it that live at once for each request it served.
        let mut rates = Vec::new();
        for tier in &recorded.tiers {
            let own = |size: usize| recorded.asked[size].0 <= tier.size;
            let cut = |size: usize| smallest_in(recorded.asked[size].0) <= tier.size;
            let mut here = none.clone();
            let mut came = tier.served as f64 + tier.missed as f64;
            came -= pour(came, &mut fresh, &mut here, own);
            came -= pour(came, &mut missed, &mut here, |_| true);
            pour(came, &mut fresh, &mut here, cut);
            // Of what came, the same share of each size was served (one who waited has missed, too,
            // but is here once); caches served the others of its own.
            let came: f64 = here.iter().sum();
            let hit = if came > 0.0 { (tier.served as f64 / came).min(1.0) } else { 0.0 };
            let mut of_tier: Vec<f64> = here.iter().map(|requests| requests * hit).collect();
            flow.apart += pour(f64::INFINITY, &mut fresh, &mut of_tier, own);
            let all: f64 = of_tier.iter().sum();
            let rate = if all > 0.0 { tier.peak as f64 / all } else { 0.0 };
            rates.push(rate);
            for (size, requests) in of_tier.iter().enumerate() {
                flow.live[size] += requests * rate;
                served[size] += requests;
                missed[size] += here[size] * (1.0 - hit);
            }
        }
        for (size, live) in flow.live.iter_mut().enumerate() {
            *live = if served[size] > 0.0 {
                *live * (1.0 + missed[size] / served[size])
            } else {
                (missed[size] + fresh[size]) * near(&recorded.tiers, &rates, recorded.asked[size].0)
            };
            flow.served += served[size];
            flow.refused += missed[size];
        }
        flow
    }
}

/// The rate of the tier of this size, or of the nearest that served any.
fn near(tiers: &[Tier], rates: &[f64], size: u64) -> f64 {
    let own = tiers.iter().position(|tier| tier.size >= size).unwrap_or(tiers.len() - 1);
    rates[own..]
        .iter()
        .chain(rates[..own].iter().rev())
        .copied()
        .find(|&rate| rate > 0.0)
        .unwrap_or(0.0)
}

impl Demand for HistogramDemand {
    fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    fn asked(&self, size: usize) -> u64 {
        self.asked[size].0
    }

    fn requests(&self) -> u64 {
        self.requests
    }

    fn affordable_hits(&self) -> usize {
        4000
    }

    fn affordable_classes(&self) -> usize {
        usize::MAX / 2
    }

    fn served_by_slot(
        &self,
        first: usize,
        lasts: &mut dyn Iterator<Item = usize>,
        each: &mut dyn FnMut(usize, &[u64]),
    ) {
        for last in lasts {
            let (requests, live) = self.class(first..last + 1);
            let served: Vec<u64> = (0..live.min(MOST_SLOTS as u64))
                .map(|slot| share(requests, slot + 1, live) - share(requests, slot, live))
                .collect();
            each(last, &served);
        }
    }

    /// Each of as many slots as buffers live at once serves the same share.
    fn class_hits(&self, class: Range<usize>, slots: usize) -> u64 {
        let (requests, live) = self.class(class);
        share(requests, live.min(slots as u64), live)
    }

    /// The sum over the classes, without spill between different sizes.
    fn hits(&self, geometry: &Geometry) -> u64 {
        let mut from = 0;
        let mut hits = 0;
        for run in geometry.tiers.chunk_by(|a, b| a.0 == b.0) {
            let upto = self.sizes.partition_point(|&size| size <= run[0].0);
            if from < upto {
                hits += self.class_hits(
                    from..upto,
                    run.iter().take(1 + geometry.spill).map(|tier| tier.1).sum(),
                );
            }
            from = upto;
        }
        hits
    }
}

/// What `slots` of `live` slots serve.
fn share(requests: u64, slots: u64, live: u64) -> u64 {
    (u128::from(requests) * u128::from(slots) / u128::from(live)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::Fitter;

    const TEXT: &str = "tierpool histogram 1\ntier 64 8 8 1000 500\ntier 512 16 4 100 0\nsize 16 1200\nsize 60 300\nsize 256 100\nlarger 10\n";

    #[test]
    fn shares_of_the_peaks() {
        let demand = HistogramDemand::parse(TEXT).unwrap();
        assert_eq!(demand.sizes(), &[16, 60, 256][..]);
        assert_eq!(demand.requests(), 1610);
        // 8 slots served 1000 of 1500: 12 would have served all.
        assert_eq!(
            [0..2, 0..1, 1..2, 2..3].map(|class| demand.class(class)),
            [(1500, 12), (1200, 10), (300, 3), (100, 4)]
        );
        demand.served_by_slot(1, &mut [1].into_iter(), &mut |_, served| {
            assert_eq!(served, [100, 100, 100])
        });
        assert_eq!(demand.hits(&Geometry { tiers: vec![(60, 6), (256, 9)], spill: 0 }), 750 + 100);
    }

    #[test]
    fn slots_go_where_most_is_asked_for_each_byte() {
        let demand = HistogramDemand::parse(TEXT).unwrap();
        let fitter = Fitter::new(&demand, &mut |_, _| ());
        assert_eq!(fitter.for_all().geometry.to_string(), "[16 x 10, 60 x 3, 256 x 4]");
        assert_eq!(fitter.for_memory(300).unwrap().geometry.to_string(), "[16 x 10]");
    }

    #[test]
    fn the_last_of_a_log_is_read() {
        let logged = |text: &str| {
            text.lines()
                .map(|line| format!("\x1b[32mI (52) size 1: {line}\x1b[0m\r\n"))
                .collect::<String>()
        };
        let log = format!(
            "boot: tier 3\n{}an hour later\n{}the end\n",
            logged(&TEXT.replace("1200", "7")),
            logged(TEXT)
        );
        assert_eq!(HistogramDemand::parse(&log), HistogramDemand::parse(TEXT));
    }

    fn all(text: &str) -> String {
        let demand = HistogramDemand::parse(text).unwrap();
        Fitter::new(&demand, &mut |_, _| ()).for_all().geometry.to_string()
    }

    /// Four buffers are kept, then a thousand come and go: five slots were out at once, and nothing
    /// was refused.
    #[test]
    fn what_spills_needs_no_more_than_the_peaks() {
        let spilled =
            "tierpool histogram 1\ntier 64 4 4 4 1000\ntier 256 4 1 1000 0\nsize 64 1004\nlarger 0";
        assert_eq!(all(spilled), "[64 x 5]");
        let twice = "tierpool histogram 1\ntier 8 750 750 750 750\ntier 8 750 750 750 0\nsize 8 1500\nlarger 0";
        assert_eq!(all(twice), "[8 x 750, 8 x 750], spill = 1");
        let two_on = "tierpool histogram 1\ntier 64 4 4 4 1000\ntier 128 1 1 1 999\ntier 256 4 1 999 0\nsize 64 1004\nlarger 0";
        assert_eq!(all(two_on), "[64 x 6]");
    }

    /// Sixty wait for one slot, and each gets it.
    #[test]
    fn who_waits_is_not_refused() {
        assert_eq!(
            all("tierpool histogram 1\ntier 64 1 1 60 59\nsize 64 60\nlarger 0"),
            "[64 x 1]"
        );
    }

    #[test]
    fn what_is_said_besides() {
        let notes = |text: &str| HistogramDemand::parse(text).unwrap().notes().join("; ");
        assert_eq!(notes(TEXT), "");
        assert_eq!(
            notes(
                "tierpool histogram 1\ntier 64 8 4 10 0\nI (44) wifi: connected\nsize 64 100\nlarger 0"
            ),
            "lines in the histogram that are no part of it: 1, the first in line 3; \
             90 requests came to no tier: caches served them, or a line `tier` is lost"
        );
        assert!(
            notes("tierpool histogram 1\ntier 64 8 8 8 100\nsize 64 108\nlarger 0")
                .starts_with("100 requests were refused")
        );
    }

    /// No more memory than a pool can have slots, however much was refused.
    #[test]
    fn a_long_exhaustion_is_bounded() {
        for refused in [1_000_000_u64, 4_000_000_000, u64::MAX / 2] {
            let text = format!(
                "tierpool histogram 1\ntier 64 8 8 8 {refused}\nsize 64 {}\nlarger 0",
                refused + 8
            );
            let demand = HistogramDemand::parse(&text).unwrap();
            let fit = Fitter::new(&demand, &mut |_, _| ()).for_all();
            assert_eq!(fit.geometry.slots(), MOST_SLOTS);
        }
    }

    #[test]
    fn nothing_asked_for_is_nothing_to_fit() {
        let text = "tierpool histogram 1\ntier 8 1 0 0 0\nlarger 0";
        assert_eq!(HistogramDemand::parse(text), Err(HistogramError::Unfit(Unfit::NoRequests)));
    }
}
