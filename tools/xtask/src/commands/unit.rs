//! `cargo xtask unit`

use crate::package::{Package, WORKSPACE};
use crate::{shell::Shell, step::Step};
use anyhow::{Context, Result, ensure};

const ALL_FEATURES: Step = Step { name: "tests, all features, whole workspace", run: all_features };
const DOC_TESTS: Step = Step { name: "documentation tests", run: doc_tests };

pub const STEPS: &[Step] = &[
    Step { name: "tests, no features", run: no_features },
    ALL_FEATURES,
    Step { name: "limits and secrets, optimised", run: optimised },
    DOC_TESTS,
];

/// The part of it that is wanted while working.
pub const QUICK: &[Step] = &[ALL_FEATURES, DOC_TESTS];

/// Also the default: it is empty.
fn no_features(shell: &Shell) -> Result<()> {
    test(shell, &["--package", "tierpool", "--no-default-features", "--lib", "--tests", "--examples"])
}

fn all_features(shell: &Shell) -> Result<()> {
    let features = Package::read(shell)?.host_features;
    test(shell, &[WORKSPACE, &["--features", &features, "--lib", "--bins", "--tests", "--examples"]].concat())
}

/// What optimisation may change: sums that overflow wrap instead of panicking, debug assertions are gone, and writes that
/// nobody reads, such as those of a wipe, may be left out.
fn optimised(shell: &Shell) -> Result<()> {
    const FILES: [&str; 7] = ["misuse", "panics", "fallback", "before_main", "out_of_memory", "secrets", "wipe"];
    let features = Package::read(shell)?.host_features;
    let package = ["--release", "--package", "tierpool", "--features", &features];
    test(shell, &[&package[..], &FILES.map(|file| ["--test", file]).concat()].concat())
}

fn doc_tests(shell: &Shell) -> Result<()> {
    test(shell, &[WORKSPACE, &["--features", &Package::read(shell)?.host_features, "--doc"]].concat())
}

/// Runs `cargo test` and notes how many tests passed; none at all is an error.
fn test(shell: &Shell, what: &[&str]) -> Result<()> {
    let printed = shell.run(shell.cargo(["test"]).args(what))?.stdout;
    let passed = printed.lines().filter_map(passed).sum::<Result<u64>>()?;
    ensure!(passed > 0, "no test ran");
    shell.note(format!("{passed} passed"));
    Ok(())
}

/// The count in a line `test result: ok. 12 passed; …`.
fn passed(line: &str) -> Option<Result<u64>> {
    let count = line.strip_prefix("test result: ok. ")?.split(' ').next()?;
    Some(count.parse().with_context(|| format!("cannot read `{line}`")))
}
