//! Commands that measure. A figure on record that has grown is a failure of `instructions` alone.

pub mod bench;
pub mod instructions;
pub mod replay;

use super::Keep;
use crate::{shell::Shell, step};
use clap::Subcommand;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Measurement {
    /// Instructions of single operations on this processor, ours and the peers', by callgrind; ours
    /// may not grow
    Instructions(Keep),
    /// Measures beside what a user would pick instead; writes the tables and charts of
    /// docs/benchmarks.md
    Bench {
        /// All questions, coarsely, in less than three minutes; leaves the documents as they are
        #[arg(long)]
        quick: bool,

        /// Write every figure here, as JSON
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,

        /// Measure nothing: make the tables and charts of figures that --json has written
        #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "json"])]
        redraw: Option<PathBuf>,
    },
    /// The recorded trace on heaps alone and on a pool in front of each: memory, failures,
    /// fragmentation, time
    Replay {
        /// Fewer pools and rounds: a minute
        #[arg(long)]
        quick: bool,

        #[command(flatten)]
        keep: Keep,
    },
    /// The tiers that serve a recorded trace best, or what a running pool was asked for
    #[command(disable_help_flag = true)]
    Fit {
        /// Those of `tierpool fit`; --help names them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

impl Measurement {
    pub fn run(self, verbose: bool) -> ExitCode {
        let (keep, steps) = match self {
            Measurement::Instructions(Keep { keep }) => (keep, instructions::steps()),
            Measurement::Bench { redraw: Some(file), .. } => (true, bench::redraw(file)),
            Measurement::Bench { quick, json, redraw: None } => (!quick, bench::steps(quick, json)),
            Measurement::Replay { quick, keep: Keep { keep } } => (keep, replay::steps(quick)),
            Measurement::Fit { arguments } => return fit(&arguments),
        };
        step::run(&Shell::new(verbose, keep), &steps)
    }
}

/// The program that users install, since no other command needs what it is made of.
fn fit(arguments: &[String]) -> ExitCode {
    let mut cargo = Shell::new(false, false).cargo([
        "run",
        "--quiet",
        "--package",
        "tierpool-cli",
        "--",
        "fit",
    ]);
    // Files are named from where the user is.
    cargo.args(arguments).current_dir(".");
    match cargo.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
