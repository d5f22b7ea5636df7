//! `cargo xtask litmus`

use crate::report;
use crate::{shell::Shell, step::Step};
use anyhow::{Context, Result, ensure};

pub fn steps() -> Vec<Step> {
    vec![Step::new("classical litmus tests", classical), Step::new("races of the protocol", races)]
}

/// The models give the published verdicts.
fn classical(shell: &Shell) -> Result<()> {
    let printed = shell.run(&mut shell.cargo(["test", "--package", "litmus", "--lib"]))?.stdout;
    ensure!(printed.contains("test result: ok"), "no test ran");
    Ok(())
}

/// Nothing that must not happen is possible, and each weaker ordering makes something possible.
fn races(shell: &Shell) -> Result<()> {
    let printed = shell.run(&mut shell.cargo(["run", "--quiet", "--package", "litmus"]))?.stdout;
    let (races, orderings) = printed.split_once("\n\n").context("two tables")?;
    let rows =
        |table: &str| table.lines().filter(|line| line.starts_with('|')).count().saturating_sub(2);
    ensure!(rows(races) > 0 && rows(orderings) > 0, "a table is empty");
    shell.note(format!("{} races, {} weaker orderings", rows(races), rows(orderings)));
    shell.report("races and orderings", &printed);
    report::keep(shell, "litmus", &format!("{}\n", printed.trim_end()))
}
