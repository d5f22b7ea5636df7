//! `cargo xtask miri`
//!
//! The library's tests under Miri, an interpreter that knows what undefined behaviour is: pointers
//! used beyond their provenance or their borrow (tree borrows), memory that is not initialised,
//! data races, misaligned accesses.
//!
//! Miri is a part of Rust's nightly toolchain, and not every day's. So this is the one check that
//! is skipped where it cannot be had, with `CI=true`, too: the notice names the command that brings
//! it.

use crate::report::{self, Table};
use crate::{shell::Shell, step::Step, tools::Tool};
use anyhow::{Context, Result};
use std::process::Command;

pub fn steps() -> Vec<Step> {
    vec![Step::new("Miri notices mistakes", mistakes), Step::new("Miri, tree borrows", tests)]
}

const MIRI: Tool = Tool {
    name: "Miri, of the nightly toolchain",
    probe: &["rustup", "run", "nightly", "cargo", "miri", "--version"],
    bring: &["rustup", "component", "add", "--toolchain", "nightly", "miri", "rust-src"],
};

/// `verify/testkit` leaks pools on purpose, since a pool lives for ever; Valgrind looks for other
/// leaks. Random numbers, clocks and the environment are the machine's. A weak swap does not fail
/// without a reason: tests count the slots of a batch, which such a failure halves (the models of
/// `verify/litmus` have it).
const FLAGS: &str = "-Zmiri-tree-borrows -Zmiri-ignore-leaks -Zmiri-disable-isolation -Zmiri-compare-exchange-weak-failure-rate=0.0";

/// All that a host without a chip can have; `bytes` and its like only pass calls on.
const FEATURES: &str = "std,wait,embassy-net-driver-02,histogram,lanes,reserve,names,track,allocator-api2-02,allocator-api2-03,bytes,embedded-io-07,serde,zeroize,stable_deref_trait";

/// Programs of tests. A test that Miri cannot run, or not in time, says so itself, by
/// `cfg_attr(miri, ignore)`.
const PROGRAMS: &[&str] = &[
    "halves",
    "histogram",
    "iterate",
    "lanes",
    "misuse",
    "objects",
    "reference",
    "serde",
    "stable_deref",
    "statistics",
    "texts",
    "track",
    "wait",
    "wait_objects",
    "wake",
    "wipe",
    "zeroize",
];
// Left out altogether: allocator_api2, bytes_traits, cache, fallback, growth, model, net_driver,
// panics, placement, secrets
//                    take minutes each: all heights of a fall, all lengths, all sequences
//   chain            an array of the handles that `reference` uses, without unsafe code of its own
//   before_main      runs before `main`, which Miri does not
//   compile_fail     starts the compiler
//   codecs           `extend_from_slice`, called by other crates
//   defmt            its output is linked by the tests' own `extern` symbols
//   esp_alloc        needs a feature that names a chip
//   embedded_io      futures around the calls that `reference` makes
//   fit, trace       replay traces for minutes
//   moving_from_bytes  the same calls as `reference`, beside the crate `bytes`
//   global_allocator puts a pool under all of the program, Miri's own runtime included
//   out_of_memory    as global_allocator
//   layers, operations  read the sources
//   threads          races for seconds; the sanitizers run what it does
//   verification     reads documents

/// Random cases of each property: as many take a minute.
const CASES: &str = "3";

/// Seconds that one program may take: the longest takes two minutes where nothing else runs.
const LIMIT: &str = "900";

fn tests(shell: &Shell) -> Result<()> {
    shell.may_need(&MIRI)?;
    let mut table = Table::new(&["tests", "passed"], 1);
    let unit_tests = ("unit tests", vec!["--lib"]);
    let programs = PROGRAMS.iter().map(|name| (*name, vec!["--test", name]));
    for (name, what) in std::iter::once(unit_tests).chain(programs) {
        shell.progress(name);
        let printed = shell.run(&mut cargo(shell, &what))?.stdout;
        let passed = printed
            .lines()
            .find_map(|line| line.strip_prefix("test result: ok. ")?.split(' ').next());
        table.row([name, passed.with_context(|| format!("{name}: no result"))?]);
    }
    shell.report("tests under Miri", &table.plain());
    report::keep(shell, "miri", &table.markdown())
}

/// Planted in the program of `faults`, which the sanitizers look at, too.
fn mistakes(shell: &Shell) -> Result<()> {
    shell.may_need(&MIRI)?;
    let mistakes = [
        ("race", "Data race detected"),
        ("use-after-free", "has been freed"),
        ("overflow", "beyond the end of the allocation"),
    ];
    for (what, message) in mistakes {
        let mut program = miri(shell);
        program.args([
            "run",
            "--quiet",
            "--package",
            "tierpool-faults",
            "--",
            "stress",
            "--steps",
            "1",
            // Not by the environment: under Miri a program has the one that it was built in.
            "--plant",
            what,
        ]);
        shell.run_failing(&mut program, message)?;
    }
    shell.note(format!("{} of {}", mistakes.len(), mistakes.len()));
    Ok(())
}

fn cargo(shell: &Shell, what: &[&str]) -> Command {
    let mut command = miri(shell);
    command
        .args(["test", "--package", "tierpool", "--features", FEATURES])
        .args(what)
        .env("PROPTEST_CASES", CASES);
    // Miri takes seconds for each.
    command.env("RUST_BACKTRACE", "0");
    command
}

/// `cargo miri` with a target folder of its own, for it is another compiler. A test that Miri takes
/// hours for must fail, and not hold up what comes after it.
fn miri(shell: &Shell) -> Command {
    let mut command = shell.command("timeout");
    command
        .args(["--kill-after", "5", LIMIT, "rustup", "run", "nightly", "cargo", "miri"])
        .env("MIRIFLAGS", FLAGS);
    // Those of the toolchain that runs us.
    command
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("CARGO_TARGET_DIR", Shell::scratch("miri"));
    command
}
