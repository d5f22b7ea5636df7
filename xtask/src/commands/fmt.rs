//! `cargo xtask fmt`

use crate::{shell::Shell, step::Step, tools};
use anyhow::Result;

pub const STEPS: &[Step] = &[Step { name: "format", run: format }];

fn format(shell: &Shell) -> Result<()> {
    shell.need(&tools::RUSTFMT)?;
    shell.run(&mut shell.cargo(["fmt", "--all", "--check"]))?;
    Ok(())
}
