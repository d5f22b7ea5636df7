//! `cargo xtask replay`
//!
//! Builds `benches/replay` for 32 bits, as firmware has it, runs it, and shows its lines as tables
//! and a chart:
//!
//! | lines | become |
//! |---|---|
//! | `memory`, `tiers` | in how much memory the trace completes |
//! | `equal` | hits, failures, the largest free block, fragmentation, in equal memory |
//! | `sample` | `docs/generated/fragmentation.svg` |
//! | `time` | times in ratio to the heap alone |

use crate::report::{self, Table};
use crate::{shell::Shell, step::Step, tools};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use tierpool_charts::{Axis, Chart, Series};

pub fn steps(quick: bool) -> Vec<Step> {
    vec![Step::new("the recorded trace on heaps and pools", move |shell| replay(shell, quick))]
}

const CHART: &str = "docs/generated/fragmentation.svg";
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

    let chart =
        if shell.keep { Shell::root().join(CHART) } else { target.join("fragmentation.svg") };
    draw(&lines, &chart)?;
    shell.note(chart.display().to_string());
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

/// Fragmentation over the events of the trace, a line a candidate.
fn draw(lines: &Lines<'_>, path: &Path) -> Result<()> {
    let mut series: Vec<Series> = Vec::new();
    for row in lines.rows("sample").filter(|row| row[0] == DRAWN) {
        let [_, heap, front, event, fragmentation] = row else { continue };
        let name = format!("{heap}, {front}").replace("linked_list_allocator", "linked list");
        let point = (
            event.parse::<f64>().context("an event")? / 1000.0,
            fragmentation.parse().context("a fragmentation")?,
        );
        match series.last_mut().filter(|last| last.name == name) {
            Some(last) => last.points.push(point),
            None => {
                series.push(Series { bold: *front == "fitted pool", name, points: vec![point] })
            }
        }
    }
    let chart = Chart {
        title: format!("Fragmentation of the heap in {DRAWN} KiB"),
        x: Axis::linear("thousand events of the trace"),
        y: Axis::linear("percent of the free memory outside the largest block"),
        series,
    };
    chart.write(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_become_lines() {
        let lines = Lines::of(
            "bits\t32\nsample\t168\trlsf\talone\t0\t1.5\nsample\t168\trlsf\talone\t9000\t2.5\nsample\t168\trlsf\tfitted pool\t0\t1\nsample\t256\trlsf\tno\t0\t1\n",
        );
        assert_eq!(lines.rows("sample").count(), 4);
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        draw(&lines, &path).unwrap();
        let svg = std::fs::read_to_string(path).unwrap();
        assert!(
            svg.contains("rlsf, alone")
                && svg.contains("rlsf, fitted pool")
                && !svg.contains("rlsf, no")
        );
    }
}
