//! The tiers that serve a recorded trace best, or what a running pool was asked for: `cargo xtask fit TRACE`.
//!
//! ```text
//!   a trace, or a log of allocations     ┐                        ┌─► the `pool!` line, its hit rate and memory
//!   the lines of `tierpool::Histogram`   ┴─► tierpool_traces::fit ┴─► a chart of hit rate against memory
//! ```

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use std::fs;
use std::io::{IsTerminal, Write, stderr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tierpool_charts::{Axis, Chart, Series, Table};
use tierpool_traces::fit::{
    Demand, FIRST_LINE, Fit, Fitter, Geometry, HistogramDemand, TraceDemand,
};
use tierpool_traces::log;

/// Points of the chart.
const POINTS: usize = 16;

/// The tiers that serve a recorded trace best, or what a running pool was asked for.
#[derive(Parser)]
#[command(name = "cargo xtask fit", bin_name = "cargo xtask fit")]
struct Options {
    /// A heap trace (lines `a ID SIZE`, `f ID` and `r OLD NEW SIZE`, or the packed form), a dump of glibc's `mtrace` or of ESP-IDF's
    /// `heap_trace_dump`, or a log with what `Pool::histogram` prints
    #[arg(value_name = "TRACE")]
    file: PathBuf,

    /// The tiers that serve most within so many bytes: payload, and on a 32-bit target 4 bytes a slot and 16 a tier
    #[arg(long, value_name = "BYTES", conflicts_with = "hit_rate")]
    memory: Option<usize>,

    /// The smallest pool that serves so much of the requests
    #[arg(long, value_name = "PERCENT", default_value_t = 95.0)]
    hit_rate: f64,

    /// Slot sizes are multiples of this, so slots are at least so aligned; for a trace, 4 unless told
    #[arg(long, value_name = "BYTES")]
    multiple_of: Option<usize>,

    /// Draw hit rate against memory into this SVG file, and print it as a table
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
}

fn main() -> Result<()> {
    fit(&Options::parse())
}

fn fit(options: &Options) -> Result<()> {
    if !(0.0..=100.0).contains(&options.hit_rate) {
        bail!("--hit-rate {}: a rate is 0 to 100 percent", options.hit_rate);
    }
    let demand = read(&options.file, options.multiple_of)?;
    fitted(options, &demand).with_context(|| {
        [&[format!("{} cannot be fitted", options.file.display())], &demand.notes[..]]
            .concat()
            .join("; ")
    })
}

fn fitted(options: &Options, demand: &Read) -> Result<()> {
    let fitter = Fitter::new(&*demand.requests, &mut |done, of| {
        progress(&format!("replaying for classes of sizes: {done} of {of}"))
    });
    let fit = match options.memory {
        Some(bytes) => {
            progress("choosing tiers");
            fitter.for_memory(bytes)?
        }
        None => fitter.for_hit_rate(options.hit_rate, &mut |bytes| {
            progress(&format!("choosing tiers of {bytes} bytes"))
        })?,
    };
    let curve = if options.chart.is_some() { curve(&fitter)? } else { Vec::new() };
    progress("");
    println!("{}", told(&fit, demand));
    if let Some(path) = &options.chart {
        println!("\n{}", table(&curve).plain());
        chart(&curve, &fit, demand)
            .write(path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}: the chart", path.display());
    }
    Ok(())
}

/// What was read.
struct Read {
    requests: Box<dyn Demand>,
    source: Source,
    /// What was left out, and what is to be known of it.
    notes: Vec<String>,
}

/// What the requests are known from.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    /// Every allocation and free.
    Trace,
    /// Every allocation, but not when its block was freed.
    Allocations,
    /// A pool's counts.
    Histogram,
}

