//! The project's checks, `cargo xtask COMMAND`.
//!
//! | module | holds |
//! |---|---|
//! | [`commands`] | one file a command: its steps, cheapest first |
//! | [`step`] | what a step is; runs a list of them with a progress line each and a table at the end |
//! | [`shell`] | runs programs for a step, keeps what they print |
//! | [`tools`] | what may be missing on a machine, and the command that brings it |
//! | [`package`] | facts from `Cargo.toml` |
//! | [`models`] | builds and runs the models of `loom-tests` |
//! | [`mutation`] | the ways in which the sources are made wrong, and where |
//! | [`figures`] | figures on record, and whether one has grown |
//! | [`chart`] | line charts for the documents |
//! | [`report`] | tables, on the terminal and in the documents |
//!
//! A new command is a file in `commands/` with a `STEPS` table, a line in [`Command`] and one in [`commands::all`].

mod chart;
mod commands;
mod figures;
mod models;
mod mutation;
mod package;
mod relaxed;
mod report;
mod shell;
mod step;
mod tools;

use clap::{Parser, Subcommand};
use shell::Shell;
use std::path::PathBuf;
use std::process::ExitCode;

/// The project's checks.
///
/// A step that lacks a tool is skipped and names the command that brings it. With CI=true in the environment the
/// tool is installed instead, and a skipped step counts as failed, but for those of Miri, which not every toolchain has.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Show what each step prints while it runs, not only when it fails
    #[arg(short, long, global = true)]
    verbose: bool,
}

