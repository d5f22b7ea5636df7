//! `cargo xtask doc`

use super::feature_lists;
use crate::package::{Package, WORKSPACE};
use crate::{shell::Shell, step::Step};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::fs;

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("lists of features", feature_lists::check),
        Step::new("documentation, all features", public),
        Step::new("documentation, as docs.rs builds it", docs_rs),
        Step::new("documentation, private items too", private),
        Step::new("public interface is as recorded", interface),
    ]
}

fn public(shell: &Shell) -> Result<()> {
    doc(shell, &["--package", "tierpool", "--features", &Package::read(shell)?.host_features])
}

/// Exactly the features and flags that `Cargo.toml` names for docs.rs, whose toolchain is a nightly
/// one: a link to what a feature brings that is not among them is broken there alone.
fn docs_rs(shell: &Shell) -> Result<()> {
    let Package { docs_features, docs_flags, .. } = Package::read(shell)?;
    let mut cargo =
        shell.cargo(["doc", "--no-deps", "--package", "tierpool", "--features", &docs_features]);
    cargo.env("RUSTDOCFLAGS", format!("-Dwarnings {docs_flags}")).env("RUSTC_BOOTSTRAP", "1");
    // A folder of its own: what is built for a nightly toolchain would push out the others' builds.
    shell.run(cargo.arg("--target-dir").arg(Shell::scratch("docs-rs")))?;
    Ok(())
}

/// All public items, a line each. A change of the interface is a change of this file, and so never an
/// accident.
const RECORD: &str = "tools/public-api/tierpool.txt";

/// With the features that docs.rs shows, in the folder of that step. With `--keep`, records it.
fn interface(shell: &Shell) -> Result<()> {
    let folder = Shell::scratch("docs-rs");
    let mut cargo = shell.cargo(["rustdoc", "--lib", "--package", "tierpool", "--features"]);
    cargo.arg(Package::read(shell)?.docs_features).arg("--target-dir").arg(&folder);
    cargo.args(["--", "-Zunstable-options", "--output-format", "json"]);
    shell.run(cargo.env("RUSTC_BOOTSTRAP", "1"))?;
    let mut list = shell.cargo(["run", "--package", "tierpool-public-api", "--"]);
    let now = shell.run(list.arg(folder.join("doc/tierpool.json")))?.stdout;
    let path = Shell::root().join(RECORD);
    if shell.keep {
        fs::write(&path, &now)?;
    }
    let recorded = fs::read_to_string(&path).context(RECORD)?;
    let changes = changes(&recorded, &now);
    ensure!(
        changes.is_empty(),
        "{changes}The public interface is not what {RECORD} says. If that is meant: cargo xtask doc --keep, and a line in CHANGELOG.md"
    );
    shell.note(format!("{} lines", now.lines().count()));
    Ok(())
}

/// The lines that are gone, with a minus, and those that are new, with a plus.
fn changes(recorded: &str, now: &str) -> String {
    let without = |text: &str, other: &str, sign: char| -> String {
        let other: BTreeSet<&str> = other.lines().collect();
        let lines = text.lines().filter(|line| !other.contains(line));
        lines.map(|line| format!("{sign} {line}\n")).collect()
    };
    without(recorded, now, '-') + &without(now, recorded, '+')
}

fn private(shell: &Shell) -> Result<()> {
    let features = Package::read(shell)?.host_features;
    doc(shell, &[WORKSPACE, &["--features", &features, "--document-private-items"]].concat())
}

fn doc(shell: &Shell, what: &[&str]) -> Result<()> {
    shell.run(shell.cargo(["doc", "--no-deps"]).args(what).env("RUSTDOCFLAGS", "-Dwarnings"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_gone_and_what_is_new() {
        assert_eq!(super::changes("a\nb\n", "b\na\n"), "");
        assert_eq!(super::changes("a\nb\n", "b\nc\n"), "- a\n+ c\n");
    }
}
