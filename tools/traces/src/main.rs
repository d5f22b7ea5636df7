//! Converts heap traces between text and packed form, and says what one holds.

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::fs;
use std::path::{Path, PathBuf};
use tierpool_traces::{Trace, log, packed, summary::Summary};

/// Converts heap traces between text and packed form, and says what one holds.
#[derive(Parser)]
#[command(name = "tierpool-traces")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Text to packed form
    Pack {
        /// A text trace: lines `a ID SIZE`, `f ID`, comments after `#`; or a log of mtrace or
        /// ESP-IDF
        input: PathBuf,
        /// The packed file to write, by custom `.tpt`
        output: PathBuf,
    },
    /// Packed to text form
    Unpack {
        /// A packed trace
        input: PathBuf,
        /// The text file to write, by custom `.trace`
        output: PathBuf,
    },
    /// Counts by size class, and peaks, of a trace in either form
    Show {
        /// A text or packed trace
        input: PathBuf,
    },
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Pack { input, output } => convert(&input, &output, packed::pack),
        Command::Unpack { input, output } => {
            convert(&input, &output, |trace| trace.to_string().into())
        }
        Command::Show { input } => {
            println!("{}", Summary::of(&read(&input)?));
            Ok(())
        }
    }
}

fn convert(input: &Path, output: &Path, encode: impl Fn(&Trace) -> Vec<u8>) -> Result<()> {
    let trace = read(input)?;
    let bytes = encode(&trace);
    fs::write(output, &bytes).with_context(|| format!("cannot write {}", output.display()))?;
    println!("{}: {} events in {} bytes", output.display(), trace.events().len(), bytes.len());
    Ok(())
}

/// Reads a trace in either form, or another log of allocations; says what was left out.
fn read(path: &Path) -> Result<Trace> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let log = log::read(&bytes).with_context(|| format!("{} is no trace", path.display()))?;
    for skipped in &log.skipped {
        eprintln!("left out: {skipped}");
    }
    Ok(log.trace)
}
