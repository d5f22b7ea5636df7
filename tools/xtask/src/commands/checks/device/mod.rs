//! `cargo xtask device`
//!
//! The shipped library on two emulated cores: RV32 and Xtensa (code for the ESP32), both from the
//! sources in `firmware/`.
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

use crate::step::Step;
pub use board::{LLD, LLVM};
use board::{RV32, XTENSA};

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("device tests, two cores, RV32", |shell| suite::free_running(shell, &RV32)),
        Step::new("device tests, two cores, Xtensa", |shell| suite::free_running(shell, &XTENSA)),
        Step::new("device tests, seeded preemption, RV32", |shell| suite::seeded(shell, &RV32)),
        Step::new("device tests, seeded preemption, Xtensa", |shell| suite::seeded(shell, &XTENSA)),
        Step::new("device tests, a lane for each core, RV32", |shell| {
            suite::lane_per_core(shell, &RV32)
        }),
        Step::new("device tests, a lane for each core, Xtensa", |shell| {
            suite::lane_per_core(shell, &XTENSA)
        }),
        Step::new("broken pools are caught, RV32", |shell| suite::must_fail(shell, &RV32)),
        Step::new("broken pools are caught, Xtensa", |shell| suite::must_fail(shell, &XTENSA)),
        Step::new("assembly of the operations, RV32", |shell| assembly::check(shell, &RV32)),
        Step::new("assembly of the operations, Xtensa", |shell| assembly::check(shell, &XTENSA)),
        Step::new("instructions and bytes, RV32", |shell| figures::check(shell, &RV32)),
        Step::new("instructions and bytes, Xtensa", |shell| figures::check(shell, &XTENSA)),
        Step::new("figures in the documentation", figures::check_documentation),
    ]
}

/// `cargo xtask device --seed N`: the tests at one interleaving.
pub fn rerun(seed: u32) -> Vec<Step> {
    vec![
        Step::new("device tests at one interleaving, RV32", move |shell| {
            suite::rerun(shell, &RV32, seed)
        }),
        Step::new("device tests at one interleaving, Xtensa", move |shell| {
            suite::rerun(shell, &XTENSA, seed)
        }),
    ]
}
