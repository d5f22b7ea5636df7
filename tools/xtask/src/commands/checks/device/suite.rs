//! The tests on both cores, and the builds that they must catch.

use super::board::{Board, Cores, workspace};
use crate::commands::checks::mutants::copy_tracked;
use crate::mutation;
use crate::parallel::run_all;
use crate::shell::Shell;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// What the image does, its first argument (see `firmware/suite/src/main.rs`).
const FREE_RUNNING: u32 = 0;
const SEEDED: u32 = 1;
const WITH_LOCK: u32 = 2;

const SEEDS: u32 = 200;

fn image(shell: &Shell, board: &Board) -> Result<PathBuf> {
    Ok(board.target.build(shell, &workspace(), "suite", "release")?.join("suite"))
}

pub fn free_running(shell: &Shell, board: &Board) -> Result<()> {
    let image = image(shell, board)?;
    let printed = board.run(shell, &image, Cores::Parallel, &[FREE_RUNNING], 120)?.stdout;
    note_tests(shell, &printed, "two host threads")
}

pub fn seeded(shell: &Shell, board: &Board) -> Result<()> {
    let image = image(shell, board)?;
    // One host thread counts the instructions of both cores, so two halves take half the time.
    let half = |first| -> Result<_> {
        let command =
            board.emulate(shell, &image, Cores::Counted, &[SEEDED, first, SEEDS / 2], 400)?;
        Ok((format!("seeds from {first}"), command))
    };
    let halves = run_all(shell, vec![half(1)?, half(1 + SEEDS / 2)?]);
    for half in
        halves.context("to run the seed that is named below alone: cargo xtask device --seed N")?
    {
        note_tests(shell, &half.stdout, &format!("{SEEDS} seeds"))?;
    }
    Ok(())
}

pub fn rerun(shell: &Shell, board: &Board, seed: u32) -> Result<()> {
    let image = image(shell, board)?;
    board.run(shell, &image, Cores::Counted, &[SEEDED, seed, 1], 60)?;
    Ok(())
}

/// Fails unless the image says that it ran tests.
fn note_tests(shell: &Shell, printed: &str, how: &str) -> Result<()> {
    let passed = printed.lines().find_map(|line| line.trim().strip_suffix(" passed, 0 failed"));
    shell.note(format!("{} tests, {how}", passed.context("the image ran no tests")?));
    Ok(())
}

/// The same tests on a library whose tag never moves, free-running and seeded, and the progress
/// test on a pool behind a lock: each must end in the assertion that is about it, and not
/// otherwise.
pub fn must_fail(shell: &Shell, board: &Board) -> Result<()> {
    let image_without_tag =
        board.target.build(shell, &without_tag(shell)?, "suite", "release")?.join("suite");
    // What a slot that is handed out twice looks like, in whatever way it shows
    // (`firmware/suite/src/pools.rs`).
    let slot = ": a slot";
    shell.run_failing(
        &mut board.emulate(shell, &image_without_tag, Cores::Parallel, &[FREE_RUNNING], 120)?,
        slot,
    )?;
    shell.run_failing(
        &mut board.emulate(shell, &image_without_tag, Cores::Counted, &[SEEDED, 1, SEEDS], 120)?,
        slot,
    )?;
    // Also puts the true image back: both builds share a target folder.
    let image = image(shell, board)?;
    shell.run_failing(
        &mut board.emulate(shell, &image, Cores::Counted, &[WITH_LOCK], 120)?,
        "no progress",
    )?;
    shell.note("no tag: free-running and seeded; lock: seeded");
    Ok(())
}

/// A copy of the project in which a pop leaves the tag alone; returns its `firmware`.
fn without_tag(shell: &Shell) -> Result<PathBuf> {
    let copy = Shell::scratch("device-without-tag");
    let mutations = mutation::read(Shell::root())?;
    let mutation = mutations.iter().find(|mutation| mutation.name == "pop: tag not moved");
    let mutation = mutation.context("there is no mutation that stops the tag")?;
    copy_tracked(shell, &copy, |file, text| {
        Ok(if file == mutation.file {
            mutation.apply(&String::from_utf8(text)?)?.into()
        } else {
            text
        })
    })?;
    Ok(copy.join("firmware"))
}
