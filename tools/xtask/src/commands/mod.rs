//! One file a command, in two groups.

pub mod checks;
pub mod measurements;

/// An option of commands that write into the repository what they have found.
#[derive(clap::Args)]
pub struct Keep {
    /// Write the tables, and what else is generated, into the repository
    #[arg(long)]
    keep: bool,
}
