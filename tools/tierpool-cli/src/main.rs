//! The command `tierpool`: sizes the pools of a device, and shows what they do.
//!
//! ```text
//!   device ──► log ──┬─► tierpool record ──► a trace ──► tierpool fit ──► a `pool!` declaration
//!                    ├─► tierpool fit        also from a histogram of a running pool
//!                    └─► tierpool watch      bars in the terminal, lines, CSV, a page with charts
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`fit`] | the tiers that serve recorded requests best |
//! | [`watch`] | the pools of a device, live |
//! | [`record`] | a trace of what a device allocates and frees |
//! | [`input`] | the log of a device, line by line |
//! | [`stop`] | Ctrl-C |
//! | [`progress`] | how far a command is, on standard error |

mod fit;
mod input;
mod progress;
mod record;
mod stop;
mod watch;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Fits tierpool pools to recorded traffic, watches the pools of a device, and records traces.
#[derive(Parser)]
#[command(name = "tierpool", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Fit(fit::Options),
    Watch(watch::Options),
    Record(record::Options),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Fit(options) => fit::run(&options),
        Command::Watch(options) => watch::run(&options),
        Command::Record(options) => record::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The error, with what to do next on a line of its own.
fn advised(error: impl Into<anyhow::Error>, advice: &str) -> anyhow::Error {
    anyhow::anyhow!("{:#}\nhelp: {advice}", error.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
