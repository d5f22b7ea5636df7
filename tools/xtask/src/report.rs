//! Tables, on the terminal and in `docs/generated/`.

use crate::shell::Shell;
use anyhow::{Context, Result};
use std::fs;

/// Rows under headings; the first `text` columns are aligned left, the others, figures, right.
pub struct Table {
    rows: Vec<Vec<String>>,
    text: usize,
}

impl Table {
    pub fn new(headings: &[&str], text: usize) -> Table {
        Table { rows: vec![headings.iter().map(|heading| heading.to_string()).collect()], text }
    }

    pub fn row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    fn aligned(&self) -> impl Iterator<Item = Vec<String>> {
        let columns = self.rows[0].len();
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        self.rows.iter().map(move |row| {
            let cells = row.iter().zip(&widths).enumerate();
            cells.map(|(i, (cell, width))| if i < self.text { format!("{cell:<width$}") } else { format!("{cell:>width$}") }).collect()
        })
    }

    /// Columns apart by two spaces.
    pub fn plain(&self) -> String {
        self.aligned().map(|row| row.join("  ").trim_end().to_string() + "\n").collect()
    }

    pub fn markdown(&self) -> String {
        let mut lines: Vec<String> = self.aligned().map(|row| format!("| {} |", row.join(" | "))).collect();
        let rules = (0..self.rows[0].len()).map(|column| if column < self.text { ":---" } else { "---:" });
        lines.insert(1, format!("| {} |", rules.collect::<Vec<_>>().join(" | ")));
        lines.join("\n") + "\n"
    }
}

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
    let whole = fs::read_to_string(Shell::root().join(&file)).with_context(|| format!("{file}: {command} --keep"))?;
    Ok(whole.strip_prefix(&head(name)).with_context(|| format!("{file} begins otherwise: {command} --keep"))?.to_owned())
}

fn head(name: &str) -> String {
    format!("# {name}\n\n{NOTE}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align() {
        let mut table = Table::new(&["name", "n"], 1);
        table.row(["a", "100"]);
        assert_eq!(table.plain(), "name    n\na     100\n");
        assert_eq!(table.markdown(), "| name |   n |\n| :--- | ---: |\n| a    | 100 |\n");
    }

    #[test]
    fn a_kept_table_is_read_without_its_head() {
        let table = kept("loom", "cargo xtask loom").unwrap();
        assert!(table.starts_with("| model"), "{table}");
        let error = kept("none", "cargo xtask none").unwrap_err();
        assert_eq!(error.to_string(), "docs/generated/none.md: cargo xtask none --keep");
    }
}
