//! Which lines of the sources an instruction comes from, by the line tables of its image.

use crate::shell::Shell;
use anyhow::{Context, Result, ensure};
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;

/// A function that was inlined, or the one of the image, and the line in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frame {
    pub file: String,
    pub line: u32,
    column: u32,
}

/// From the innermost inlined function to that of the image.
pub type Frames = Vec<Frame>;

/// The frames of these addresses.
pub fn frames(shell: &Shell, image: &Path, addresses: &[u32]) -> Result<HashMap<u32, Frames>> {
    let asked = image.with_extension("addresses");
    fs::write(
        &asked,
        addresses.iter().map(|address| format!("{address:#x}\n")).collect::<String>(),
    )?;
    let mut symbolizer = shell.command("llvm-symbolizer-22");
    symbolizer.args(["--inlines", "--no-demangle", "--output-style=LLVM", "--obj"]).arg(image);
    let output = symbolizer.stdin(File::open(&asked)?).output().context("llvm-symbolizer-22")?;
    ensure!(
        output.status.success(),
        "llvm-symbolizer-22: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answers = parse(&String::from_utf8(output.stdout)?)?;
    ensure!(
        answers.len() == addresses.len(),
        "{} answers for {} addresses",
        answers.len(),
        addresses.len()
    );
    Ok(addresses.iter().copied().zip(answers).collect())
}

/// For each address a line with a function and one with its place, as often as there are frames;
/// then an empty line.
fn parse(printed: &str) -> Result<Vec<Frames>> {
    let mut answers = Vec::new();
    for answer in printed.trim_end().split("\n\n") {
        let places = answer.lines().skip(1).step_by(2).map(|place| {
            let mut parts = place.rsplitn(3, ':');
            let mut number = || parts.next().and_then(|text| text.parse().ok());
            let (column, line) = (number(), number());
            let (Some(column), Some(line), Some(file)) = (column, line, parts.next()) else {
                anyhow::bail!("`{place}` is no place");
            };
            Ok(Frame { file: file.to_owned(), line, column })
        });
        // What has no line, as hand-written assembly, is `??:0:0`.
        let known = |frame: &Result<Frame>| frame.as_ref().map_or(true, |frame| frame.line != 0);
        answers.push(places.filter(known).collect::<Result<Frames>>()?);
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_go_outward() {
        let answers =
            parse("load\n/core/atomic.rs:1:2\npop\n/src/list.rs:30:4\n\n??\n??:0:0\n\n").unwrap();
        let frame = |file: &str, line, column| Frame { file: file.into(), line, column };
        assert_eq!(
            answers,
            [vec![frame("/core/atomic.rs", 1, 2), frame("/src/list.rs", 30, 4)], vec![]]
        );
        assert!(parse("load\nnowhere\n").is_err());
    }
}
