//! `cargo xtask instructions`
//!
//! Instructions of single operations on this processor, ours and the peers', counted by Valgrind's
//! callgrind through `benches/instructions.rs`. `benches/instructions.tsv` is the record,
//! `docs/generated/instructions.md` shows it.
//!
//! Ours are held against the record. The peers' are shown only: glibc's come with the machine. A
//! figure depends on the compiler, too: the record names the one that made it, and a failure names
//! both. It stays a failure: whether a newer compiler is the reason, the figures of the same
//! sources by the older one tell.

use crate::figures::{Figures, Record};
use crate::report::Table;
use crate::shell::Shell;
use crate::step::Step;
use crate::tools::{GUNGRAUN, VALGRIND};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("instructions per operation", check),
        Step::new("instructions in the documentation", check_documentation),
    ]
}

const OURS: &str = "tierpool";
/// What the record is of. Others have other instructions.
const PROCESSOR: &str = "x86_64";

const RECORD: Record = Record {
    file: "benches/instructions.tsv",
    command: "cargo xtask instructions",
    place: "processor",
    guarded: |_, implementation| implementation.starts_with(OURS),
};

fn check(shell: &Shell) -> Result<()> {
    ensure!(
        cfg!(all(target_arch = "x86_64", target_os = "linux")),
        "the record is of {PROCESSOR} under Linux; run `cargo xtask instructions` on such a machine"
    );
    shell.need(&VALGRIND)?;
    shell.need(&GUNGRAUN)?;
    let measured = measure(shell)?;
    let tools = tools(shell)?;
    let faults = RECORD.check(shell, PROCESSOR, &measured, Some(&tools))?;
    ensure!(
        faults.is_empty(),
        "{}\n{}",
        faults.join("; "),
        advice(&tools, RECORD.made_by().as_deref())
    );
    shell.note(format!(
        "{} figures, {} of them ours",
        measured.len(),
        measured.keys().filter(|key| key[2].starts_with(OURS)).count()
    ));
    Ok(())
}

/// The documentation shows what is on record; with `--keep`, it is made to.
fn check_documentation(shell: &Shell) -> Result<()> {
    let mut table = Table::new(&["operation", "implementation", "instructions"], 2);
    for ([_, operation, implementation], value) in RECORD.read()? {
        table.row([operation, implementation, value.to_string()]);
    }
    let made_by = RECORD.made_by().context("the record does not say what made it")?;
    RECORD.show(shell, "instructions", &format!("{}\nMade by {made_by}.\n", table.markdown()))
}

fn measure(shell: &Shell) -> Result<Figures> {
    let mut figures = Figures::new();
    // Without default features: what a pool costs in a library without `lanes`.
    for (name, features) in [
        ("instructions", "--features="),
        ("instructions_packets", "--features="),
        ("instructions_lanes", "--features=lanes"),
    ] {
        let bench = || {
            let mut cargo = shell.cargo(["bench", "--package", "tierpool-benches"]);
            cargo.args(["--no-default-features", features, "--bench", name]);
            cargo
        };
        shell.run(bench().arg("--no-run"))?;
        // Not by `Shell::run`: nobody wants all this JSON in a step's log.
        let output = bench().args(["--", "--output-format=json", "--parallel=auto"]).output()?;
        ensure!(
            output.status.success(),
            "the benchmark failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let printed: Figures =
            str::from_utf8(&output.stdout)?.lines().map(figure).collect::<Result<_>>()?;
        ensure!(!printed.is_empty(), "the benchmark `{name}` printed no figures");
        figures.extend(printed);
    }
    Ok(figures)
}

/// A line that the benchmark prints: one operation of one implementation.
fn figure(line: &str) -> Result<([String; 3], i64)> {
    let summary: Value =
        serde_json::from_str(line).context("what the benchmark prints is no JSON")?;
    let name = |key: &str| Some(summary[key].as_str()?.replace('_', " "));
    let (operation, implementation) =
        name("function_name").zip(name("id")).context("a figure without a name")?;
    let count = &summary["profiles"][0]["data"]["total"]["metrics"]["Ir"]["values"]["new"];
    let count = count
        .as_i64()
        .with_context(|| format!("no instructions of {operation}, {implementation}"))?;
    Ok(([PROCESSOR.into(), operation, implementation], count))
}

/// What a figure depends on beside the sources.
fn tools(shell: &Shell) -> Result<String> {
    let rustc = shell.run(shell.command("rustc").arg("--version"))?.stdout;
    let libc = shell.run(shell.command("getconf").arg("GNU_LIBC_VERSION"))?.stdout;
    Ok(format!("{}, {}", rustc.trim(), libc.trim()))
}

/// What to do about figures that have grown.
fn advice(tools: &str, recorded: Option<&str>) -> String {
    let keep = format!("`{} --keep` puts these figures on record", RECORD.command);
    match recorded {
        Some(recorded) if recorded != tools => format!(
            "Measured with {tools}; on record with {recorded}. Measure with the latter: if the figures are then as on record, \
             the sources are not the reason, and {keep}."
        ),
        _ => format!(
            "The tools are those on record: the sources are the reason. Where that is wanted, {keep}."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_figure_is_read() {
        let line = r#"{"function_name":"drop_shared","id":"tierpool","profiles":[{"data":{"total":{"metrics":{"Ir":{"values":{"new":18}}}}}}]}"#;
        assert_eq!(
            figure(line).unwrap(),
            ([PROCESSOR, "drop shared", "tierpool"].map(String::from), 18)
        );
        assert!(figure(&line.replace("18", "null")).is_err());
        assert!(figure("").is_err());
    }

    #[test]
    fn a_failure_names_a_new_compiler() {
        assert!(
            advice("rustc 2, glibc 1", Some("rustc 1, glibc 1"))
                .contains("Measured with rustc 2, glibc 1; on record with rustc 1")
        );
        assert!(advice("rustc 1", Some("rustc 1")).starts_with("The tools are those on record"));
    }
}
