//! `cargo xtask faults`
//!
//! The program of `verify/faults/`, optimised: a thread is suspended, or interrupted, in the middle
//! of what it does with a pool. That both checks can fail is shown on pools behind a lock.

use crate::report::{self, Table};
use crate::{shell::Shell, step::Step};
use anyhow::{Context, Result};
use std::process::Command;

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("a suspended thread holds nobody up", |shell| withstands(shell, "progress")),
        Step::new("a signal handler uses what it has interrupted", |shell| {
            withstands(shell, "reentrancy")
        }),
        Step::new("pools behind a lock stand still", locks),
    ]
}

/// Runs it on the library, and keeps what it prints.
fn withstands(shell: &Shell, command: &str) -> Result<()> {
    let printed = shell.run(program(shell).arg(command))?.stdout;
    shell.note(printed.lines().next_back().context("it has printed nothing")?);
    shell.report(command, &printed);
    report::keep(shell, command, &format!("```text\n{printed}```\n"))
}

fn locks(shell: &Shell) -> Result<()> {
    let mut table = Table::new(&["command", "pool", "outcome"], 3);
    for command in ["progress", "reentrancy"] {
        for pool in ["spinlock", "mutex"] {
            let mut program = program(shell);
            let said = shell.run_failing(
                program.args([command, "--pool", pool, "--patience", "2"]),
                "stands still",
            )?;
            table.row([command, pool, &said]);
        }
    }
    shell.report("pools behind a lock", &table.plain());
    report::keep(shell, "locks", &table.markdown())
}

/// The optimised program.
fn program(shell: &Shell) -> Command {
    shell.cargo(["run", "--quiet", "--release", "--package", "tierpool-faults", "--"])
}
