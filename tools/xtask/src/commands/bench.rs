//! `cargo xtask bench`
//!
//! ```text
//!   benches/ ──lines of JSON──► records ──► tables   on the terminal, and in docs/generated/
//!                                      ├──► charts   beside it
//!                                      └──► --json FILE
//! ```
//!
//! A step for each question; the last one makes the tables of what they have left in the build folder.

mod charts;
mod records;
mod tables;

use crate::{report, shell::Shell, step::Step};
use anyhow::{Context, Result};
use records::Records;
use std::fs;
use std::path::PathBuf;

pub const STEPS: &[Step] = &[
    Step { name: "build", run: build },
    Step { name: "machine", run: |shell| ask(shell, "machine") },
    Step { name: "allocate and free, 1 to 8 threads", run: |shell| ask(shell, "pair") },
    Step { name: "a packet, alone and handed over", run: |shell| ask(shell, "packet") },
    Step { name: "tails of the allocation times", run: |shell| ask(shell, "tail") },
    Step { name: "growth of tiers and slots", run: |shell| ask(shell, "growth") },
    Step { name: "tables and charts", run: tables_and_charts },
];

const QUESTIONS: [&str; 5] = ["machine", "pair", "packet", "tail", "growth"];

/// As firmware is built, see the profile in the workspace's `Cargo.toml`.
const PROGRAM: [&str; 5] = ["--quiet", "--profile", "bench", "--package", "tierpool-benches"];

fn build(shell: &Shell) -> Result<()> {
    shell.run(shell.cargo(["build"]).args(PROGRAM))?;
    // What an earlier run has left must not pass for this one's.
    let folder = Shell::scratch("bench");
    fs::create_dir_all(&folder)?;
    QUESTIONS.iter().map(|question| lines_of(question)).filter(|path| path.exists()).try_for_each(fs::remove_file)?;
    Ok(())
}

fn lines_of(question: &str) -> PathBuf {
    Shell::scratch("bench").join(question).with_extension("jsonl")
}

fn ask(shell: &Shell, question: &str) -> Result<()> {
    let mut command = shell.cargo(["run"]);
    command.args(PROGRAM).args(["--", question]).args((!shell.keep).then_some("--quick"));
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

fn tables_and_charts(shell: &Shell) -> Result<()> {
    let mut lines = String::new();
    for question in QUESTIONS {
        lines += &fs::read_to_string(lines_of(question)).with_context(|| format!("no figures of `{question}`"))?;
    }
    let records = Records::parse(&lines)?;
    for (name, title, table) in tables::all(&records) {
        shell.report(title, &table.plain());
        report::keep(shell, name, &table.markdown())?;
    }
    if let Some(path) = &shell.json {
        let path = Shell::root().join(path);
        fs::write(&path, records.json()?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if shell.keep {
        let charts = [("bench-throughput.svg", charts::throughput(&records)), ("bench-latency.svg", charts::latency(&records))];
        // A chart of nothing cannot be drawn: where every round was discarded, the old one stays and the table says it.
        for (name, chart) in charts.iter().filter(|it| !it.1.series.is_empty()) {
            chart.write(&Shell::root().join(report::FOLDER).join(name))?;
        }
        shell.note(format!("in {}", report::FOLDER));
    }
    Ok(())
}
