//! `cargo xtask fit FILE`
//!
//! ```text
//!   a trace, text or packed              ┐                        ┌─► the `pool!` line, its hit rate and memory
//!   the lines of `tierpool::Histogram`   ┴─► tierpool_traces::fit ┴─► a chart of hit rate against memory
//! ```

use crate::chart::{Axis, Chart, Series};
use crate::report::Table;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::io::{IsTerminal, Write, stderr};
use std::path::{Path, PathBuf};
use tierpool_traces::Trace;
use tierpool_traces::fit::{Demand, FIRST_LINE, Fit, Fitter, Geometry, HistogramDemand, TraceDemand};

/// Points of the chart.
const POINTS: usize = 16;

#[derive(clap::Args)]
pub struct Options {
    /// A heap trace (lines `a ID SIZE` and `f ID`, or the packed form), or a log with what `Pool::histogram` prints
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

pub fn fit(options: &Options) -> Result<()> {
    if !(0.0..=100.0).contains(&options.hit_rate) {
        bail!("--hit-rate {}: a rate is 0 to 100 percent", options.hit_rate);
    }
    let demand = read(&options.file, options.multiple_of)?;
    let fitter = Fitter::new(&*demand.requests, &mut |done, of| progress(&format!("replaying for each class of sizes: {done} of {of}")));
    let fit = match options.memory {
        Some(bytes) => {
            progress("choosing tiers");
            fitter.for_memory(bytes)?
        }
        None => fitter.for_hit_rate(options.hit_rate, &mut |bytes| progress(&format!("choosing tiers of {bytes} bytes")))?,
    };
    let curve = if options.chart.is_some() { curve(&fitter)? } else { Vec::new() };
    progress("");
    println!("{}", told(&fit, &demand));
    if let Some(path) = &options.chart {
        println!("\n{}", table(&curve).plain());
        chart(&curve, &fit, &demand).write(path).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}: the chart", path.display());
    }
    Ok(())
}

/// What was read, and whether it is exact or an estimate.
struct Read {
    requests: Box<dyn Demand>,
    exact: bool,
}

fn read(path: &Path, multiple_of: Option<usize>) -> Result<Read> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let not = |what| format!("{} is no {what}", path.display());
    // Lossy: a serial line may have garbled something else in the log.
    let text = String::from_utf8_lossy(&bytes);
    if text.contains(FIRST_LINE) {
        ensure!(multiple_of.is_none(), "--multiple-of is for traces: a histogram has sizes of its own");
        let demand = HistogramDemand::parse(&text).with_context(|| not("histogram to fit to"))?;
        return Ok(Read { requests: Box::new(demand), exact: false });
    }
    let trace = Trace::from_bytes(&bytes).with_context(|| not("trace, nor has it a line `tierpool histogram 1`"))?;
    let demand = TraceDemand::new(&trace, multiple_of.unwrap_or(4)).with_context(|| format!("{} cannot be fitted", path.display()))?;
    Ok(Read { requests: Box::new(demand), exact: true })
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
            let last = curve.last().map(|last| fitter.enlarged(last, memory)).filter(|last| last.hits > fit.hits);
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
    let geometry = if demand.exact { fit.geometry.clone() } else { fit.geometry.with_spill(1) };
    let of = format!("{} of {} requests", fit.hits, fit.requests);
    let (rate, advice) = if demand.exact {
        (format!("{:.2} %, {of}", fit.percent()), "")
    } else {
        let advice =
            "\nAn estimate: how long buffers live is only known for whole tiers. Let the pool record once more with these,\nand fit again.";
        (format!("about {:.0} %", fit.percent()), advice)
    };
    let slots = geometry.slots();
    format!(
        "tierpool::pool! {{ pub static POOL = {geometry}; }}\n\nhit rate  {rate}\nmemory    {} bytes, {slots} slots\n{advice}",
        geometry.memory()
    )
    .trim_end()
    .into()
}

fn table(curve: &[Fit]) -> Table {
    let mut table = Table::new(&["bytes", "hit rate", "tiers"], 0);
    for fit in curve {
        let Geometry { tiers, .. } = &fit.geometry;
        table.row([fit.geometry.memory().to_string(), format!("{:.2} %", fit.percent()), tiers.len().to_string()]);
    }
    table
}

fn chart(curve: &[Fit], chosen: &Fit, demand: &Read) -> Chart {
    let point = |fit: &Fit| (fit.geometry.memory() as f64 / 1024.0, fit.percent());
    let series = |name: &str, points, bold| Series { name: name.into(), points, bold };
    let default = Geometry { tiers: vec![(256, 16), (512, 16), (1024, 16)], spill: 0 };
    let requests = demand.requests.requests();
    let default = Fit { hits: demand.requests.hits(&default), requests, geometry: default };
    Chart {
        title: format!("Requests served{}", if demand.exact { "" } else { ", estimated" }),
        x: Axis::linear("KiB of memory"),
        y: Axis::linear("percent of the requests"),
        series: vec![
            series("fitted tiers", curve.iter().map(point).collect(), true),
            series("the line printed", vec![point(chosen)], false),
            series("default geometry", vec![point(&default)], false),
        ],
    }
}

/// A line that the next one replaces, on a terminal; empty to end.
fn progress(line: &str) {
    if stderr().is_terminal() {
        eprint!("\r\x1b[K{line}");
        let _ = stderr().flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!(told.starts_with("tierpool::pool! { pub static POOL = [") && told.contains("of 560 requests"), "{told}");
        }
    }

    #[test]
    fn the_chart_is_written() {
        let (trace, svg) = (written(b"a 0 16\na 1 16\nf 1\na 1 40\n"), written(b""));
        fit(&Options { chart: Some(svg.to_path_buf()), ..options(&trace) }).unwrap();
        assert!(fs::read_to_string(svg).unwrap().contains("fitted tiers"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |options: Options| format!("{:#}", fit(&options).unwrap_err()).replace(options.file.to_str().unwrap(), "FILE");
        assert!(error(options(Path::new("/no/such"))).starts_with("cannot read FILE"));
        let error_of = |content: &str, change: fn(Options) -> Options| {
            let trace = written(content.as_bytes());
            error(change(options(&trace)))
        };
        assert_eq!(
            error_of("hello", |plain| plain),
            "FILE is no trace, nor has it a line `tierpool histogram 1`: line 1: neither `a ID SIZE` nor `f ID`"
        );
        assert!(error_of("# empty\n", |plain| plain).contains("no request that a pool could serve"));
        assert!(error_of("tierpool histogram 1\nsize", |plain| plain).contains("is no histogram to fit to: line 2"));
        assert!(
            error_of("a 0 16", |plain| Options { memory: Some(10), ..plain })
                .contains("the smallest pool for these requests takes 84 bytes")
        );
        assert!(error_of("a 0 16 ", |plain| Options { hit_rate: 101.0, ..plain }).contains("0 to 100 percent"));
    }
}
