//! Commands that pass or fail.

pub mod capi;
pub mod clippy;
pub mod dependencies;
pub mod device;
pub mod doc;
pub mod faults;
pub mod feature_lists;
pub mod features;
pub mod firmware;
pub mod fmt;
pub mod fuzz;
pub mod litmus;
pub mod loom;
pub mod miri;
pub mod mutants;
pub mod no_std;
pub mod orderings;
pub mod proof;
pub mod publish;
pub mod relay;
pub mod sanitizers;
pub mod soak;
pub mod unit;

use super::{Keep, measurements::instructions};
use crate::{shell::Shell, step, step::Step};
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Check {
    /// The checks below, cheapest first, and `instructions`; but for the long ones (the rest of loom, device, orderings, proof, mutants,
    /// fuzz, soak, firmware, faults, sanitizers, miri)
    Test,
    /// What to run while working: formatting, clippy, unit and documentation tests; under three
    /// minutes on a warm tree
    #[command(name = "check")]
    Quick,
    /// Formatting
    Fmt,
    /// Clippy, warnings as errors, with all features and with none
    Clippy,
    /// Documentation without warnings; the public interface is the recorded one
    Doc(Keep),
    /// Builds against `core` alone: neither `std` nor `alloc`, with and without compare-and-swap
    NoStd,
    /// Each feature alone and all together, for this host and for bare RV32, where there is no
    /// `std`; all together for Cortex-M
    Features,
    /// Unit, integration and documentation tests, with all features and with none; those of limits
    /// and secrets optimised, too
    Unit,
    /// Packs the crate and builds what was packed, without publishing it
    Publish,
    /// The packet relay for three seconds, TCP over pools, and that both notice what is wrong
    Relay,
    /// The C and C++ interface: its header, its tests under sanitizers, its size on RV32
    Capi(Keep),
    /// The races of the protocol under memory models that loom does not have: RC11, RISC-V, Arm
    Litmus(Keep),
    /// Every interleaving of every model, by loom; then random schedules of four threads, by
    /// shuttle
    Loom {
        /// Only what `test` leaves out: the 32-bit head, and the schedules
        #[arg(long)]
        rest: bool,

        #[command(flatten)]
        keep: Keep,
    },
    /// The library on two emulated cores, RV32, Xtensa and Cortex-M: tests, machine code,
    /// instructions, bytes; the example on embassy
    Device {
        /// Run the tests at this one interleaving, as a failure names it
        #[arg(long, value_name = "N")]
        seed: Option<u32>,

        #[command(flatten)]
        keep: Keep,
    },
    /// Whether each ordering of the protocol became its instruction, in images for RV32, Arm and
    /// Xtensa
    Orderings(Keep),
    /// The theorems in proof/, for any number of threads and slots: Coq checks each, and that it
    /// assumes nothing
    Proof,
    /// Makes the sources wrong, one place at a time: some model must notice each
    Mutants(Keep),
    /// All fuzz targets, from the corpus in verify/fuzz/, with AddressSanitizer
    Fuzz {
        /// Run each target for so long
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u64,

        #[command(flatten)]
        keep: Keep,
    },
    /// All operations on pools of all options, on all cores, with faults injected; nothing may be
    /// lost
    Soak {
        /// Run for so long
        #[arg(long, value_name = "N", default_value_t = 2)]
        minutes: u64,

        #[command(flatten)]
        keep: Keep,
    },
    /// The relay's firmware on esp-hal: links for ESP32-P4 and C6, type-checks for ESP32 and S3
    Firmware,
    /// A thread is suspended, or interrupted, inside pool operations: nobody waits for it, and
    /// nothing is lost
    Faults(Keep),
    /// All operations under ThreadSanitizer, AddressSanitizer and Valgrind, and that each notices a
    /// mistake
    Sanitizers(Keep),
    /// The library's tests under Miri, with tree borrows; skipped where the nightly toolchain has
    /// none
    Miri(Keep),
}

impl Check {
    pub fn run(self, verbose: bool) -> ExitCode {
        let plain = |steps| (false, steps);
        let (keep, steps) = match self {
            Check::Test => plain(all()),
            Check::Quick => plain(quick()),
            Check::Fmt => plain(fmt::steps()),
            Check::Clippy => plain(clippy::steps()),
            Check::Doc(Keep { keep }) => (keep, doc::steps()),
            Check::NoStd => plain(no_std::steps()),
            Check::Features => plain(features::steps()),
            Check::Unit => plain(unit::steps()),
            Check::Publish => plain(publish::steps()),
            Check::Relay => plain(relay::steps()),
            Check::Capi(Keep { keep }) => (keep, capi::steps()),
            Check::Litmus(Keep { keep }) => (keep, litmus::steps()),
            Check::Loom { rest, keep: Keep { keep } } => {
                (keep, if rest { loom::rest() } else { loom::steps() })
            }
            Check::Device { seed: Some(seed), .. } => plain(device::rerun(seed)),
            Check::Device { seed: None, keep: Keep { keep } } => (keep, device::steps()),
            Check::Orderings(Keep { keep }) => (keep, orderings::steps()),
            Check::Proof => plain(proof::steps()),
            Check::Mutants(Keep { keep }) => (keep, mutants::steps()),
            Check::Fuzz { seconds, keep: Keep { keep } } => (keep, fuzz::steps(seconds)),
            Check::Soak { minutes, keep: Keep { keep } } => (keep, soak::steps(minutes)),
            Check::Firmware => plain(firmware::steps()),
            Check::Faults(Keep { keep }) => (keep, faults::steps()),
            Check::Sanitizers(Keep { keep }) => (keep, sanitizers::steps()),
            Check::Miri(Keep { keep }) => (keep, miri::steps()),
        };
        step::run(&Shell::new(verbose, keep), &steps)
    }
}

/// What one wants to know while working. Under three minutes on a warm tree.
fn quick() -> Vec<Step> {
    [fmt::steps(), clippy::steps(), unit::quick()].into_iter().flatten().collect()
}

/// Cheapest first.
fn all() -> Vec<Step> {
    let parts = [
        fmt::steps(),
        clippy::steps(),
        doc::steps(),
        no_std::steps(),
        features::steps(),
        unit::steps(),
        publish::steps(),
        relay::steps(),
        capi::steps(),
        instructions::steps(),
        litmus::steps(),
        loom::first(),
    ];
    parts.into_iter().flatten().collect()
}
