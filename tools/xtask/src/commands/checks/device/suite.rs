//! The tests on both cores, and the builds that they must catch.

use super::board::{Board, Cores, workspace};
use crate::commands::checks::mutants::copy_tracked;
use crate::mutation;
use crate::parallel::run_all;
use crate::shell::Shell;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// What the image does, its first argument (see `firmware/suite/src/main.rs`).
const FREE_RUNNING: u32 = 0;
const SEEDED: u32 = 1;
const WITH_LOCK: u32 = 2;

/// How often each core does something in a free-running test.
const STEPS: u32 = 100_000;
const SEEDS: u32 = 200;
/// As above, of the pool with lanes. Fewer, because the same code runs but for where a request
/// begins.
const STEPS_WITH_LANES: u32 = STEPS / 2;
const SEEDS_WITH_LANES: u32 = 24;

/// The pool under test. Each has an image of its own: the feature `lanes` adds code to the rare
/// paths of every pool, and a program without it must be tested as it is.
#[derive(Clone, Copy)]
enum Under {
    OneList,
    LanePerCore,
}

impl Under {
    /// What cargo is told.
    fn which(self) -> &'static [&'static str] {
        match self {
            Under::OneList => &["--bin", "suite"],
            Under::LanePerCore => &["--bin", "suite", "--features", "lanes,track"],
        }
    }
}

fn image(shell: &Shell, board: &Board, workspace: &Path, pool: Under) -> Result<PathBuf> {
    let folder = board.target.build_only(shell, workspace, "suite", "release", pool.which())?;
    Ok(folder.join("suite"))
}

pub fn free_running(shell: &Shell, board: &Board) -> Result<()> {
    let image = image(shell, board, &workspace(), Under::OneList)?;
    free_run(shell, board, &image, STEPS)
}

pub fn seeded(shell: &Shell, board: &Board) -> Result<()> {
    let image = image(shell, board, &workspace(), Under::OneList)?;
    seeds(shell, board, &image, SEEDS)
}

/// Both ways to run, on the pool with a lane for each core.
pub fn lane_per_core(shell: &Shell, board: &Board) -> Result<()> {
    let image = image(shell, board, &workspace(), Under::LanePerCore)?;
    free_run(shell, board, &image, STEPS_WITH_LANES)?;
    seeds(shell, board, &image, SEEDS_WITH_LANES)?;
    shell.note(format!("two host threads, then {SEEDS_WITH_LANES} seeds"));
    Ok(())
}

fn free_run(shell: &Shell, board: &Board, image: &Path, steps: u32) -> Result<()> {
    let printed = board.run(shell, image, Cores::Parallel, &[FREE_RUNNING, steps], 120)?.stdout;
    note_tests(shell, &printed, "two host threads")
}

fn seeds(shell: &Shell, board: &Board, image: &Path, seeds: u32) -> Result<()> {
    // One host thread counts the instructions of both cores, so two halves take half the time.
    let half = |first| -> Result<_> {
        let command =
            board.emulate(shell, image, Cores::Counted, &[SEEDED, first, seeds / 2], 400)?;
        Ok((format!("seeds from {first}"), command))
    };
    let halves = run_all(shell, vec![half(1)?, half(1 + seeds / 2)?]);
    for half in
        halves.context("to run the seed that is named below alone: cargo xtask device --seed N")?
    {
        note_tests(shell, &half.stdout, &format!("{seeds} seeds"))?;
    }
    Ok(())
}

/// Both pools at one interleaving.
pub fn rerun(shell: &Shell, board: &Board, seed: u32) -> Result<()> {
    for pool in [Under::OneList, Under::LanePerCore] {
        let image = image(shell, board, &workspace(), pool)?;
        board.run(shell, &image, Cores::Counted, &[SEEDED, seed, 1], 60)?;
    }
    Ok(())
}

/// Fails unless the image says that it ran tests.
fn note_tests(shell: &Shell, printed: &str, how: &str) -> Result<()> {
    let passed = printed.lines().find_map(|line| line.trim().strip_suffix(" passed, 0 failed"));
    shell.note(format!("{} tests, {how}", passed.context("the image ran no tests")?));
    Ok(())
}

/// The same tests on a library whose tag never moves, free-running, seeded and with lanes, and the
/// progress test on a pool behind a lock: each must end in the assertion that is about it, and not
/// otherwise.
pub fn must_fail(shell: &Shell, board: &Board) -> Result<()> {
    let without_tag = without_tag(shell)?;
    // What a slot that is handed out twice looks like, in whatever way it shows
    // (`firmware/suite/src/pools.rs`).
    let slot = ": a slot";
    let with_lanes = image(shell, board, &without_tag, Under::LanePerCore)?;
    let seeded = [SEEDED, 1, SEEDS];
    shell
        .run_failing(&mut board.emulate(shell, &with_lanes, Cores::Counted, &seeded, 120)?, slot)?;
    let one_list = image(shell, board, &without_tag, Under::OneList)?;
    shell.run_failing(
        &mut board.emulate(shell, &one_list, Cores::Parallel, &[FREE_RUNNING, 2 * STEPS], 120)?,
        slot,
    )?;
    shell.run_failing(&mut board.emulate(shell, &one_list, Cores::Counted, &seeded, 120)?, slot)?;
    // Also puts the true image back: all builds share a target folder.
    let image = image(shell, board, &workspace(), Under::OneList)?;
    shell.run_failing(
        &mut board.emulate(shell, &image, Cores::Counted, &[WITH_LOCK], 120)?,
        "no progress",
    )?;
    shell.note("no tag: free-running, seeded, seeded with lanes; lock: seeded");
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
