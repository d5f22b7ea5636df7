//! Every `Relaxed` access of the sources, and what makes it enough. A mutation can weaken a strong
//! ordering; what is relaxed already it cannot. So each has a row here: models that would fail if
//! it were too little, and the argument.
//!
//! The table is `loom-tests/relaxed.toml`. [`unnamed`] lists accesses that no row names, and rows
//! that name none: the command fails if there are any. `load_settled` is relaxed, too
//! (`src/protocol/atomics/mod.rs`).

use crate::mutation::{line_at, mentions, sources};
use crate::rows;
use anyhow::Result;
use std::fs;
use std::path::Path;

/// In `file`, within the function `within` (by the start of its declaration), wherever it says
/// `access`.
pub struct Relaxed {
    pub file: String,
    pub within: String,
    pub access: String,
    /// Why it is enough.
    pub because: String,
    /// Models that explore it, if it takes part in a protocol.
    pub models: Vec<String>,
}

pub const TABLE: &str = "loom-tests/relaxed.toml";

/// The table.
pub fn read(root: &Path) -> Result<Vec<Relaxed>> {
    rows::read(root, TABLE, "relaxed", |row| {
        let [file, within, access, because] =
            ["file", "within", "access", "because"].map(|key| row.text(key));
        Ok(Relaxed {
            file: file?,
            within: within?,
            access: access?,
            because: because?,
            models: row.texts("models")?,
        })
    })
}

/// Accesses without a row, as `file:line: text`, and rows without an access.
pub fn unnamed(root: &Path, rows: &[Relaxed]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut used = vec![false; rows.len()];
    for file in sources(root, "src")? {
        let text = fs::read_to_string(root.join(&file))?;
        // Unit tests come last, and race with nobody.
        let shipped = text.split("mod tests {").next().unwrap_or_default();
        for at in mentions(shipped, &["Relaxed", ".load_settled("]) {
            let row = rows.iter().position(|row| row.file == file && row.names(&text, at));
            match row {
                Some(row) => used[row] = true,
                None => found.push(line_at(&file, &text, at)),
            }
        }
    }
    let idle = rows.iter().zip(used).filter(|(_, used)| !used);
    found.extend(
        idle.map(|(row, _)| {
            format!("{}: no `{}` in `{}` any more", row.file, row.access, row.within)
        }),
    );
    Ok(found)
}

impl Relaxed {
    /// The access at `at` is this row's.
    fn names(&self, text: &str, at: usize) -> bool {
        let function = text[..at]
            .lines()
            .rev()
            .find(|line| line.contains("fn ") && !line.trim_start().starts_with("//"));
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = text[start..].lines().next().unwrap_or_default();
        let within =
            |(offset, part): (usize, &str)| (offset..offset + part.len()).contains(&(at - start));
        function.is_some_and(|function| function.contains(&self.within))
            && line.match_indices(&self.access).any(within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "fn a() {\n    x.load(Relaxed);\n}\n// fn c(\nfn b() {\n    x.load(Relaxed); y.store(Relaxed);\n}\n";

    #[test]
    fn a_row_names_its_access_in_its_function_only() {
        let [file, because] = [String::new(), String::new()];
        let row = Relaxed {
            file,
            within: "fn b(".into(),
            access: "x.load(Relaxed)".into(),
            because,
            models: Vec::new(),
        };
        let named: Vec<_> = mentions(TEXT, &["Relaxed"]).map(|at| row.names(TEXT, at)).collect();
        assert_eq!(named, [false, true, false]);
    }

    /// A row that is there twice names no access the second time.
    #[test]
    fn the_sources_have_no_other() {
        let root = crate::shell::Shell::root();
        let found = unnamed(root, &read(root).unwrap()).unwrap();
        assert!(found.is_empty(), "{found:#?}");
    }
}
