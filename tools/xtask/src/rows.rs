//! Tables of data, in TOML: rows of texts and of lists of texts.

use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::Path;
use toml::{Table, Value};

/// A row, whose fields are taken out one by one.
pub struct Row(Table);

impl Row {
    pub fn text(&mut self, key: &str) -> Result<String> {
        match self.0.remove(key) {
            Some(Value::String(text)) => Ok(text),
            _ => bail!("no text `{key}`"),
        }
    }

    pub fn texts(&mut self, key: &str) -> Result<Vec<String>> {
        let Some(Value::Array(values)) = self.0.remove(key) else { bail!("no list `{key}`") };
        values
            .iter()
            .map(|value| {
                value
                    .as_str()
                    .map(String::from)
                    .with_context(|| format!("{value:?} in `{key}` is no text"))
            })
            .collect()
    }
}

/// Reads the rows `[[name]]` of a file, and nothing else may stand there.
pub fn read<T>(
    root: &Path,
    file: &str,
    name: &str,
    parse: impl Fn(&mut Row) -> Result<T>,
) -> Result<Vec<T>> {
    let mut table: Table =
        fs::read_to_string(root.join(file))?.parse().with_context(|| file.to_owned())?;
    let Some(Value::Array(rows)) = table.remove(name) else { bail!("{file}: no [[{name}]]") };
    ensure!(table.is_empty(), "{file}: more than [[{name}]]");
    let row = |(index, value): (usize, Value)| {
        let Value::Table(fields) = value else { bail!("no table") };
        let mut row = Row(fields);
        let parsed = parse(&mut row).with_context(|| format!("{file}, row {}", index + 1))?;
        ensure!(
            row.0.is_empty(),
            "{file}, row {}: fields that are not known: {:?}",
            index + 1,
            row.0.keys().collect::<Vec<_>>()
        );
        Ok(parsed)
    };
    rows.into_iter().enumerate().map(row).collect()
}
