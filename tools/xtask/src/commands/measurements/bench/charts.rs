//! Charts for `docs/benchmarks.md`.

use super::records::{Records, text, whole};
use serde_json::Value;
use tierpool_charts::{Axis, Chart, Series};

const POOLS: [&str; 7] = [
    "tierpool handles",
    "tierpool handles, 8 lanes",
    "atomic-pool",
    "heapless box_pool!",
    "heapless arc_pool!",
    "spinlock pool",
    "mutex pool",
];
const HEAPS: [&str; 7] = [
    "tierpool PoolCache",
    "tierpool handles, 8 lanes",
    "glibc malloc",
    "mimalloc",
    "bytes on glibc",
    "bytes on mimalloc",
    "rlsf",
];
const TAILS: [&str; 7] = [
    "tierpool handles",
    "tierpool handles, 8 lanes",
    "tierpool PoolCache",
    "mutex pool",
    "glibc malloc",
    "mimalloc",
    "the clock alone",
];

/// The charts, each with its file: one message a chart. The tables have all candidates.
pub fn all(records: &Records) -> [(&'static str, Chart); 3] {
    [
        ("bench-pools.svg", throughput(records, "Pools that all threads share", &POOLS)),
        (
            "bench-heaps.svg",
            throughput(records, "A cache or a lane for each thread, beside heaps", &HEAPS),
        ),
        ("bench-latency.svg", latency(records, &TAILS)),
    ]
}

fn lines(names: &[&str], points: impl Fn(&str) -> Vec<(f64, f64)>) -> Vec<Series> {
    let series = names.iter().map(|&name| Series {
        name: name.into(),
        points: points(name),
        own: name.starts_with("tierpool"),
    });
    series.filter(|it| !it.points.is_empty()).collect()
}

/// Pairs of all threads together, in the time that one floor takes, against the number of threads.
fn throughput(records: &Records, title: &str, names: &[&str]) -> Chart {
    let figures = || records.figures("pair", "cost");
    let mut threads: Vec<(u64, bool)> =
        figures().map(|it| (whole(it, "threads"), it["oversubscribed"] == true)).collect();
    threads.dedup();
    let cores = threads.iter().filter(|it| !it.1).map(|it| it.0).max().unwrap_or(1);
    // A thread that waits for a core waits in the floor, too, so only as many threads add up as
    // there are cores.
    let point = |it: &Value| {
        Some((
            whole(it, "threads") as f64,
            whole(it, "threads").min(cores) as f64 / it["median"].as_f64()?,
        ))
    };
    let points = |name: &str| {
        figures().filter(|it| text(it, "candidate") == name).filter_map(point).collect()
    };
    let ticks = threads
        .into_iter()
        .map(|(n, more)| (n as f64, if more { format!("{n} (in turns)") } else { n.to_string() }));
    Chart {
        title: title.into(),
        x: Axis::log("threads").ticks(ticks),
        y: Axis::log(
            "allocate and free 500 bytes: pairs in the time of two compare-and-swaps (higher is better)",
        ),
        series: lines(names, points),
    }
}

/// How long an allocation takes, against the share of allocations that take no longer.
fn latency(records: &Records, names: &[&str]) -> Chart {
    // Not the longest of all: it is the scheduler's, and every candidate has it.
    const MEASURES: [&str; 6] = ["p50", "p90", "p99", "p99.9", "p99.99", "p99.999"];
    let value = |name: &str, measure| {
        records.figures("tail", measure).find(|it| text(it, "candidate") == name)?["median"]
            .as_f64()
    };
    let points = |name: &str| {
        let point = |at: usize| Some((at as f64, value(name, MEASURES[at])?));
        (0..MEASURES.len()).filter_map(point).collect()
    };
    let tick = |measure: &str| format!("{} %", measure.trim_start_matches('p'));
    Chart {
        title: "Time of one allocation, twice as many threads as cores".into(),
        x: Axis::linear("share of the allocations that take no longer")
            .ticks(MEASURES.iter().enumerate().map(|(at, measure)| (at as f64, tick(measure)))),
        y: Axis::log("uncontended compare-and-swaps (lower is better)"),
        series: lines(names, points),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_become_lines_without_missing_ones() {
        let pair = |candidate, threads, more, median| {
            format!(
                r#"{{"record":"figure","question":"pair","measure":"cost","candidate":"{candidate}","threads":{threads},"oversubscribed":{more}{median}}}"#
            )
        };
        let lines = [
            pair("mutex pool", 1, false, r#","median":2.0"#),
            pair("mutex pool", 2, false, r#","median":20.0"#),
            pair("rlsf", 1, false, ""),
        ];
        let records = Records::parse(&lines.join("\n")).unwrap();
        let chart = throughput(&records, "Pools", &["atomic-pool", "mutex pool", "rlsf"]);
        assert_eq!(chart.series.len(), 1);
        assert_eq!(chart.series[0].points, [(1.0, 0.5), (2.0, 0.1)]);
        assert!(chart.svg().unwrap().contains("mutex pool"));
        // The names of all charts have room, whatever a run has measured.
        let mut lines = String::new();
        for (_, chart) in all(&Records::parse("").unwrap()) {
            assert!(chart.series.is_empty());
        }
        for name in POOLS.iter().chain(&HEAPS).chain(&TAILS) {
            for threads in [1, 2, 4, 8] {
                lines += &(pair(name, threads, threads > 2, r#","median":0.5"#) + "\n");
            }
            for (measure, median) in [("p50", 4.0), ("p99.999", 3e6)] {
                lines += &format!(
                    "{}\n",
                    serde_json::json!({
                        "record": "figure", "question": "tail", "measure": measure,
                        "candidate": name, "median": median,
                    })
                );
            }
        }
        for (_, chart) in all(&Records::parse(&lines).unwrap()) {
            assert_eq!(chart.series.len(), 7);
            assert!(chart.svg().is_ok(), "{}", chart.title);
        }
    }
}
