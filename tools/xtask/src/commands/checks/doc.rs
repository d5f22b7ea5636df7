//! `cargo xtask doc`

use crate::package::{Package, WORKSPACE};
use crate::{shell::Shell, step::Step};
use anyhow::Result;

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("documentation, all features", public),
        Step::new("documentation, as docs.rs builds it", docs_rs),
        Step::new("documentation, private items too", private),
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

fn private(shell: &Shell) -> Result<()> {
    let features = Package::read(shell)?.host_features;
    doc(shell, &[WORKSPACE, &["--features", &features, "--document-private-items"]].concat())
}

fn doc(shell: &Shell, what: &[&str]) -> Result<()> {
    shell.run(shell.cargo(["doc", "--no-deps"]).args(what).env("RUSTDOCFLAGS", "-Dwarnings"))?;
    Ok(())
}
