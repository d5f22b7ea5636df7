//! `cargo xtask sanitizers`
//!
//! `faults stress` is watched by three tools. Each must find nothing, and must find a mistake that
//! is planted:
//!
//! | tool | looks for | what it sees |
//! |---|---|---|
//! | ThreadSanitizer | data races | the library, the program, their dependencies; of the standard library what is generic, and the start and end of threads |
//! | AddressSanitizer | memory out of bounds or freed, leaks | the same, and every call of the heap |
//! | Valgrind | the same, and undefined values | every instruction; also of the library's own tests (`tierpool` is the unit tests) |
//!
//! The sanitizers' switches are unstable, but their runtimes come with the stable toolchain:
//! `RUSTC_BOOTSTRAP`. The standard library is that of the toolchain, compiled without them, so the
//! program keeps away from its locks and channels. No report is suppressed but one of Valgrind's
//! about the standard library (`verify/faults/valgrind.supp`).

use crate::package::Package;
use crate::parallel::run_all;
use crate::report::{self, Table};
use crate::{shell::Shell, step::Step, tools::VALGRIND};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("ThreadSanitizer", |shell| {
            sanitize(shell, "thread", &[("race", "ThreadSanitizer: data race")])
        }),
        Step::new("AddressSanitizer, LeakSanitizer", |shell| {
            let planted = &[
                ("use-after-free", "AddressSanitizer: heap-use-after-free"),
                ("overflow", "AddressSanitizer: heap-buffer-overflow"),
                ("heap", "LeakSanitizer: detected memory leaks"),
            ];
            sanitize(shell, "address", planted)
        }),
        Step::new("Valgrind, stress", valgrind_stress),
        Step::new("Valgrind, tests", valgrind_tests),
    ]
}

/// Steps by each thread before a planted mistake.
const FEW: &str = "1000";

fn sanitize(shell: &Shell, sanitizer: &str, planted: &[(&str, &str)]) -> Result<()> {
    let host = shell.host()?;
    let program = || {
        let mut program =
            shell.cargo(["run", "--quiet", "--release", "--package", "tierpool-faults"]);
        // A target of its own, so that build scripts and macros go without; and what is compiled
        // with it links to a standard library that is not.
        program
            .args(["--target", &host, "--target-dir"])
            .arg(Shell::scratch("sanitizers").join(sanitizer))
            .args(["--", "stress"]);
        program.env(
            "RUSTFLAGS",
            format!("-Zsanitizer={sanitizer} -Cunsafe-allow-abi-mismatch=sanitizer"),
        );
        program.env("RUSTC_BOOTSTRAP", "1");
        program
    };
    watch(shell, sanitizer, program, "2500000", planted)
}

fn valgrind_stress(shell: &Shell) -> Result<()> {
    shell.need(&VALGRIND)?;
    shell.run(&mut shell.cargo(["build", "--release", "--package", "tierpool-faults"]))?;
    let program = || {
        let mut program = valgrind(shell);
        program.arg(Shell::scratch("release").join("faults")).arg("stress");
        program
    };
    watch(
        shell,
        "valgrind",
        program,
        "5000",
        &[
            ("use-after-free", "Invalid read"),
            ("overflow", "Invalid read"),
            ("heap", "definitely lost"),
        ],
    )
}

/// Runs the program as it is, and with each mistake: what the tool is to say of it.
fn watch(
    shell: &Shell,
    tool: &str,
    program: impl Fn() -> Command,
    steps: &str,
    planted: &[(&str, &str)],
) -> Result<()> {
    let mut table = Table::new(&["run", "outcome"], 2);
    let printed = shell.run(program().args(["--steps", steps]))?.stdout;
    let clean = printed.lines().next_back().context("it has printed nothing")?;
    table.row(["stress", clean]);
    for (mistake, report) in planted {
        let said = shell
            .run_failing(program().args(["--steps", FEW]).env("TIERPOOL_PLANT", mistake), report)?;
        // Without the number of the process.
        let said =
            said.split("==").last().unwrap_or_default().split(" (pid=").next().unwrap_or_default();
        table.row([
            format!("planted: {mistake}"),
            said.split(" on address").next().unwrap_or_default().trim().to_owned(),
        ]);
    }
    shell.note(clean);
    shell.report(&format!("stress, {tool}"), &table.plain());
    report::keep(shell, tool, &table.markdown())
}

/// Programs of tests that are left out: they start the compiler, read documents, or replay traces
/// for a table; `esp_alloc`, whose tests need a feature that names a chip; and `threads`, for which
/// `faults stress` stands.
const NOT_UNDER_VALGRIND: &[&str] =
    &["compile_fail", "esp_alloc", "fit", "threads", "trace", "verification"];

/// Parts of the names of tests that are left out: they lose memory on purpose, count to 2^27, or race
/// for seconds.
const SKIPPED: &[&str] = &[
    "forgotten",
    "loses_its_own_memory",
    "too_many_clones",
    "threads_in_lanes",
    "pools_on_the_heap_take_many",
];

/// Random cases of the model: as many take Valgrind less than half a minute.
const MODEL_CASES: &str = "32";

fn valgrind_tests(shell: &Shell) -> Result<()> {
    shell.need(&VALGRIND)?;
    let features = Package::read(shell)?.host_features;
    let arguments = [
        "test",
        "--package",
        "tierpool",
        "--features",
        &features,
        "--lib",
        "--tests",
        "--no-run",
        "--message-format",
        "json-render-diagnostics",
    ];
    let built = shell.run(&mut shell.cargo(arguments))?.stdout;
    let mut table = Table::new(&["tests", "passed", "leaks and errors"], 1);
    let mut programs = executables(&built)?;
    for name in NOT_UNDER_VALGRIND {
        programs.remove(*name).with_context(|| format!("there is no test `{name}`"))?;
    }
    let commands = programs.iter().map(|(name, program)| {
        let mut command = valgrind(shell);
        command
            .env("PROPTEST_CASES", MODEL_CASES)
            .arg(program)
            .args(SKIPPED.iter().flat_map(|part| ["--skip", part]));
        (name.clone(), command)
    });
    for (name, finished) in programs.keys().zip(run_all(shell, commands.collect())?) {
        let mut printed = finished.all.lines();
        let passed = printed
            .clone()
            .find_map(|line| line.strip_prefix("test result: ok. ")?.split(' ').next())
            .context("no result")?;
        let errors = printed
            .find_map(|line| line.split_once("ERROR SUMMARY: ")?.1.split(' ').next())
            .context("no summary")?;
        ensure!(errors == "0", "{name}: {errors} errors");
        table.row([name, passed, errors]);
    }
    shell.report("tests under Valgrind", &table.plain());
    report::keep(shell, "valgrind-tests", &table.markdown())
}

/// Names and paths of the programs that cargo has built, by its messages; sorted.
fn executables(messages: &str) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for line in messages.lines() {
        let message: Value = serde_json::from_str(line).context("a message of cargo")?;
        if let (Some(name), Some(program)) =
            (message["target"]["name"].as_str(), message["executable"].as_str())
        {
            found.insert(name.to_owned(), program.to_owned());
        }
    }
    Ok(found)
}

/// Valgrind's memcheck, which fails if it finds anything.
fn valgrind(shell: &Shell) -> Command {
    let mut command = shell.command("valgrind");
    command.args([
        "--error-exitcode=66",
        "--leak-check=full",
        "--errors-for-leak-kinds=definite,indirect,possible",
    ]);
    command.args(["--fair-sched=yes", "--suppressions=verify/faults/valgrind.supp"]);
    command
}
