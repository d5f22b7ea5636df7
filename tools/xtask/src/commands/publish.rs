//! `cargo xtask publish`

use crate::{shell::Shell, step::Step};
use anyhow::Result;

pub const STEPS: &[Step] = &[Step { name: "cargo publish --dry-run", run: dry_run }];

/// Packs the crate as crates.io would get it, and builds what was packed.
fn dry_run(shell: &Shell) -> Result<()> {
    // Also from a tree with changes: they are what is to be checked.
    shell.run(&mut shell.cargo(["publish", "--dry-run", "--allow-dirty", "--package", "tierpool"]))?;
    Ok(())
}
