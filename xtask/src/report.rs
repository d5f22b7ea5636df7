//! Tables, on the terminal and in the documents.

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

/// Puts `text` between the marks `<!-- NAME -->` and `<!-- end NAME -->` of `docs/verification.md`, if the command was
/// asked to keep its tables.
pub fn keep(shell: &Shell, name: &str, text: &str) -> Result<()> {
    if shell.keep { keep_in("docs/verification.md", name, text) } else { Ok(()) }
}

/// Puts `text` between these marks of a document.
pub fn keep_in(document: &str, name: &str, text: &str) -> Result<()> {
    let path = Shell::root().join(document);
    let old = fs::read_to_string(&path).with_context(|| document.to_owned())?;
    let replaced = replace_between(&old, name, text).with_context(|| format!("{document} has no marks for `{name}`"))?;
    fs::write(&path, replaced)?;
    Ok(())
}

/// Whether a document has `text` between these marks.
pub fn is_kept_in(document: &str, name: &str, text: &str) -> Result<bool> {
    let kept = fs::read_to_string(Shell::root().join(document)).with_context(|| document.to_owned())?;
    Ok(replace_between(&kept, name, text).with_context(|| format!("{document} has no marks for `{name}`"))? == kept)
}

/// What stands between these marks of a document.
pub fn kept_in(document: &str, name: &str) -> Result<String> {
    let text = fs::read_to_string(Shell::root().join(document)).with_context(|| document.to_owned())?;
    between(&text, name).map(str::to_owned).with_context(|| format!("{document} has no marks for `{name}`"))
}

fn between<'a>(document: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = document.split_once(&format!("<!-- {name} -->\n"))?;
    Some(rest.split_once(&format!("<!-- end {name} -->"))?.0)
}

fn replace_between(document: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end {name} -->"));
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{text}{end}{after}"))
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
    fn only_what_lies_between_the_marks_is_replaced() {
        let document = "a\n<!-- t -->\nold\n<!-- end t -->\nb\n";
        assert_eq!(replace_between(document, "t", "new\n").unwrap(), "a\n<!-- t -->\nnew\n<!-- end t -->\nb\n");
        assert!(replace_between(document, "u", "").is_none());
        assert_eq!((between(document, "t"), between(document, "u")), (Some("old\n"), None));
    }
}
