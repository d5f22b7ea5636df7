//! `cargo xtask replay`
//!
//! Builds `benches/replay` for 32 bits, as firmware has it, runs it, and shows its lines as tables
//! and a chart:
//!
//! | lines | become |
//! |---|---|
//! | `memory`, `tiers` | in how much memory the trace completes |
//! | `equal` | hits, failures, the largest free block, fragmentation, in equal memory |
//! | `sample` | `docs/generated/fragmentation-HEAP.svg`, one a heap |
//! | `time` | times in ratio to the heap alone |

use crate::report::{self, Table};
use crate::{shell::Shell, step::Step, tools};
use anyhow::{Context, Result, ensure};
use tierpool_charts::{Axis, Chart, Series};

pub fn steps(quick: bool) -> Vec<Step> {
    vec![Step::new("the recorded trace on heaps and pools", move |shell| replay(shell, quick))]
}

const TARGET: &str = "i686-unknown-linux-gnu";
/// Time with the default pool in front, in ratio to the heap alone.
const MARK: f64 = 1.4;
/// The memory whose fragmentation is drawn, in KiB.
const DRAWN: &str = "168";

fn replay(shell: &Shell, quick: bool) -> Result<()> {
    shell.need(&tools::DEBIAN_RUST)?;
    shell.need(&tools::LINKER_32)?;
    let target = Shell::scratch("replay");
    let mut build = shell.debian_cargo();
    build.args([
        "build",
        "-Zbuild-std",
        "--release",
        "--package",
        "tierpool-replay",
        "--target",
        TARGET,
    ]);
    shell.run(build.arg("--target-dir").arg(&target))?;
    let program = target.join(TARGET).join("release/tierpool-replay");
    let printed = shell.run(shell.command(program).args(quick.then_some("--quick")))?.stdout;
    let lines = Lines::of(&printed);
    ensure!(lines.rows("bits").any(|row| row == ["32"]), "the program was not built for 32 bits");

    let headings = ["heap", "before it", "bytes of the pool", "trace completes in, bytes"];
    show(
        shell,
        "replay-memory",
        "in how much memory the trace completes",
        &headings,
        2,
        &lines,
        "memory",
    )?;
    let fitted = lines.rows("tiers").filter(|row| row[1] == "fitted pool");
    let fitted = fitted
        .map(|row| {
            format!("// before {}\ntierpool::pool! {{ static POOL = {}; }}\n", row[0], row[2])
        })
        .collect::<String>();
    let fitted = format!("```text\n{fitted}```\n");
    shell.report("the fitted pools", &fitted);
    report::keep(shell, "replay-tiers", &fitted)?;
    let headings = [
        "KiB",
        "heap",
        "before it",
        "hit rate",
        "failed",
        "largest at end",
        "largest, least",
        "fragmentation",
        "at most",
    ];
    show(shell, "replay-equal", "in equal memory, one thread", &headings, 3, &lines, "equal")?;
    let headings = [
        "threads",
        "heap",
        "before it",
        "median",
        "min",
        "max",
        "ms alone",
        "rounds",
        "hit rate",
        "failed",
    ];
    show(shell, "replay-time", "time, in ratio to the heap alone", &headings, 3, &lines, "time")?;
    marks(shell, &lines)?;

    let folder = if shell.keep { Shell::root().join(report::FOLDER) } else { target };
    for (name, chart) in charts(&lines)? {
        chart.write(&folder.join(name))?;
    }
    shell.note(format!("charts in {}", folder.display()));
    Ok(())
}

/// What the program printed.
struct Lines<'a>(Vec<Vec<&'a str>>);

impl<'a> Lines<'a> {
    fn of(printed: &'a str) -> Self {
        Lines(printed.lines().map(|line| line.split('\t').collect()).collect())
    }

