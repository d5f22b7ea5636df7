//! `cargo xtask publish`

use crate::{shell::Shell, step::Step};
use anyhow::Result;

pub fn steps() -> Vec<Step> {
    vec![Step::new("cargo publish --dry-run", dry_run)]
}

/// Packs the crate as crates.io would get it, and builds what was packed.
fn dry_run(shell: &Shell) -> Result<()> {
    // Also from a tree with changes: they are what is to be checked.
    shell.run(&mut shell.cargo([
        "publish",
        "--dry-run",
        "--allow-dirty",
        "--package",
        "tierpool",
    ]))?;
    Ok(())
}
