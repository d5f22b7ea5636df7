//! The histogram of a running pool as a demand.
//!
//! A pool knows how often each size was asked for, and for each tier how many slots were away at once, but not how long
//! buffers of one size live. So this is an estimate, by two assumptions:
//!
//! 1. Buffers that shared a tier lived equally long: of a tier's peak, each size had the share that it has of the tier's
//!    requests. What was too large for every tier lived as long as the buffers of the largest one.
//! 2. Buffers that found no slot would have lived as long as those that did: a tier that missed requests would have needed
//!    more slots, in proportion.
//!
//! Peaks of sizes that rise at different times are added up, and a tier with fewer slots than live buffers is taken to serve
//! the same share of the requests. A trace knows better; so does the pool with the tiers that were fitted, when it records
//! in turn: then each tier has the peak of its own few sizes. For the same reason such tiers want a spill of 1.

use super::demand::{Demand, MOST_SLOTS};
use super::geometry::Geometry;
use super::{MAX_SIZE, Unfit};
use crate::error::{At, FormatError};
use std::ops::Range;

/// The first line of a histogram's text form.
pub const FIRST_LINE: &str = "tierpool histogram 1";

/// What a running pool was asked for, as `tierpool::Histogram` prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramDemand {
    sizes: Vec<usize>,
    /// For each size: its requests, and the buffers of it that live at once.
    asked: Vec<(u64, f64)>,
    requests: u64,
}

/// A line `tier`: what served requests up to a size.
struct Tier {
    size: u64,
    peak: u64,
    served: u64,
    missed: u64,
}

/// Why a text is no histogram to fit tiers to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HistogramError {
    /// A line cannot be read.
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
    /// Reads what `tierpool::Histogram` prints, also out of a log: of several the last, whatever a logger has put in front of
    /// the lines. Empty lines say nothing.
    ///
    /// # Errors
    /// There is none, a line that does not belong there, or nothing was asked for.
    pub fn parse(text: &str) -> Result<Self, HistogramError> {
        let first = text.lines().enumerate().filter(|(_, line)| line.contains(FIRST_LINE)).last();
        let Some((first, _)) = first else {
            return Err(HistogramError::Format(FormatError { at: At::Line(1), what: "no line is `tierpool histogram 1`" }));
        };
        let (mut tiers, mut asked, mut larger) = (Vec::new(), Vec::new(), None);
        for (index, line) in text.lines().enumerate().skip(first + 1) {
            let error = |what| HistogramError::Format(FormatError { at: At::Line(index + 1), what });
            let number = |word: &str| word.parse::<u64>().map_err(|_| error("a number was expected"));
            match record(line).split_whitespace().collect::<Vec<_>>()[..] {
                [] => {}
                ["tier", size, slots, peak, served, missed] => {
                    number(slots)?;
                    let (peak, served, missed) = (number(peak)?, number(served)?, number(missed)?);
                    tiers.push(Tier { size: number(size)?, peak, served, missed });
                }
                ["size", size, requests] => {
                    let size = number(size)?;
                    if size == 0 || size > MAX_SIZE as u64 || asked.last().is_some_and(|last: &(u64, u64)| last.0 >= size) {
                        return Err(error("sizes are 1 to 65536 and rise"));
                    }
                    asked.push((size, number(requests)?));
                }
                ["larger", requests] => {
                    larger = Some(number(requests)?);
                    break;
                }
                _ => return Err(error("neither `tier`, `size` nor `larger`")),
            }
        }
        let at_end = |what| HistogramError::Format(FormatError { at: At::Line(text.lines().count()), what });
        let larger = larger.ok_or(at_end("cut off: the last line is `larger`"))?;
        if tiers.is_empty() || tiers.iter().all(|tier| tier.served == 0) {
            return Err(HistogramError::Unfit(Unfit::NoRequests));
        }
        // A tier does not count what caches have served from its slots.
        let mut smaller = 0;
        for tier in &mut tiers {
            let own: u64 = asked.iter().filter(|asked| asked.0 > smaller && asked.0 <= tier.size).map(|asked| asked.1).sum();
            tier.served = tier.served.max(own.saturating_sub(tier.missed));
            smaller = tier.size;
        }
        let requests = larger + asked.iter().map(|asked| asked.1).sum::<u64>();
        let sizes = asked.iter().map(|asked| asked.0 as usize).collect();
        let live = |&(size, requests): &(u64, u64)| (requests, requests as f64 * live_a_request(&tiers, size));
        let asked = asked.iter().map(live).collect();
        Ok(HistogramDemand { sizes, asked, requests })
    }

    /// Requests of these sizes, and their buffers that live at once.
    fn class(&self, class: Range<usize>) -> (u64, usize) {
        let asked = &self.asked[class];
        let live: f64 = asked.iter().map(|asked| asked.1).sum();
        (asked.iter().map(|asked| asked.0).sum(), (live.ceil() as usize).max(1))
    }
}

