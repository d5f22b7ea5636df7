//! The project's checks, `cargo xtask COMMAND`.
//!
//! | module | holds |
//! |---|---|
//! | [`commands`] | one file a command, its steps, cheapest first: checks and measurements |
//! | [`step`] | what a step is; runs a list of them with a progress line each and a table at the end |
//! | [`shell`] | runs programs for a step, keeps what they print |
//! | [`tools`] | what may be missing on a machine, and the command that brings it |
//! | [`package`] | facts from `Cargo.toml` |
//! | [`models`] | builds and runs the models of `loom-tests` |
//! | [`parallel`] | work on many items at a time |
//! | [`mutation`] | the ways in which the sources are made wrong, and where |
//! | [`rows`] | the tables of data beside the models |
//! | [`figures`] | figures on record, and whether one has grown |
//! | [`report`] | tables in the documents |
//!
//! A new command is a file in `commands/checks/` or `commands/measurements/` with a function
//! `steps`, and two lines in the `mod.rs` beside it; a check that is not long has a third one in
//! `all` there.

mod commands;
mod figures;
mod models;
mod mutation;
mod package;
mod parallel;
mod relaxed;
mod report;
mod rows;
mod shell;
mod step;
mod tools;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use commands::{checks::Check, measurements::Measurement};
use std::process::ExitCode;

/// The project's checks.
///
/// A step that lacks a tool is skipped and names the command that brings it. With CI=true in the
/// environment the tool is installed instead, and a skipped step counts as failed, but for those of
/// Miri, which not every toolchain has.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
#[command(
    help_template = "{about-with-newline}\n{usage-heading} {usage}\n{before-help}Options:\n{options}"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Show what each step prints while it runs, not only when it fails
    #[arg(short, long, global = true)]
    verbose: bool,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Check(Check),
    #[command(flatten)]
    Measurement(Measurement),
}

fn main() -> ExitCode {
    let matches = command().get_matches();
    let Cli { command, verbose } =
        Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match command {
        Command::Check(check) => check.run(verbose),
        Command::Measurement(measurement) => measurement.run(verbose),
    }
}

/// The command line, whose help shows the commands in their groups.
fn command() -> clap::Command {
    let groups = [
        ("Checks", Check::augment_subcommands(clap::Command::new(""))),
        ("Measurements", Measurement::augment_subcommands(clap::Command::new(""))),
    ];
    let mut help = String::new();
    for (title, group) in groups {
        help += &format!("\n{title}:\n");
        for command in group.get_subcommands() {
            help += &format!(
                "  {:<14}{}\n",
                command.get_name(),
                command.get_about().unwrap_or_default()
            );
        }
    }
    Cli::command().before_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_command_once() {
        let help = command().render_help().to_string();
        for command in Cli::command().get_subcommands() {
            let line = format!("\n  {:<14}", command.get_name());
            assert_eq!(help.matches(&line).count(), 1, "{}: {help}", command.get_name());
        }
        assert!(help.find("Checks:") < help.find("Measurements:"));
    }

    #[test]
    fn options_of_fit_are_passed_on() {
        let matches = command().get_matches_from(["xtask", "fit", "--help", "a.trace"]);
        let Command::Measurement(Measurement::Fit { arguments }) =
            Cli::from_arg_matches(&matches).unwrap().command
        else {
            panic!("not fit");
        };
        assert_eq!(arguments, ["--help", "a.trace"]);
    }
}
