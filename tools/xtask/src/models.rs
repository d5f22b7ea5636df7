//! Builds `loom-tests` and runs its models, one process each, as many at a time as there are cores.

use crate::mutation;
use crate::shell::Shell;
use anyhow::{Context, Result, ensure};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A way to compile the library for the models.
pub struct Build {
    /// Names the target folder, and the table in the document.
    pub name: &'static str,
    pub title: &'static str,
    flags: &'static str,
}

impl Build {
    pub const LOOM: Build = Build { name: "loom", title: "64-bit head", flags: "--cfg loom" };
    pub const LOOM_NARROW_HEAD: Build = Build {
        name: "loom-narrow-head",
        title: "32-bit head",
        flags: "--cfg loom --cfg tierpool_narrow_head",
    };
    pub const SHUTTLE: Build = Build { name: "shuttle", title: "shuttle", flags: "--cfg shuttle" };
}

/// A line of `loom-tests list`.
#[derive(Clone)]
pub struct Model {
    pub name: String,
    pub threads: String,
    pub bound: Option<String>,
    pub expect: String,
    /// Explored with the 32-bit head, too.
    pub narrow: bool,
}

/// What came of a model.
pub struct Explored {
    pub interleavings: u64,
    pub seconds: f64,
    /// `ok`, or what went wrong.
    pub verdict: String,
    /// The end of what loom printed.
    pub trace: String,
}

const ABORTED: &str = "ended without a verdict";

impl Explored {
    pub fn ok(&self) -> bool {
        self.verdict == "ok"
    }

    /// An interleaving failed, or brought the process down.
    pub fn noticed(&self) -> bool {
        self.verdict == "failed" || self.verdict.starts_with(ABORTED)
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>10} interleavings {:>7.1} s  {}",
            self.interleavings, self.seconds, self.verdict
        )
    }
}

/// The program that holds the models.
pub struct Models {
    program: PathBuf,
}

impl Models {
    /// Compiles the sources in `tree`.
    pub fn build(shell: &Shell, build: &Build, tree: &Path, target: &Path) -> Result<Models> {
        let mut command = shell.cargo(["build", "--profile", "models", "--package", "loom-tests"]);
        command.current_dir(tree).arg("--target-dir").arg(target).env("RUSTFLAGS", build.flags);
        shell.run(&mut command)?;
        Ok(Models { program: target.join("models/loom-tests") })
    }

    pub fn command(&self) -> Command {
        Command::new(&self.program)
    }

    pub fn list(&self, shell: &Shell) -> Result<Vec<Model>> {
        let printed = shell.run(self.command().arg("list"))?.stdout;
        printed
            .lines()
            .map(|line| parse_model(line).with_context(|| format!("not a model: `{line}`")))
            .collect()
    }

    /// Explores one model to its end; one that aborts or is stopped is explored, but not ok.
    pub fn run(&self, name: &str, limit_seconds: u32) -> Result<Explored> {
        self.run_mutant(0, name, limit_seconds)
    }

    /// The same with the mutation of this number, if the sources were mutated.
    pub fn run_mutant(&self, number: usize, name: &str, limit_seconds: u32) -> Result<Explored> {
        let mut command = self.command();
        command
            .args(["run", name, &limit_seconds.to_string()])
            .env(mutation::SWITCH, number.to_string());
        let output = command.output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        let trace = tail(&errors, 12);
        let explored = printed.lines().last().and_then(parse_explored);
        let Some((interleavings, seconds, verdict)) = explored else {
            let verdict = format!("{ABORTED}: {}", output.status);
            return Ok(Explored { interleavings: 0, seconds: 0.0, verdict, trace });
        };
        ensure!(
            output.status.success() == (verdict == "ok"),
            "{name}: {verdict}, but {}",
            output.status
        );
        Ok(Explored { interleavings, seconds, verdict, trace })
    }
}

fn parse_model(line: &str) -> Option<Model> {
    let mut fields = line.split('\t').map(String::from);
    let (name, threads, bound, expect) =
        (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let narrow = fields.next()?.parse().ok()?;
    Some(Model { name, threads, bound: (bound != "none").then_some(bound), expect, narrow })
}

fn parse_explored(line: &str) -> Option<(u64, f64, String)> {
    let mut fields = line.split('\t');
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?, fields.next()?.into()))
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_list() {
        let model = parse_model("aba\t2\tnone\tpass\ttrue").unwrap();
        assert!(model.narrow && model.bound.is_none());
        let model = parse_model("count\t3\t3\tpass\tfalse").unwrap();
        assert!(!model.narrow && model.bound.is_some());
        assert!(parse_model("count\t3\t3\tpass").is_none());
    }
}
