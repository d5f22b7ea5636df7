//! `tierpool fit`: the tiers that serve a recorded trace best, or what a running pool was asked
//! for.
//!
//! ```text
//!   a trace, or a log of allocations     ┐                        ┌─► declaration.rs  a `pool!` that compiles
//!   the lines of `tierpool::Histogram`   ┴─► tierpool_traces::fit ┼─► report.rs       text or JSON, beside the pool of today
//!                                            read.rs              └─► chart.rs        hit rate against memory
//! ```

mod chart;
mod declaration;
mod read;
mod report;

use crate::advised;
use crate::progress::progress;
use anyhow::{Context, Result, ensure};
use clap::Args;
use read::{Source, Traffic};
use report::Report;
use std::io::{Write, stdout};
use std::path::PathBuf;
use tierpool_traces::fit::{Fit, Fitter, Geometry, MAX_TIERS, Unfit};

/// The tiers that serve a recorded trace best, or what a running pool was asked for
///
/// Prints a `pool!` declaration, and what to expect of it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tierpool fit node.trace                                    the smallest pool that serves 95 %
  tierpool fit node.trace --memory 20000 --name RX           the best pool of 20 000 bytes
  tierpool fit device.log --against '[256 x 16, 512 x 16]'   beside the pool of today")]
pub struct Options {
    /// A heap trace (lines `a ID SIZE`, `f ID` and `r OLD NEW SIZE`, or the packed form), what
    /// `TraceAlloc` writes, a dump of glibc's `mtrace` or of ESP-IDF's `heap_trace_dump`, or a log
    /// with what `Pool::histogram` prints; `-` is standard input
    #[arg(value_name = "TRACE")]
    file: PathBuf,

    /// The tiers that serve most within so many bytes: payload, and on a 32-bit target 4 bytes a
    /// slot and 16 a tier
    #[arg(long, value_name = "BYTES", conflicts_with = "hit_rate")]
    memory: Option<usize>,

    /// The smallest pool that serves so much of the requests
    #[arg(long, value_name = "PERCENT", default_value_t = 95.0)]
    hit_rate: f64,

    /// At most so many tiers, 1 to 16
    #[arg(long, value_name = "N", default_value_t = MAX_TIERS)]
    max_tiers: usize,

    /// Slot sizes are multiples of this, so slots are at least so aligned; for a trace, 4 unless
    /// told
    #[arg(long, value_name = "BYTES")]
    multiple_of: Option<usize>,

    /// The name of the static in the declaration
    #[arg(long, default_value = "POOL", value_parser = declaration::name)]
    name: String,

    /// Show the pool of today beside the proposed one, as it stands in `pool!`
    #[arg(long, value_name = "TIERS", value_parser = str::parse::<Geometry>)]
    against: Option<Geometry>,

    /// Draw hit rate against memory into this SVG file, and print it as a table
    #[arg(long, value_name = "FILE.svg")]
    chart: Option<PathBuf>,

    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let told = fit(options)?;
    stdout().write_all(told.as_bytes()).context("cannot write to standard output")
}

/// What is printed.
fn fit(options: &Options) -> Result<String> {
    ensure!(
        (0.0..=100.0).contains(&options.hit_rate),
        "--hit-rate {}: a rate is 0 to 100 percent",
        options.hit_rate
    );
    ensure!(
        (1..=MAX_TIERS).contains(&options.max_tiers),
        "--max-tiers {}: a pool has 1 to {MAX_TIERS} tiers",
        options.max_tiers
    );
    let traffic = read::read(&options.file, options.multiple_of)?;
    let report = fitted(options, &traffic)
        .map_err(|why| match why {
            Unfit::HitRate { .. } => advised(why, "lower --hit-rate, or raise --max-tiers"),
            Unfit::Memory { .. } => advised(why, "raise --memory"),
            Unfit::NoRequests | Unfit::Multiple => why.into(),
        })
        .with_context(|| {
            [&[format!("{} cannot be fitted", options.file.display())], &traffic.notes[..]]
                .concat()
                .join("; ")
        })?;
    progress("");
    if let Some(path) = &options.chart {
        chart::chart(&report).write(path)?;
    }
    Ok(if options.json { report.json() } else { report.text(options.chart.as_deref()) })
}

