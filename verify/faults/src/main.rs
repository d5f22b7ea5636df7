//! Pools under faults, `faults COMMAND`; `cargo xtask faults` and `cargo xtask sanitizers` run it.
//!
//! | module | holds |
//! |---|---|
//! | [`progress`] | a thread is suspended inside an operation: the others go on |
//! | [`reentrancy`] | a signal handler uses the pool that it has interrupted |
//! | [`stress`] | threads at work, for the sanitizers |
//! | [`subject`] | what is put to the test: `tierpool`, and pools behind a lock |
//! | [`mix`] | all operations of `tierpool`, at random, with canaries; those on the handles of one buffer are in [`edit`] |
//! | [`task`] | a task that waits for a slot |
//! | [`mailbox`] | hands values from context to context without waiting |
//! | [`signal`] | a timer's signal, and where it has struck |
//!
//! Timers that strike one thread are Linux's; elsewhere there is `stress` alone.

mod edit;
mod mailbox;
mod mix;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod progress;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod reentrancy;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod signal;
mod stress;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod subject;
mod task;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Suspends, interrupts and stresses pools. The exit code is 0 if they withstand it.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Suspends one thread at random instructions, thousands of times: the others must do a fixed
    /// amount of work
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    Progress {
        #[arg(long, value_enum, default_value_t)]
        pool: subject::Pool,
        #[command(flatten)]
        options: progress::Options,
    },
    /// A signal handler uses the pool whose operation it has interrupted, on the same thread
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    Reentrancy {
        #[arg(long, value_enum, default_value_t)]
        pool: subject::Pool,
        #[command(flatten)]
        options: reentrancy::Options,
    },
    /// All operations on several threads, for a sanitizer to watch
    Stress(stress::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        Command::Progress { pool, options } => match pool {
            subject::Pool::Tierpool => progress::run::<mix::Mix>(&options),
            subject::Pool::Spinlock => {
                progress::run::<subject::Locked<subject::Spinning>>(&options)
            }
            subject::Pool::Mutex => progress::run::<subject::Locked<subject::Blocking>>(&options),
        },
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        Command::Reentrancy { pool, options } => match pool {
            subject::Pool::Tierpool => reentrancy::run::<mix::Mix>(&options),
            subject::Pool::Spinlock => {
                reentrancy::run::<subject::Locked<subject::Spinning>>(&options)
            }
            subject::Pool::Mutex => reentrancy::run::<subject::Locked<subject::Blocking>>(&options),
        },
        Command::Stress(options) => stress::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
