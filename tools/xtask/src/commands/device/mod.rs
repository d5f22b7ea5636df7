//! `cargo xtask device`
//!
//! The shipped library on two emulated cores: RV32 and Xtensa (code for the ESP32), both from the sources in
//! `firmware/`.
//!
//! | module | holds |
//! |---|---|
//! | [`board`] | the two boards: how to build for one and how to run an image |
//! | [`suite`] | the tests on both cores, and the builds that they must catch |
//! | [`image`] | the functions of a linked image and who calls whom |
//! | [`assembly`] | what the code of the pool operations may and may not hold |
//! | [`flash`] | whether code can run while flash cannot be read |
//! | [`size`] | what the library adds to an image |
//! | [`figures`] | instructions and bytes, against those that are on record |

mod assembly;
pub mod board;
mod figures;
pub mod flash;
pub mod image;
mod size;
mod suite;

use crate::{shell::Shell, step::Step};
use anyhow::Result;
pub use board::{LLD, LLVM};
use board::{RV32, XTENSA};

pub const STEPS: &[Step] = &[
    Step { name: "device tests, two cores, RV32", run: |shell| suite::free_running(shell, &RV32) },
    Step { name: "device tests, two cores, Xtensa", run: |shell| suite::free_running(shell, &XTENSA) },
    Step { name: "device tests, seeded preemption, RV32", run: |shell| suite::seeded(shell, &RV32) },
    Step { name: "device tests, seeded preemption, Xtensa", run: |shell| suite::seeded(shell, &XTENSA) },
    Step { name: "broken pools are caught, RV32", run: |shell| suite::must_fail(shell, &RV32) },
    Step { name: "broken pools are caught, Xtensa", run: |shell| suite::must_fail(shell, &XTENSA) },
    Step { name: "assembly of the operations, RV32", run: |shell| assembly::check(shell, &RV32) },
    Step { name: "assembly of the operations, Xtensa", run: |shell| assembly::check(shell, &XTENSA) },
    Step { name: "instructions and bytes, RV32", run: |shell| figures::check(shell, &RV32) },
    Step { name: "instructions and bytes, Xtensa", run: |shell| figures::check(shell, &XTENSA) },
    Step { name: "figures in the documentation", run: figures::check_documentation },
];

/// `cargo xtask device --seed N`: the tests at one interleaving.
pub fn rerun(shell: &Shell, seed: u32) -> Result<()> {
    [&RV32, &XTENSA].into_iter().try_for_each(|board| suite::rerun(shell, board, seed))
}