#[derive(Subcommand)]
enum Command {
    /// The checks below, cheapest first, but for the long ones (proof, mutants, fuzz, soak, firmware, faults, sanitizers, miri), bench, fit and replay
    Test,
    /// What to run while working: formatting, clippy, unit and documentation tests; under three minutes on a warm tree
    Check,
    /// Formatting
    Fmt,
    /// The oldest Rust that Cargo.toml promises
    Msrv,
    /// Clippy, warnings as errors, with all features and with none
    Clippy,
    /// Builds against `core` alone: neither `std` nor `alloc`, with and without compare-and-swap
    NoStd,
    /// Each feature alone and all together, for this host and for bare RV32, where there is no `std`
    Features,
    /// Unit, integration and documentation tests, with all features and with none; those of limits and secrets optimised, too
    Unit,
    /// Documentation without warnings
    Doc,
    /// Packs the crate and builds what was packed, without publishing it
    Publish,
    /// The library on two emulated cores, RV32 and Xtensa: tests, machine code, instructions, bytes
    Device {
        /// Run the tests at this one interleaving, as a failure names it
        #[arg(long, value_name = "N")]
        seed: Option<u32>,

        #[command(flatten)]
        keep: Keep,
    },
    /// Instructions of single operations on this processor, ours and the peers', by callgrind
    Instructions(Keep),
    /// The tiers that serve a recorded trace best, or what a running pool was asked for
    Fit(commands::fit::Options),
    /// The relay's firmware on esp-hal: links for ESP32-P4 and C6, type-checks for ESP32 and S3
    Firmware,
    /// The C and C++ interface: its header, its tests under sanitizers, its size on RV32
    Capi(Keep),
    /// The recorded trace on heaps alone and on a pool in front of each: memory, failures, fragmentation, time
    Replay {
        /// Fewer pools and rounds: a minute
        #[arg(long)]
        quick: bool,

        #[command(flatten)]
        keep: Keep,
    },
    /// A thread is suspended, or interrupted, inside pool operations: nobody waits for it, and nothing is lost
    Faults(Keep),
    /// All operations under ThreadSanitizer, AddressSanitizer and Valgrind, and that each notices a mistake
    Sanitizers(Keep),
    /// The packet relay for three seconds, TCP over pools, and that both notice what is wrong
    Relay,
    /// The races of the protocol under memory models that loom does not have: RC11, RISC-V, Arm
    Litmus(Keep),
    /// Whether each ordering of the protocol became its instruction, in images for RV32, Arm and Xtensa
    Orderings(Keep),
    /// Every interleaving of every model, by loom; then random schedules of four threads, by shuttle
    Loom(Keep),
    /// Measures beside what a user would pick instead; writes the tables and charts of docs/benchmarks.md
    Bench {
        /// All questions, coarsely, in less than three minutes; leaves the documents as they are
        #[arg(long)]
        quick: bool,

        /// Write every figure here, as JSON
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
    /// The theorems in proof/, for any number of threads and slots: Coq checks each, and that it assumes nothing
    Proof,
    /// Makes the sources wrong, one place at a time: some model must notice each
    Mutants(Keep),
    /// The library's tests under Miri, with tree borrows; skipped where the nightly toolchain has none
    Miri(Keep),
    /// All fuzz targets, from the corpus in verify/fuzz/, with AddressSanitizer
    Fuzz {
        /// Run each target for so long
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u64,

        #[command(flatten)]
        keep: Keep,
    },
    /// All operations on pools of all options, on all cores, with faults injected; nothing may be lost
    Soak {
        /// Run for so long
        #[arg(long, value_name = "N", default_value_t = 2)]
        minutes: u64,

        #[command(flatten)]
        keep: Keep,
    },
}

#[derive(clap::Args)]
struct Keep {
    /// Write the tables, and what else is generated, into the repository
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut shell = Shell::new(cli.verbose);
    let steps = match cli.command {
        Command::Device { seed: Some(seed), .. } => return finish(commands::device::rerun(&shell, seed)),
        Command::Fit(options) => return finish(commands::fit::fit(&options)),
        Command::Test => commands::all(),
        Command::Check => commands::quick(),
        Command::Fmt => commands::fmt::STEPS.into(),
        Command::Msrv => commands::msrv::STEPS.into(),
        Command::Clippy => commands::clippy::STEPS.into(),
        Command::NoStd => commands::no_std::STEPS.into(),
        Command::Features => commands::features::STEPS.into(),
        Command::Unit => commands::unit::STEPS.into(),
        Command::Doc => commands::doc::STEPS.into(),
        Command::Publish => commands::publish::STEPS.into(),
        Command::Device { keep: Keep { keep }, .. } => {
            shell.keep = keep;
            commands::device::STEPS.into()
        }
        Command::Instructions(Keep { keep }) => {
            shell.keep = keep;
            commands::instructions::STEPS.into()
        }
        Command::Firmware => commands::firmware::STEPS.into(),
        Command::Capi(Keep { keep }) => {
            shell.keep = keep;
            commands::capi::STEPS.into()
        }
        Command::Replay { quick, keep: Keep { keep } } => {
            shell.keep = keep;
            if quick { commands::replay::QUICK.into() } else { commands::replay::STEPS.into() }
        }
        Command::Relay => commands::relay::STEPS.into(),
        Command::Litmus(Keep { keep }) => {
            shell.keep = keep;
            commands::litmus::STEPS.into()
        }
        Command::Orderings(Keep { keep }) => {
            shell.keep = keep;
            commands::orderings::STEPS.into()
        }
        Command::Loom(Keep { keep }) => {
            shell.keep = keep;
            commands::loom::STEPS.into()
        }
        Command::Bench { quick, json } => {
            shell.keep = !quick;
            shell.json = json;
            commands::bench::STEPS.into()
        }
        Command::Faults(Keep { keep }) => {
            shell.keep = keep;
            commands::faults::STEPS.into()
        }
        Command::Sanitizers(Keep { keep }) => {
            shell.keep = keep;
            commands::sanitizers::STEPS.into()
        }
        Command::Proof => commands::proof::STEPS.into(),
        Command::Mutants(Keep { keep }) => {
            shell.keep = keep;
            commands::mutants::STEPS.into()
        }
        Command::Miri(Keep { keep }) => {
            shell.keep = keep;
            commands::miri::STEPS.into()
        }
        Command::Fuzz { seconds, keep: Keep { keep } } => {
            (shell.keep, shell.seconds) = (keep, Some(seconds));
            commands::fuzz::STEPS.into()
        }
        Command::Soak { minutes, keep: Keep { keep } } => {
            (shell.keep, shell.seconds) = (keep, Some(60 * minutes));
            commands::soak::STEPS.into()
        }
    };
    step::run(&shell, &steps)
}

/// For commands that are no list of steps.
fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
