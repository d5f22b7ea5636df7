//! `cargo xtask clippy`

use crate::package::{Package, WORKSPACE};
use crate::{shell::Shell, step::Step, tools};
use anyhow::Result;

pub const STEPS: &[Step] =
    &[Step { name: "clippy, all features", run: all_features }, Step { name: "clippy, no features", run: no_features }];

fn all_features(shell: &Shell) -> Result<()> {
    clippy(shell, &[WORKSPACE, &["--features", &Package::read(shell)?.host_features]].concat())
}

/// Also the default: it is empty.
fn no_features(shell: &Shell) -> Result<()> {
    clippy(shell, &["--package", "tierpool", "--no-default-features"])
}

fn clippy(shell: &Shell, what: &[&str]) -> Result<()> {
    shell.need(&tools::CLIPPY)?;
    shell.run(shell.cargo(["clippy", "--all-targets"]).args(what).args(["--", "-D", "warnings"]))?;
    Ok(())
}
