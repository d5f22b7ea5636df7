//! Measures, and prints lines of JSON; `cargo xtask bench` makes tables and charts of them.

use clap::{Parser, ValueEnum};
use tierpool_benches::questions::{Effort, growth, machine, packet, pair, tail};
use tierpool_benches::record::Output;

/// Measures tierpool beside what a user would pick instead, and prints lines of JSON.
#[derive(Parser)]
struct Cli {
    /// What to ask
    question: Question,

    /// Coarsely, in a fifth of the time
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Question {
    /// What this machine is, and what the measuring costs
    Machine,
    /// Allocate and free, on 1, 2, 4 and 8 threads
    Pair,
    /// Fill, share, copy on write, drop; also with half of the drops on another thread
    Packet,
    /// The slowest allocations, with twice as many threads as cores
    Tail,
    /// More tiers, more slots
    Growth,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let effort = Effort::new(cli.quick);
    let ask = match cli.question {
        Question::Machine => machine::ask,
        Question::Pair => pair::ask,
        Question::Packet => packet::ask,
        Question::Tail => tail::ask,
        Question::Growth => growth::ask,
    };
    ask(&mut Output(&mut std::io::stdout().lock()), &effort)
}
