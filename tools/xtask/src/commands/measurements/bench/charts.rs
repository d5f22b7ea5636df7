//! Charts for `docs/benchmarks.md`.

use super::records::{Records, text, whole};
use serde_json::Value;
use tierpool_charts::{Axis, Chart, Series};

/// More lines than these nobody can follow; the table has all.
const SHOWN: [&str; 15] = [
    "tierpool handles",
    "tierpool PoolCache",
    "heapless box_pool!",
    "heapless arc_pool!",
    "atomic-pool",
    "ArrayQueue of indices",
    "spinlock pool",
    "mutex pool",
    "spinlock pool, Arc handles",
    "mutex pool, Arc handles",
    "bytes on glibc",
    "bytes on mimalloc",
    "glibc malloc",
    "mimalloc",
    "rlsf",
];

/// Pairs of all threads together, in the time that one floor takes, against the number of threads.
pub fn throughput(records: &Records) -> Chart {
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
    let series = SHOWN.map(|name| Series {
        name: name.into(),
        points: figures().filter(|it| text(it, "candidate") == name).filter_map(point).collect(),
        bold: name.starts_with("tierpool"),
    });
    let ticks = threads
        .into_iter()
        .map(|(n, more)| (n as f64, if more { format!("{n} (in turns)") } else { n.to_string() }));
    Chart {
        title: "Allocate and free 500 bytes: throughput".into(),
        x: Axis::log("threads").ticks(ticks),
        y: Axis::log("pairs in the time of two uncontended compare-and-swaps"),
        series: series.into_iter().filter(|it| !it.points.is_empty()).collect(),
    }
}

/// How long an allocation takes, against the share of allocations that take no longer.
pub fn latency(records: &Records) -> Chart {
    const MEASURES: [&str; 7] = ["p50", "p90", "p99", "p99.9", "p99.99", "p99.999", "max"];
    let names: Vec<&str> =
        records.figures("tail", MEASURES[0]).map(|it| text(it, "candidate")).collect();
    let value = |name: &str, measure| {
        records.figures("tail", measure).find(|it| text(it, "candidate") == name)?["median"]
            .as_f64()
    };
    let point = |name: &str, at: usize| Some((at as f64, value(name, MEASURES[at])?));
    let series = names.into_iter().map(|name| Series {
        name: name.into(),
        points: (0..MEASURES.len()).filter_map(|at| point(name, at)).collect(),
        bold: name.starts_with("tierpool"),
    });
    let tick = |measure: &str| {
        measure.strip_prefix('p').map_or_else(|| measure.into(), |percent| format!("{percent} %"))
    };
    Chart {
        title: "Time of one allocation, twice as many threads as cores".into(),
        x: Axis::linear("share of the allocations")
            .ticks(MEASURES.iter().enumerate().map(|(at, measure)| (at as f64, tick(measure)))),
        y: Axis::log("uncontended compare-and-swaps"),
        series: series.filter(|it| !it.points.is_empty()).collect(),
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
        let chart = throughput(&Records::parse(&lines.join("\n")).unwrap());
        assert_eq!(chart.series.len(), 1);
        assert_eq!(chart.series[0].points, [(1.0, 0.5), (2.0, 0.1)]);
        assert!(chart.svg().unwrap().contains("mutex pool"));
        assert!(latency(&Records::parse("").unwrap()).series.is_empty());
    }
}