fn read(path: &Path, multiple_of: Option<usize>) -> Result<Read> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = log::decode(&bytes);
    if text.contains(FIRST_LINE) {
        ensure!(
            multiple_of.is_none(),
            "--multiple-of is for traces: a histogram has sizes of its own"
        );
        let demand = HistogramDemand::parse(&text)
            .with_context(|| format!("{} is no histogram to fit to", path.display()))?;
        let notes = demand.notes().to_vec();
        return Ok(Read { requests: Box::new(demand), source: Source::Histogram, notes });
    }
    let log = log::read(&bytes).with_context(|| {
        format!("{} is no trace, nor has it a line `tierpool histogram 1`", path.display())
    })?;
    let notes: Vec<String> =
        log.skipped.iter().map(|skipped| format!("left out: {skipped}")).collect();
    let demand = TraceDemand::new(&log.trace, multiple_of.unwrap_or(4));
    let demand = demand.with_context(|| {
        [&[format!("{} cannot be fitted", path.display())], &notes[..]].concat().join("; ")
    })?;
    let source = if log.exact { Source::Trace } else { Source::Allocations };
    Ok(Read { requests: Box::new(demand), source, notes })
}

/// Hit rates against memory, in even steps up to where more is of no use.
fn curve(fitter: &Fitter<'_>) -> Result<Vec<Fit>> {
    let all = fitter.for_all();
    let mut curve: Vec<Fit> = Vec::new();
    for point in 1..POINTS {
        progress(&format!("chart: {point} of {POINTS}"));
        let memory = all.geometry.memory() * point / POINTS;
        // The smallest pool may be larger than the first steps.
        if let Ok(fit) = fitter.for_memory(memory) {
            let last = curve
                .last()
                .map(|last| fitter.enlarged(last, memory))
                .filter(|last| last.hits > fit.hits);
            curve.push(last.unwrap_or(fit));
        }
    }
    curve.push(all);
    // A small pool does not grow with every step.
    curve.dedup_by(|next, last| next.hits == last.hits);
    Ok(curve)
}

/// The line for the source, and what to expect of it.
fn told(fit: &Fit, demand: &Read) -> String {
    let exact = demand.source == Source::Trace;
    let geometry = if demand.source == Source::Histogram {
        fit.geometry.with_spill(1)
    } else {
        fit.geometry.clone()
    };
    let rate = match exact {
        true => format!("{:.2} %, {} of {} requests", fit.percent(), fit.hits, fit.requests),
        false => format!("about {:.0} %", fit.percent()),
    };
    let advice = match demand.source {
        Source::Trace => "",
        Source::Allocations => {
            "\nAn estimate: when blocks were freed is not known, so each is taken to live until its address comes again, or to the\n\
             end. The tiers suffice for that, and may be too many."
        }
        Source::Histogram => {
            "\nAn estimate: how long buffers live is only known for whole tiers. Let the pool record once more with these,\nand fit again."
        }
    };
    let (memory, slots) = (geometry.memory(), geometry.slots());
    let mut told = format!(
        "tierpool::pool! {{ pub static POOL = {geometry}; }}\n\nhit rate  {rate}\nmemory    {memory} bytes, {slots} slots\n"
    );
    for note in &demand.notes {
        told += &format!("note      {note}\n");
    }
    format!("{told}{advice}").trim_end().into()
}

fn table(curve: &[Fit]) -> Table {
    let mut table = Table::new(&["bytes", "hit rate", "tiers"], 0);
    for fit in curve {
        let Geometry { tiers, .. } = &fit.geometry;
        table.row([
            fit.geometry.memory().to_string(),
            format!("{:.2} %", fit.percent()),
            tiers.len().to_string(),
        ]);
    }
    table
}

fn chart(curve: &[Fit], chosen: &Fit, demand: &Read) -> Chart {
    let point = |fit: &Fit| (fit.geometry.memory() as f64 / 1024.0, fit.percent());
    let series = |name: &str, points, own| Series { name: name.into(), points, own };
    let default = Geometry { tiers: vec![(256, 16), (512, 16), (1024, 16)], spill: 0 };
    let requests = demand.requests.requests();
    let default = Fit { hits: demand.requests.hits(&default), requests, geometry: default };
    Chart {
        title: format!(
            "Requests served{}",
            if demand.source == Source::Trace { "" } else { ", estimated" }
        ),
        x: Axis::linear("KiB of memory"),
        y: Axis::linear("percent of the requests"),
        series: vec![
            series("fitted tiers", curve.iter().map(point).collect(), true),
            series("the line printed", vec![point(chosen)], false),
            series("default geometry", vec![point(&default)], false),
        ],
    }
}