/// A line without what a logger has put around it: a time, a level, the colours of a terminal.
fn record(line: &str) -> &str {
    let start = ["tier ", "size ", "larger "].iter().filter_map(|word| line.rfind(word)).max().unwrap_or(0);
    line[start..].split('\x1b').next().unwrap_or_default()
}

/// Buffers that live at once for each request of this size: of the tier that served it, or of the last that served any.
fn live_a_request(tiers: &[Tier], size: u64) -> f64 {
    let own = tiers.iter().position(|tier| tier.size >= size).unwrap_or(tiers.len() - 1);
    let near = tiers[own..].iter().chain(tiers[..own].iter().rev()).find(|tier| tier.served > 0);
    near.map_or(0.0, |tier| tier.peak as f64 / tier.served as f64)
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

    fn served_by_slot(&self, first: usize, lasts: &mut dyn Iterator<Item = usize>, each: &mut dyn FnMut(usize, &[u64])) {
        for last in lasts {
            let (requests, live) = self.class(first..last + 1);
            let upto = |slot: u64| requests * slot / live as u64;
            let served: Vec<u64> = (0..live.min(MOST_SLOTS) as u64).map(|slot| upto(slot + 1) - upto(slot)).collect();
            each(last, &served);
        }
    }

    /// Each of as many slots as buffers live at once serves the same share.
    fn class_hits(&self, class: Range<usize>, slots: usize) -> u64 {
        let (requests, live) = self.class(class);
        requests * slots.min(live) as u64 / live as u64
    }

    /// The sum over the classes, without spill between different sizes.
    fn hits(&self, geometry: &Geometry) -> u64 {
        let mut from = 0;
        let mut hits = 0;
        for run in geometry.tiers.chunk_by(|a, b| a.0 == b.0) {
            let upto = self.sizes.partition_point(|&size| size <= run[0].0);
            if from < upto {
                hits += self.class_hits(from..upto, run.iter().take(1 + geometry.spill).map(|tier| tier.1).sum());
            }
            from = upto;
        }
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::Fitter;

    const TEXT: &str =
        "tierpool histogram 1\ntier 64 8 8 1000 500\ntier 512 16 4 100 0\nsize 16 1200\nsize 60 300\nsize 256 100\nlarger 10\n";

    #[test]
    fn shares_of_the_peaks() {
        let demand = HistogramDemand::parse(TEXT).unwrap();
        assert_eq!((demand.sizes(), demand.requests()), (&[16, 60, 256][..], 1610));
        // 8 slots served 1000 of 1500: 12 would have served all.
        assert_eq!([0..2, 0..1, 1..2, 2..3].map(|class| demand.class(class)), [(1500, 12), (1200, 10), (300, 3), (100, 4)]);
        demand.served_by_slot(1, &mut [1].into_iter(), &mut |_, served| assert_eq!(served, [100, 100, 100]));
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
        let logged = |text: &str| text.lines().map(|line| format!("\x1b[32mI (52) size 1: {line}\x1b[0m\r\n")).collect::<String>();
        let log = format!("boot: tier 3\n{}an hour later\n{}the end\n", logged(&TEXT.replace("1200", "7")), logged(TEXT));
        assert_eq!(HistogramDemand::parse(&log), HistogramDemand::parse(TEXT));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| HistogramDemand::parse(text).unwrap_err().to_string();
        assert_eq!(error("a 0 1\n"), "line 1: no line is `tierpool histogram 1`");
        assert_eq!(error("tierpool histogram 1\ntier 1 2 3\n"), "line 2: neither `tier`, `size` nor `larger`");
        assert_eq!(error("tierpool histogram 1\nsize 8 1\nsize 8 1\n"), "line 3: sizes are 1 to 65536 and rise");
        assert_eq!(error("tierpool histogram 1\nsize 8 1"), "line 2: cut off: the last line is `larger`");
        assert!(error("tierpool histogram 1\ntier 8 1 0 0 0\nlarger 0").starts_with("no request that a pool could serve"));
    }
}
