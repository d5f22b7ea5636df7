//! What the library adds to an image: the sections of one that uses the pool, less those of one that does not.
//!
//! Built with `opt-level = "s"` and the default geometry, one call site for each operation.

use super::board::{Board, workspace};
use crate::shell::Shell;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::path::Path;

/// What a section is for, by the start of its name.
const SECTIONS: [&str; 4] = ["text", "rodata", "data", "bss"];

/// Payload, one state word a slot, and what remains: heads and counters.
const PAYLOAD: i64 = 16 * (256 + 512 + 1024);
const STATES: i64 = 4 * 3 * 16;

/// Bytes that the library adds, by section.
pub fn added(shell: &Shell, board: &Board) -> Result<BTreeMap<&'static str, i64>> {
    let folder = board.build(shell, &workspace(), "suite", "small")?;
    let (with, without) = (sections(shell, &folder.join("size-pool"))?, sections(shell, &folder.join("size-empty"))?);
    let mut added: BTreeMap<_, _> = SECTIONS.into_iter().map(|name| (name, with[name] - without[name])).collect();
    ensure!(added["data"] == 0, "the library adds {} bytes of .data", added["data"]);
    added.insert("bss beside payload and states", added["bss"] - PAYLOAD - STATES);
    Ok(added)
}

fn sections(shell: &Shell, image: &Path) -> Result<BTreeMap<&'static str, i64>> {
    let printed = shell.run(shell.command("llvm-size-22").arg("--format=sysv").arg(image))?.stdout;
    let mut sizes: BTreeMap<_, _> = SECTIONS.into_iter().map(|name| (name, 0)).collect();
    for line in printed.lines().filter(|line| line.starts_with('.')) {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        if let Some(sum) = SECTIONS.into_iter().find(|part| name[1..] == **part).and_then(|part| sizes.get_mut(part)) {
            *sum += words.next().and_then(|size| size.parse::<i64>().ok()).with_context(|| format!("no size in `{line}`"))?;
        }
    }
    Ok(sizes)
}
