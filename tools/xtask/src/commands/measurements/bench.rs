//! `cargo xtask bench`
//!
//! ```text
//!   benches/ ──lines of JSON──► records ──► tables   on the terminal, and in docs/generated/
//!                                      ├──► charts   beside it
//!                                      └──► --json FILE ──► --redraw FILE: tables and charts again
//! ```
//!
//! A step for each question; the last one makes the tables of what they have left in the build
//! folder.

mod charts;
mod records;
mod tables;

use crate::{report, shell::Shell, step::Step};
use anyhow::{Context, Result};
use records::Records;
use std::fs;
use std::path::{Path, PathBuf};

/// Coarsely, if `quick`; the figures also go to `json`.
pub fn steps(quick: bool, json: Option<PathBuf>) -> Vec<Step> {
    vec![
        Step::new("build", build),
        Step::new("machine", move |shell| ask(shell, "machine", quick)),
        Step::new("allocate and free, 1 to 8 threads", move |shell| ask(shell, "pair", quick)),
        Step::new("a packet, alone and handed over", move |shell| ask(shell, "packet", quick)),
        Step::new("tails of the allocation times", move |shell| ask(shell, "tail", quick)),
        Step::new("growth of tiers and slots", move |shell| ask(shell, "growth", quick)),
        Step::new("tables and charts", move |shell| {
            tables_and_charts(shell, measured()?, json.as_deref())
        }),
    ]
}

/// Of figures that `--json` has written, without a measurement.
pub fn redraw(path: PathBuf) -> Vec<Step> {
    vec![Step::new("tables and charts", move |shell| {
        tables_and_charts(shell, recorded(&path)?, None)
    })]
}

const QUESTIONS: [&str; 5] = ["machine", "pair", "packet", "tail", "growth"];

/// As firmware is built, see the profile in the workspace's `Cargo.toml`.
const PROGRAM: [&str; 5] = ["--quiet", "--profile", "bench", "--package", "tierpool-benches"];

fn build(shell: &Shell) -> Result<()> {
    shell.run(shell.cargo(["build"]).args(PROGRAM))?;
    // What an earlier run has left must not pass for this one's.
    let folder = Shell::scratch("bench");
    fs::create_dir_all(&folder)?;
    QUESTIONS
        .iter()
        .map(|question| lines_of(question))
        .filter(|path| path.exists())
        .try_for_each(fs::remove_file)?;
    Ok(())
}

fn lines_of(question: &str) -> PathBuf {
    Shell::scratch("bench").join(question).with_extension("jsonl")
}

fn ask(shell: &Shell, question: &str, quick: bool) -> Result<()> {
    let mut command = shell.cargo(["run"]);
    command.args(PROGRAM).args(["--", question]).args(quick.then_some("--quick"));
    let mut lines = String::new();
    shell.run_by_line(&mut command, |line| {
        match records::progress(line)? {
            Some(text) => shell.progress(&text),
            None => lines += &format!("{line}\n"),
        }
        Ok(())
    })?;
    let records = Records::parse(&lines)?;
    shell.note(records.summary());
    fs::write(lines_of(question), lines)?;
    Ok(())
}

/// All figures of this run.
fn measured() -> Result<Records> {
    let mut lines = String::new();
    for question in QUESTIONS {
        lines += &fs::read_to_string(lines_of(question))
            .with_context(|| format!("no figures of `{question}`"))?;
    }
    Records::parse(&lines)
}

/// All figures that an earlier run has written.
fn recorded(path: &Path) -> Result<Records> {
    let json = fs::read_to_string(Shell::root().join(path))
        .with_context(|| format!("cannot read {}", path.display()))?;
    Records::from_json(&json)
}

fn tables_and_charts(shell: &Shell, records: Records, json: Option<&Path>) -> Result<()> {
    for (name, title, table) in tables::all(&records) {
        shell.report(title, &table.plain());
        report::keep(shell, name, &table.markdown())?;
    }
    if let Some(path) = json {
        let path = Shell::root().join(path);
        fs::write(&path, records.json()?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if shell.keep {
        // A chart of nothing cannot be drawn: where every round was discarded, the old one stays
        // and the table says it.
        for (name, chart) in charts::all(&records).iter().filter(|it| !it.1.series.is_empty()) {
            chart.write(&Shell::root().join(report::FOLDER).join(name))?;
        }
        shell.note(format!("in {}", report::FOLDER));
    }
    Ok(())
}