/// How far it is: on a terminal a line that the next one replaces, else a line a second; empty to end.
fn progress(line: &str) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    if stderr().is_terminal() {
        eprint!("\r\x1b[K{line}");
        let _ = stderr().flush();
        return;
    }
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if !line.is_empty() && last.is_none_or(|last| last.elapsed() >= Duration::from_secs(1)) {
        eprintln!("{line}");
        *last = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tierpool_traces::Trace;

    /// A file that is gone with what is returned.
    fn written(content: &[u8]) -> tempfile::TempPath {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        fs::write(&path, content).unwrap();
        path
    }

    fn options(file: &Path) -> Options {
        Options { file: file.into(), memory: None, hit_rate: 95.0, multiple_of: None, chart: None }
    }

    #[test]
    fn a_trace_in_either_form_gives_its_line() {
        let trace = Trace::reticulum_loopback();
        for content in [tierpool_traces::packed::pack(&trace), trace.to_string().into()] {
            let path = written(&content);
            let demand = read(&path, None).unwrap();
            let fit = Fitter::new(&*demand.requests, &mut |_, _| ()).for_memory(4096).unwrap();
            let told = told(&fit, &demand);
            assert!(
                told.starts_with("tierpool::pool! { pub static POOL = [")
                    && told.contains("of 560 requests"),
                "{told}"
            );
        }
    }

    /// What was left out is said, and what is an estimate.
    #[test]
    fn logs_of_others_are_read_and_doubts_said() {
        let told_of = |log: &str| {
            let path = written(log.as_bytes());
            let demand = read(&path, None).unwrap();
            told(&Fitter::new(&*demand.requests, &mut |_, _| ()).for_all(), &demand)
        };
        let late =
            told_of("I (1) heap: f 0x3ffb0000\nwifi: connected\nI (2) heap: a 0x3ffb1234 64\n");
        assert!(
            late.contains("= [64 x 1];") && late.contains("hit rate  100.00 %, 1 of 1 requests"),
            "{late}"
        );
        assert!(
            late.contains("left out: lines that are no event: 1, the first in line 2"),
            "{late}"
        );
        assert!(
            late.contains("before the log began, or in a lost line: 1, the first in line 1"),
            "{late}"
        );
        let dump = told_of(
            "  20 bytes (@ 0x3ffd1914, Internal) allocated CPU 1 ccount 0x41 freed by 0x400d27c1\n",
        );
        assert!(
            dump.contains("= [20 x 1];")
                && dump.contains("about 100 %")
                && dump.contains("when blocks were freed is not known")
        );
    }

    #[test]
    fn the_chart_is_written() {
        let (trace, svg) = (written(b"a 0 16\na 1 16\nf 1\na 1 40\n"), written(b""));
        fit(&Options { chart: Some(svg.to_path_buf()), ..options(&trace) }).unwrap();
        assert!(fs::read_to_string(svg).unwrap().contains("fitted tiers"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |options: Options| {
            format!("{:#}", fit(&options).unwrap_err())
                .replace(options.file.to_str().unwrap(), "FILE")
        };
        assert!(error(options(Path::new("/no/such"))).starts_with("cannot read FILE"));
        let error_of = |content: &str, change: fn(Options) -> Options| {
            let trace = written(content.as_bytes());
            error(change(options(&trace)))
        };
        assert_eq!(
            error_of("hello", |plain| plain),
            "FILE is no trace, nor has it a line `tierpool histogram 1`: line 1: neither `a ID SIZE` nor `f ID`"
        );
        assert!(
            error_of("# empty\n", |plain| plain).contains("no request that a pool could serve")
        );
        assert!(
            error_of("tierpool histogram 1\nsize", |plain| plain)
                .contains("is no histogram to fit to: line 2")
        );
        let leak = "tierpool histogram 1\ntier 64 8 8 8 100000000\nsize 64 100000008\nlarger 0";
        assert!(error_of(leak, |plain| plain).contains("100000000 requests were refused"));
        assert!(
            error_of("a 0 16", |plain| Options { memory: Some(10), ..plain })
                .contains("the smallest pool for these requests takes 84 bytes")
        );
        assert!(
            error_of("a 0 16 ", |plain| Options { hit_rate: 101.0, ..plain })
                .contains("0 to 100 percent")
        );
    }
}
