//! Tables in `docs/generated/`.

use crate::shell::Shell;
use anyhow::{Context, Result};
use std::fs;
pub use tierpool_charts::Table;

/// Where generated tables and charts lie. The documents beside it explain and link them.
pub const FOLDER: &str = "docs/generated";

/// What stands under the title of every generated table.
const NOTE: &str = "Written by a command of `cargo xtask` with `--keep`; the document that links here says what it means.";

/// The file of a generated table, in the project's root.
fn file(name: &str) -> String {
    format!("{FOLDER}/{name}.md")
}

/// Writes `text` to the file of this name, if the command was asked to keep its tables.
pub fn keep(shell: &Shell, name: &str, text: &str) -> Result<()> {
    if shell.keep {
        fs::write(Shell::root().join(file(name)), head(name) + text).with_context(|| file(name))?;
    }
    Ok(())
}

/// The text in the file of this name; an error says which command writes it.
pub fn kept(name: &str, command: &str) -> Result<String> {
    let file = file(name);
    let whole = fs::read_to_string(Shell::root().join(&file))
        .with_context(|| format!("{file}: {command} --keep"))?;
    Ok(whole
        .strip_prefix(&head(name))
        .with_context(|| format!("{file} begins otherwise: {command} --keep"))?
        .to_owned())
}

fn head(name: &str) -> String {
    format!("# {name}\n\n{NOTE}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_table_is_read_without_its_head() {
        let table = kept("loom", "cargo xtask loom").unwrap();
        assert!(table.starts_with("| model"), "{table}");
        let error = kept("none", "cargo xtask none").unwrap_err();
        assert_eq!(error.to_string(), "docs/generated/none.md: cargo xtask none --keep");
    }
}
