//! Hit rate against memory.

use super::report::Report;
use crate::progress::progress;
use tierpool_charts::{Axis, Chart, Series};
use tierpool_traces::fit::{Fit, Fitter};

/// Points of the chart.
const POINTS: usize = 16;

/// Hit rates against memory, in even steps up to where more is of no use.
pub(crate) fn curve(fitter: &Fitter<'_>) -> Vec<Fit> {
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
    curve
}

pub(crate) fn chart(report: &Report<'_>) -> Chart {
    let point = |fit: &Fit| (fit.geometry.memory() as f64 / 1024.0, fit.percent());
    let series = |name: &str, points, own| Series { name: name.into(), points, own };
    let mut lines = vec![
        series("fitted tiers", report.curve.iter().map(point).collect(), true),
        series("the pool proposed", vec![point(&report.proposed)], false),
        series("default geometry", vec![point(&report.usual)], false),
    ];
    lines.extend(report.today.iter().map(|today| series("now", vec![point(today)], false)));
    Chart {
        title: format!("Requests served{}", if report.exact() { "" } else { ", estimated" }),
        x: Axis::linear("KiB of memory"),
        y: Axis::linear("percent of the requests"),
        series: lines,
    }
}
