//! `cargo xtask device`
//!
//! The shipped library on two emulated cores: RV32, Xtensa (code for the ESP32) and Cortex-M33, all
//! from the sources in `firmware/`.
//!
//! | module | holds |
//! |---|---|
//! | [`board`] | the three boards: how to build for one and how to run an image |
//! | [`suite`] | the tests on both cores, and the builds that they must catch |
//! | [`image`] | the functions of a linked image and who calls whom |
//! | [`assembly`] | what the code of the pool operations may and may not hold |
//! | [`flash`] | whether code can run while flash cannot be read |
//! | [`size`] | what the library adds to an image |
//! | [`embassy`] | the example on embassy: an executor on each core |
//! | [`figures`] | instructions and bytes, against those that are on record |

mod assembly;
pub mod board;
mod embassy;
mod figures;
pub mod flash;
pub mod image;
mod size;
mod suite;

use crate::shell::Shell;
use crate::step::Step;
use anyhow::Result;
use board::Board;
pub use board::{LLD, LLVM};

type Check = fn(&Shell, &Board) -> Result<()>;

/// What is done on each board.
const ON_EACH: &[(&str, Check)] = &[
    ("device tests, two cores", suite::free_running),
    ("device tests, seeded preemption", suite::seeded),
    ("device tests, a lane for each core", suite::lane_per_core),
    ("broken pools are caught", suite::must_fail),
    ("assembly of the operations", assembly::check),
    ("instructions and bytes", figures::check),
];

pub fn steps() -> Vec<Step> {
    let each = ON_EACH.iter().flat_map(|(what, check)| {
        board::ALL.map(|(board, name)| {
            Step::new(format!("{what}, {name}"), move |shell: &Shell| check(shell, board))
        })
    });
    let once = [
        Step::new("embassy on both cores, Cortex-M", embassy::check),
        Step::new("figures in the documentation", figures::check_documentation),
    ];
    each.chain(once).collect()
}

/// `cargo xtask device --seed N`: the tests at one interleaving.
pub fn rerun(seed: u32) -> Vec<Step> {
    board::ALL
        .map(|(board, name)| {
            Step::new(format!("device tests at one interleaving, {name}"), move |shell: &Shell| {
                suite::rerun(shell, board, seed)
            })
        })
        .into()
}
