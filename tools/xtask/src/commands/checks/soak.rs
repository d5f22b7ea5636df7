//! `cargo xtask soak`

use crate::report::{self, Table};
use crate::{shell::Shell, step::Step};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::process::Command;

/// The soak itself comes last: it takes as long as was asked.
pub fn steps(minutes: u64) -> Vec<Step> {
    vec![
        Step::new("soak notices mistakes", mistakes),
        Step::new("soak", move |shell| soak(shell, 60 * minutes)),
    ]
}

fn program(shell: &Shell) -> Command {
    shell.cargo(["run", "--release", "--package", "tierpool-soak", "--"])
}

/// Each is made once, by one thread, and must be named at the next pause.
fn mistakes(shell: &Shell) -> Result<()> {
    let mistakes = [
        ("slot", "slots, the pool says"),
        ("heap", "buffers, the pools say"),
        ("byte", "damaged: a slot's byte"),
        ("object", "in the pool"),
        ("cache", "caches hold"),
        ("wake", "was not woken"),
        ("wipe", "granted that is not wiped"),
    ];
    for (what, message) in mistakes {
        shell.run_failing(
            program(shell).args(["--seconds", "5"]).env("TIERPOOL_PLANT", what),
            message,
        )?;
    }
    shell.note(format!("{} of {}", mistakes.len(), mistakes.len()));
    Ok(())
}

/// The program checks itself and says so in its exit code. Here its counts become a table.
fn soak(shell: &Shell, seconds: u64) -> Result<()> {
    let printed =
        shell.run(program(shell).args(["--json", "--seconds", &seconds.to_string()]))?.stdout;
    let report: Value =
        serde_json::from_str(&printed).context("what the soak prints is no JSON")?;
    let number = |name: &str| report[name].as_u64().with_context(|| format!("no {name}"));
    ensure!(
        report["passed"] == true && number("fallback_bytes")? == 0,
        "the soak does not say that it passed"
    );

    let (operations, faults) = (counts(&report["operations"])?, counts(&report["faults"])?);
    ensure!(
        operations.iter().chain(&faults).all(|&(_, count)| count > 0),
        "something was never done"
    );
    let sum = |counts: &[(String, u64)]| counts.iter().map(|(_, count)| count).sum::<u64>();
    let mut table = Table::new(&["what", "number"], 1);
    for (name, count) in &operations {
        table.row([name.as_str(), &count.to_string()]);
    }
    let mut injected = Table::new(&["fault injected", "number"], 1);
    for (name, count) in &faults {
        injected.row([name.as_str(), &count.to_string()]);
    }
    let summary = format!(
        "{:.1} minutes, {} threads, {} pauses: {} operations, {} faults injected, {} requests and copies refused; 0 slots lost, \
         0 fallback bytes at the end.",
        report["seconds"].as_f64().context("no seconds")? / 60.0,
        number("threads")?,
        number("pauses")?,
        sum(&operations),
        sum(&faults),
        number("refused")?,
    );
    shell.note(format!(
        "{} operations, {} faults, {} pauses",
        sum(&operations),
        sum(&faults),
        number("pauses")?
    ));
    shell.report("soak", &format!("{summary}\n{}\n{}", table.plain(), injected.plain()));
    report::keep(
        shell,
        "soak",
        &format!("{summary}\n\n{}\n{}", table.markdown(), injected.markdown()),
    )
}

/// Pairs of a name and a count.
fn counts(pairs: &Value) -> Result<Vec<(String, u64)>> {
    let pairs = pairs.as_array().context("no counts")?.iter();
    pairs
        .map(|pair| {
            Ok((pair[0].as_str().context("no name")?.into(), pair[1].as_u64().context("no count")?))
        })
        .collect()
}
