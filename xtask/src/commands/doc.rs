//! `cargo xtask doc`

use crate::{package::Package, shell::Shell, step::Step};
use anyhow::Result;

pub const STEPS: &[Step] = &[Step { name: "documentation", run: public }, Step { name: "documentation, private items too", run: private }];

fn public(shell: &Shell) -> Result<()> {
    doc(shell, &["--package", "tierpool"])
}

fn private(shell: &Shell) -> Result<()> {
    doc(shell, &["--workspace", "--document-private-items"])
}

fn doc(shell: &Shell, what: &[&str]) -> Result<()> {
    let features = Package::read(shell)?.host_features;
    shell.run(shell.cargo(["doc", "--no-deps", "--features", &features]).args(what).env("RUSTDOCFLAGS", "-Dwarnings"))?;
    Ok(())
}
