//! `cargo xtask fmt`

use crate::{shell::Shell, step::Step, tools};
use anyhow::Result;

pub fn steps() -> Vec<Step> {
    vec![Step::new("format", format)]
}

/// Firmware and fuzz targets are built for other targets or with other flags, so they are
/// workspaces of their own.
const WORKSPACES: &[&str] =
    &["Cargo.toml", "firmware/Cargo.toml", "firmware/esp/Cargo.toml", "verify/fuzz/Cargo.toml"];

fn format(shell: &Shell) -> Result<()> {
    shell.need(&tools::RUSTFMT)?;
    for workspace in WORKSPACES {
        shell.run(&mut shell.cargo(["fmt", "--all", "--check", "--manifest-path", workspace]))?;
    }
    Ok(())
}