    /// The fields of one table's lines.
    fn rows(&self, table: &str) -> impl Iterator<Item = &[&'a str]> {
        self.0.iter().filter(move |line| line[0] == table).map(|line| &line[1..])
    }
}

/// Shows one table, and keeps it under `name` if asked to.
fn show(
    shell: &Shell,
    name: &str,
    title: &str,
    headings: &[&str],
    text: usize,
    lines: &Lines<'_>,
    rows: &str,
) -> Result<()> {
    let mut table = Table::new(headings, text);
    for row in lines.rows(rows) {
        ensure!(row.len() == headings.len(), "a line `{rows}` has {} fields", row.len());
        table.row(row.iter().copied());
    }
    shell.report(title, &table.plain());
    report::keep(shell, name, &table.markdown())
}

/// A pool that serves almost nothing must not cost much: the default pool, on one thread.
fn marks(shell: &Shell, lines: &Lines<'_>) -> Result<()> {
    let mut table = Table::new(&["mark", "wanted", "median", "kept"], 1);
    for row in lines.rows("time") {
        let ["one", heap, "default pool", median, ..] = row else { continue };
        let kept = median.parse::<f64>().context("a ratio")? <= MARK;
        table.row([
            format!("one thread: default pool before {heap} ÷ {heap} alone"),
            format!("at most {MARK:.2}"),
            (*median).into(),
            if kept { "yes" } else { "**no**" }.into(),
        ]);
    }
    shell.report("marks", &table.plain());
    report::keep(shell, "replay-marks", &table.markdown())
}

/// Fragmentation over the events of the trace: a chart a heap, and in it a line for what is before
/// the heap.
fn charts(lines: &Lines<'_>) -> Result<Vec<(String, Chart)>> {
    let mut charts: Vec<(String, Chart)> = Vec::new();
    for row in lines.rows("sample").filter(|row| row[0] == DRAWN) {
        let [_, heap, front, event, fragmentation] = row else { continue };
        let file = format!("fragmentation-{}.svg", heap.replace('_', "-"));
        if charts.last().is_none_or(|last| last.0 != file) {
            let chart = Chart {
                title: format!("Fragmentation of {heap} in {DRAWN} KiB"),
                x: Axis::linear("events of the trace"),
                y: Axis::linear(
                    "% of the free memory lies outside the largest block (lower is better)",
                ),
                series: Vec::new(),
            };
            charts.push((file, chart));
        }
        let Some((_, chart)) = charts.last_mut() else { continue };
        if chart.series.last().is_none_or(|last| last.name != *front) {
            let own = *front != "alone";
            chart.series.push(Series { own, name: front.to_string(), points: Vec::new() });
        }
        let Some(series) = chart.series.last_mut() else { continue };
        series.points.push((
            event.parse().context("an event")?,
            fragmentation.parse().context("a fragmentation")?,
        ));
    }
    Ok(charts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_become_lines() {
        let lines = Lines::of(
            "bits\t32\nsample\t168\trlsf\talone\t0\t1.5\nsample\t168\trlsf\talone\t9000\t2.5\nsample\t168\trlsf\tfitted pool\t0\t1\nsample\t256\trlsf\tno\t0\t1\nsample\t168\ta_heap\talone\t0\t7\n",
        );
        assert_eq!(lines.rows("sample").count(), 5);
        let charts = charts(&lines).unwrap();
        let files: Vec<&str> = charts.iter().map(|(file, _)| file.as_str()).collect();
        assert_eq!(files, ["fragmentation-rlsf.svg", "fragmentation-a-heap.svg"]);
        let [alone, fitted] = &charts[0].1.series[..] else { panic!("not two lines") };
        assert_eq!(alone.points, [(0.0, 1.5), (9000.0, 2.5)]);
        assert!(alone.name == "alone" && !alone.own);
        assert!(fitted.name == "fitted pool" && fitted.own);
        charts.iter().for_each(|(_, chart)| assert!(chart.svg().is_ok()));
    }
}
