//! What a file holds of requests.

use crate::advised;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::io::{Read, stdin};
use std::path::Path;
use tierpool_traces::fit::{Demand, FIRST_LINE, HistogramDemand, TraceDemand};
use tierpool_traces::log;

/// What was read.
pub(crate) struct Traffic {
    pub(crate) requests: Box<dyn Demand>,
    pub(crate) source: Source,
    /// What was left out, and what is to be known of it.
    pub(crate) notes: Vec<String>,
}

/// What the requests are known from.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Source {
    /// Every allocation and free.
    Trace,
    /// Every allocation, but not when its block was freed.
    Allocations,
    /// A pool's counts.
    Histogram,
}

pub(crate) fn read(path: &Path, multiple_of: Option<usize>) -> Result<Traffic> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    let bytes = bytes.with_context(|| format!("cannot read {}", path.display()))?;
    let text = log::decode(&bytes);
    if text.contains(FIRST_LINE) {
        ensure!(
            multiple_of.is_none(),
            "--multiple-of is for traces: a histogram has sizes of its own"
        );
        let demand = HistogramDemand::parse(&text).map_err(|why| {
            advised(why, "print `Pool::histogram` once more, while nothing else is printed")
        });
        let demand =
            demand.with_context(|| format!("{} is no histogram to fit to", path.display()))?;
        let notes = demand.notes().to_vec();
        return Ok(Traffic { requests: Box::new(demand), source: Source::Histogram, notes });
    }
    let log = log::read(&bytes)
        .map_err(|why| {
            advised(
                why,
                "record a trace with `tierpool record`, or print `Pool::histogram` on the device; \
                 statistics are for `tierpool watch`: they do not tell the sizes of requests",
            )
        })
        .with_context(|| {
            format!("{} is no trace, nor has it a line `tierpool histogram 1`", path.display())
        })?;
    let notes: Vec<String> =
        log.skipped.iter().map(|skipped| format!("left out: {skipped}")).collect();
    let demand = TraceDemand::new(&log.trace, multiple_of.unwrap_or(4));
    let demand = demand.with_context(|| {
        [&[format!("{} cannot be fitted", path.display())], &notes[..]].concat().join("; ")
    })?;
    let source = if log.exact { Source::Trace } else { Source::Allocations };
    Ok(Traffic { requests: Box::new(demand), source, notes })
}
