//! `cargo xtask doc`

use crate::package::{C_LIBRARY, Package, WORKSPACE};
use crate::{shell::Shell, step::Step};
use anyhow::Result;

pub const STEPS: &[Step] = &[Step { name: "documentation", run: public }, Step { name: "documentation, private items too", run: private }];

fn public(shell: &Shell) -> Result<()> {
    doc(shell, &["--package", "tierpool", "--features", &Package::read(shell)?.host_features])
}

fn private(shell: &Shell) -> Result<()> {
    let features = Package::read(shell)?.host_features;
    doc(shell, &[WORKSPACE, &["--features", &features, "--document-private-items"]].concat())?;
    doc(shell, &[C_LIBRARY, &["--document-private-items"]].concat())
}

fn doc(shell: &Shell, what: &[&str]) -> Result<()> {
    shell.run(shell.cargo(["doc", "--no-deps"]).args(what).env("RUSTDOCFLAGS", "-Dwarnings"))?;
    Ok(())
}
