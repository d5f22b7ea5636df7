//! Converts heap traces between text and packed form, and says what one holds.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};
use tierpool_traces::{Trace, log, packed, summary::Summary};

const USAGE: &str = "\
Converts heap traces between text and packed form, and says what one holds.

Usage: tierpool-traces pack IN OUT    Text to packed form, by custom `.tpt`. IN: lines `a ID SIZE`,
                                      `f ID`, comments after `#`; or a log of mtrace or ESP-IDF
       tierpool-traces unpack IN OUT  Packed to text form, by custom `.trace`
       tierpool-traces show IN        Counts by size class, and peaks, of a trace in either form";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

// No crate that reads options: this package is built for the packet relay, too, whose first line is
// not to wait for one.
fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["pack", input, output] => convert(input.as_ref(), output.as_ref(), packed::pack),
        ["unpack", input, output] => {
            convert(input.as_ref(), output.as_ref(), |trace| trace.to_string().into())
        }
        ["show", input] => read(input.as_ref()).map(|trace| println!("{}", Summary::of(&trace))),
        ["--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(USAGE.into()),
    };
    if let Err(error) = &done {
        eprintln!("{error}");
    }
    ExitCode::from(u8::from(done.is_err()))
}

fn convert(input: &Path, output: &Path, encode: impl Fn(&Trace) -> Vec<u8>) -> Result<()> {
    let trace = read(input)?;
    let bytes = encode(&trace);
    fs::write(output, &bytes).map_err(|why| format!("cannot write {}: {why}", output.display()))?;
    println!("{}: {} events in {} bytes", output.display(), trace.events().len(), bytes.len());
    Ok(())
}

/// Reads a trace in either form, or another log of allocations; says what was left out.
fn read(path: &Path) -> Result<Trace> {
    let bytes = fs::read(path).map_err(|why| format!("cannot read {}: {why}", path.display()))?;
    let log = log::read(&bytes).map_err(|why| format!("{} is no trace: {why}", path.display()))?;
    for skipped in &log.skipped {
        eprintln!("left out: {skipped}");
    }
    Ok(log.trace)
}