fn fitted<'a>(options: &Options, traffic: &'a Traffic) -> Result<Report<'a>, Unfit> {
    let demand = &*traffic.requests;
    let fitter = Fitter::new(demand, &mut |done, of| {
        progress(&format!("replaying for classes of sizes: {done} of {of}"))
    });
    let fitter = fitter.most_tiers(options.max_tiers);
    let mut proposed = match options.memory {
        Some(bytes) => {
            progress("choosing tiers");
            fitter.for_memory(bytes)?
        }
        None => fitter.for_hit_rate(options.hit_rate, &mut |bytes| {
            progress(&format!("choosing tiers of {bytes} bytes"))
        })?,
    };
    if traffic.source == Source::Histogram {
        // An estimate of what lives at once may be low for a tier, and high for the next one.
        proposed.geometry = proposed.geometry.with_spill(1);
    }
    let of = |geometry: &Geometry| Fit {
        hits: demand.hits(geometry),
        requests: demand.requests(),
        geometry: geometry.clone(),
    };
    Ok(Report {
        name: options.name.clone(),
        proposed,
        today: options.against.as_ref().map(of),
        usual: of(&"default".parse().expect("it is a tier list")),
        curve: if options.chart.is_some() { chart::curve(&fitter) } else { Vec::new() },
        traffic,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;
    use tierpool_traces::{Trace, packed};

    /// A file that is gone with what is returned.
    fn written(content: &[u8]) -> tempfile::TempPath {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        fs::write(&path, content).unwrap();
        path
    }

    fn options(file: &Path) -> Options {
        Options {
            file: file.into(),
            memory: None,
            hit_rate: 95.0,
            max_tiers: 16,
            multiple_of: None,
            name: "POOL".into(),
            against: None,
            chart: None,
            json: false,
        }
    }

    #[test]
    fn a_trace_in_either_form_gives_its_line() {
        let trace = Trace::reticulum_loopback();
        for content in [packed::pack(&trace), trace.to_string().into()] {
            let path = written(&content);
            let told = fit(&Options { memory: Some(4096), ..options(&path) }).unwrap();
            assert!(
                told.contains("pub static POOL = [") && told.contains("of 560 requests"),
                "{told}"
            );
        }
    }

    /// What was left out is said, and what is an estimate.
    #[test]
    fn logs_of_others_are_read_and_doubts_said() {
        let told_of = |log: &str| {
            fit(&Options { hit_rate: 100.0, ..options(&written(log.as_bytes())) }).unwrap()
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

    /// Few tiers and a name are kept to, and the pool of today stands beside the proposed one.
    #[test]
    fn today_stands_beside_the_proposed() {
        let path = written(Trace::reticulum_loopback().to_string().as_bytes());
        let wanted = Options {
            memory: Some(4096),
            max_tiers: 2,
            name: "RX".into(),
            against: Some("[64 x 8, 512 x 2]".parse().unwrap()),
            json: true,
            ..options(&path)
        };
        let json: serde_json::Value = serde_json::from_str(&fit(&wanted).unwrap()).unwrap();
        assert_eq!(json["today"]["memory"], 8 * 68 + 2 * 516 + 32);
        assert_eq!(json["today"]["tiers"][1]["bytes"], 512);
        assert!(json["proposed"]["tiers"].as_array().unwrap().len() <= 2);
        assert!(json["proposed"]["hits"].as_u64() > json["today"]["hits"].as_u64());
        assert_eq!((&json["requests"], &json["source"]), (&560.into(), &"trace".into()));
        let told = fit(&Options { json: false, ..wanted }).unwrap();
        let row = |name: &str| {
            told.lines().find(|line| line.starts_with(name)).expect(name).split_whitespace().count()
        };
        assert!(told.contains("static RX = ["), "{told}");
        assert_eq!([row("now"), row("proposed")], [7, 7], "{told}");
    }

    #[test]
    fn the_chart_is_written() {
        let (trace, svg) = (written(b"a 0 16\na 1 16\nf 1\na 1 40\n"), written(b""));
        let told = fit(&Options {
            chart: Some(svg.to_path_buf()),
            against: Some("[16 x 1]".parse().unwrap()),
            ..options(&trace)
        });
        assert!(told.unwrap().contains("hit rate"));
        let svg = fs::read_to_string(svg).unwrap();
        assert!(svg.contains("fitted tiers") && svg.contains("now"));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_to_do() {
        let error = |options: Options| {
            format!("{:#}", fit(&options).unwrap_err())
                .replace(options.file.to_str().unwrap(), "FILE")
        };
        assert!(error(options(Path::new("/no/such"))).starts_with("cannot read FILE"));
        let error_of = |content: &str, change: fn(Options) -> Options| {
            let trace = written(content.as_bytes());
            error(change(options(&trace)))
        };
        let no_trace = error_of("hello", |plain| plain);
        assert!(
            no_trace.starts_with(
                "FILE is no trace, nor has it a line `tierpool histogram 1`: line 1: neither `a ID SIZE` nor `f ID`\nhelp: "
            ) && no_trace.contains("tierpool record")
                && no_trace.contains("statistics are for `tierpool watch`"),
            "{no_trace}"
        );
        assert!(
            error_of("# empty\n", |plain| plain).contains("no request that a pool could serve")
        );
        let cut = error_of("tierpool histogram 1\nsize", |plain| plain);
        assert!(
            cut.contains("is no histogram to fit to: line 2") && cut.contains("\nhelp: "),
            "{cut}"
        );
        let leak = "tierpool histogram 1\ntier 64 8 8 8 100000000\nsize 64 100000008\nlarger 0";
        assert!(error_of(leak, |plain| plain).contains("100000000 requests were refused"));
        assert!(
            error_of("a 0 16", |plain| Options { memory: Some(10), ..plain }).contains(
                "the smallest pool for these requests takes 84 bytes\nhelp: raise --memory"
            )
        );
        assert!(
            error_of("a 0 16 ", |plain| Options { hit_rate: 101.0, ..plain })
                .contains("0 to 100 percent")
        );
        assert!(
            error_of("a 0 16 ", |plain| Options { max_tiers: 0, ..plain })
                .contains("1 to 16 tiers")
        );
        assert!(
            error_of("a 0 99999\na 1 8", |plain| plain).contains("help: lower --hit-rate"),
            "no slot is so large"
        );
    }
}
