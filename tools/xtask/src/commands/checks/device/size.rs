//! What the library adds to an image: the sections of one that uses the pool, less those of one
//! that does not.
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

/// Functions that only a pool with a fallback calls, by parts of their names.
const FOR_FALLBACKS: [&str; 3] =
    ["tierpool::pool::fallback", "tierpool::protocol::deferred", "free_to_fallback"];

/// Bytes that the library adds, by section.
pub fn added(shell: &Shell, board: &Board) -> Result<BTreeMap<&'static str, i64>> {
    let folder = board.target.build(shell, &workspace(), "suite", "small")?;
    let (with, without) =
        (sections(shell, &folder.join("size-pool"))?, sections(shell, &folder.join("size-empty"))?);
    let mut added: BTreeMap<_, _> =
        SECTIONS.into_iter().map(|name| (name, with[name] - without[name])).collect();
    ensure!(added["data"] == 0, "the library adds {} bytes of .data", added["data"]);
    added.insert(
        "text without the fallback's",
        added["text"] - fallback(shell, &folder.join("size-pool"))?,
    );
    added.insert("bss beside payload and states", added["bss"] - PAYLOAD - STATES);
    Ok(added)
}

/// Bytes of code that serve fallbacks only: the pool measured here has none, yet the linker cannot
/// know.
fn fallback(shell: &Shell, image: &Path) -> Result<i64> {
    let printed = shell
        .run(shell.command("llvm-nm-22").args(["--demangle", "--print-size"]).arg(image))?
        .stdout;
    let mut sum = 0;
    for line in printed.lines() {
        // Address, size, kind, name.
        if let [_, size, "t" | "T", name] = line.splitn(4, ' ').collect::<Vec<_>>()[..]
            && FOR_FALLBACKS.iter().any(|part| name.contains(part))
        {
            sum += i64::from_str_radix(size, 16).with_context(|| format!("no size in `{line}`"))?;
        }
    }
    ensure!(sum > 0, "no function of a fallback found by its name");
    Ok(sum)
}

fn sections(shell: &Shell, image: &Path) -> Result<BTreeMap<&'static str, i64>> {
    let printed = shell.run(shell.command("llvm-size-22").arg("--format=sysv").arg(image))?.stdout;
    let mut sizes: BTreeMap<_, _> = SECTIONS.into_iter().map(|name| (name, 0)).collect();
    for line in printed.lines().filter(|line| line.starts_with('.')) {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        if let Some(sum) = SECTIONS
            .into_iter()
            .find(|part| name[1..] == **part)
            .and_then(|part| sizes.get_mut(part))
        {
            *sum += words
                .next()
                .and_then(|size| size.parse::<i64>().ok())
                .with_context(|| format!("no size in `{line}`"))?;
        }
    }
    Ok(sizes)
}
