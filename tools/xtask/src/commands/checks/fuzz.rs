//! `cargo xtask fuzz`
//!
//! | target | is driven by one input |
//! |---|---|
//! | `c` | the C interface, on handles that are narrowed by hand; one worker against a model, or two on two threads |
//! | `chains` | operations on chains of buffers, against the model of `verify/testkit` |
//! | `handles` | operations on handles and pools, against the model of `verify/testkit` |
//! | `raw` | the raw layer with pointers of every kind |
//! | `threads` | two workers of the soak, on two threads |
//!
//! cargo-fuzz builds them with AddressSanitizer, on a stable toolchain. Each starts from the corpus
//! in `verify/fuzz/corpus`; what it finds new goes into the target folder.

use crate::parallel::in_parallel;
use crate::report::{self, Table};
use crate::{shell::Shell, step::Step, tools::COMPILERS, tools::Tool};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Each target runs for so many seconds.
pub fn steps(seconds: u64) -> Vec<Step> {
    vec![
        Step::new("fuzz targets build", build),
        Step::new("fuzz targets notice mistakes", mistakes),
        Step::new("fuzzing", move |shell| fuzz(shell, seconds)),
    ]
}

const TARGETS: [&str; 5] = ["c", "chains", "handles", "raw", "threads"];

/// Not optimised: it only starts cargo, and building it takes longer than it runs.
const CARGO_FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    probe: &["cargo", "fuzz", "--version"],
    bring: &["cargo", "install", "--locked", "--debug", "cargo-fuzz"],
};

fn build(shell: &Shell) -> Result<()> {
    shell.need(&COMPILERS)?; // of libFuzzer
    shell.need(&CARGO_FUZZ)?;
    // Sanitizers are for nightly toolchains, but a stable one carries what they need.
    let mut cargo = shell.cargo(["fuzz", "build", "--fuzz-dir", "verify/fuzz", "--target-dir"]);
    shell.run(cargo.arg(Shell::scratch("fuzz")).env("RUSTC_BOOTSTRAP", "1"))?;
    Ok(())
}

/// Where a target's own files go: what it finds, and the inputs that fail.
fn found(target: &str) -> PathBuf {
    Shell::scratch("fuzz").join("found").join(target)
}

fn corpus(target: &str) -> PathBuf {
    Shell::root().join("verify/fuzz/corpus").join(target)
}

/// A target that has been built, for so many seconds.
fn program(host: &str, target: &str, seconds: u64) -> Command {
    let mut command = Command::new(Shell::scratch("fuzz").join(host).join("release").join(target));
    command.args([
        &format!("-max_total_time={seconds}"),
        "-max_len=512",
        "-len_control=0",
        "-timeout=25",
        "-print_final_stats=1",
    ]);
    // Leaks are the models' to find: they know of every slot and every block.
    command.env("ASAN_OPTIONS", "detect_leaks=0").args([
        "-detect_leaks=0",
        &format!("-artifact_prefix={}/failed-", found(target).display()),
    ]);
    command
}

/// With this variable each target makes a mistake behind the back of its model.
fn mistakes(shell: &Shell) -> Result<()> {
    let host = shell.host()?;
    let mistakes = [
        ("c", "slot", "panicked at fuzz_targets"),
        ("chains", "slot", "not idle"),
        ("handles", "slot", "assertion"),
        ("raw", "free", "assertion"),
        ("threads", "heap", "the pools say"),
    ];
    for (target, mistake, message) in mistakes {
        fs::create_dir_all(found(target))?;
        shell.run_failing(
            program(&host, target, 30).arg(corpus(target)).env("TIERPOOL_PLANT", mistake),
            message,
        )?;
    }
    shell.note(format!("{} of {}", TARGETS.len(), TARGETS.len()));
    Ok(())
}

/// All targets, as many at a time as there are cores.
fn fuzz(shell: &Shell, seconds: u64) -> Result<()> {
    let host = shell.host()?;
    let results = in_parallel(
        shell,
        &TARGETS,
        |target| Fuzzed::run(&host, target, seconds),
        |target, result| {
            result.as_ref().map_or_else(
                |_| format!("{target} failed"),
                |it| format!("{target}: {} runs", it.runs),
            )
        },
    );
    let mut table =
        Table::new(&["target", "seconds", "inputs to start from", "runs", "edges reached"], 1);
    let mut sum = 0;
    for (target, result) in TARGETS.iter().zip(results) {
        let Fuzzed { inputs, runs, edges } = result?;
        ensure!(runs > inputs as u64, "{target} has tried nothing new");
        sum += runs;
        table.row([
            target.to_string(),
            seconds.to_string(),
            inputs.to_string(),
            runs.to_string(),
            edges.to_string(),
        ]);
    }
    shell.note(format!("{sum} runs"));
    shell.report("fuzzing", &table.plain());
    report::keep(shell, "fuzz", &table.markdown())
}

/// What came of a target.
struct Fuzzed {
    inputs: usize,
    runs: u64,
    edges: u64,
}

impl Fuzzed {
    fn run(host: &str, target: &str, seconds: u64) -> Result<Fuzzed> {
        fs::create_dir_all(found(target).join("corpus"))?;
        let inputs = fs::read_dir(corpus(target))?.count();
        // What is new goes into the first folder.
        let output = program(host, target, seconds)
            .args([found(target).join("corpus"), corpus(target)])
            .output();
        let output = output.with_context(|| format!("cannot start {target}"))?;
        // libFuzzer writes to standard error.
        let log = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let lines: Vec<_> = log.lines().collect();
            bail!(
                "{target} failed; the input lies in {}\n{}",
                found(target).display(),
                lines[lines.len().saturating_sub(60)..].join("\n")
            );
        }
        let (runs, edges) =
            (last_number(&log, "stat::number_of_executed_units:"), last_number(&log, " cov:"));
        Ok(Fuzzed {
            inputs,
            runs: runs.context("no number of runs")?,
            edges: edges.context("no coverage")?,
        })
    }
}

/// The number that follows the last `name`.
fn last_number(log: &str, name: &str) -> Option<u64> {
    let (_, rest) = log.rsplit_once(name)?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_of_libfuzzer() {
        let log = "#2\tINITED cov: 17 ft: 18\n#9\tDONE   cov: 20 ft: 31\nstat::number_of_executed_units: 900\n";
        assert_eq!(super::last_number(log, " cov:"), Some(20));
        assert_eq!(super::last_number(log, "stat::number_of_executed_units:"), Some(900));
        assert_eq!(super::last_number(log, "other:"), None);
    }
}
