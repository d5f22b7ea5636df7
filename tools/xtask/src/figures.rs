//! Figures on record: a file holds what was measured once, and a figure of ours that grows by more
//! than 3 % is a fault.
//!
//! | line of a file | holds |
//! |---|---|
//! | `# …` | the command that writes it; what made the figures |
//! | `place`, `operation`, `implementation`, `value`, tabs between | one figure |

use crate::report::{self, Table};
use crate::shell::Shell;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

/// Where it was measured, the operation, the implementation.
pub type Key = [String; 3];
pub type Figures = BTreeMap<Key, i64>;

/// A file of figures.
pub struct Record {
    /// In the project's root.
    pub file: &'static str,
    /// The command that measures, and with `--keep` writes.
    pub command: &'static str,
    /// What the first column is.
    pub place: &'static str,
    /// Whether a figure of this operation and this implementation is held against the record, or
    /// just shown.
    pub guarded: fn(operation: &str, implementation: &str) -> bool,
}

const MADE_BY: &str = "# Made by ";

impl Record {
    pub fn read(&self) -> Result<Figures> {
        let mut figures = Figures::new();
        for line in self.text().lines().filter(|line| !line.starts_with('#')) {
            let parts: Vec<&str> = line.split('\t').collect();
            let [place, operation, implementation, value] = parts[..] else {
                bail!("{}: `{line}`", self.file)
            };
            figures.insert([place.into(), operation.into(), implementation.into()], value.parse()?);
        }
        Ok(figures)
    }

    /// The tools that made the figures on record, if it says so.
    pub fn made_by(&self) -> Option<String> {
        self.text().lines().find_map(|line| line.strip_prefix(MADE_BY)).map(String::from)
    }

    /// Compares what was measured in one place with the record and shows both; returns what is
    /// wrong. With `--keep`, the measured figures are put on record first, and the tools that made
    /// them.
    pub fn check(
        &self,
        shell: &Shell,
        place: &str,
        measured: &Figures,
        made_by: Option<&str>,
    ) -> Result<Vec<String>> {
        let mut recorded = self.read()?;
        if shell.keep {
            recorded.retain(|[recorded, ..], _| recorded != place);
            recorded.extend(measured.clone());
            self.write(&recorded, made_by)?;
        }
        recorded.retain(|[recorded, ..], _| recorded == place);
        let mut table = Table::new(&["operation", "implementation", "measured", "on record"], 2);
        for (key @ [_, operation, implementation], value) in measured {
            let known = recorded.get(key).map_or("-".into(), i64::to_string);
            table.row([operation, implementation, &value.to_string(), &known]);
        }
        shell.report(&format!("instructions and bytes, {place}"), &table.plain());
        Ok(self.faults(measured, &recorded))
    }

    /// The generated table `name` is `text`; with `--keep`, it is made so.
    pub fn show(&self, shell: &Shell, name: &str, text: &str) -> Result<()> {
        report::keep(shell, name, text)?;
        ensure!(
            report::kept(name, self.command)? == text,
            "the table `{name}` does not show {}; {} --keep",
            self.file,
            self.command
        );
        shell.note(format!("the documents show {}", self.file));
        Ok(())
    }

    /// What is not as it was in the one place that both are of.
    fn faults(&self, measured: &Figures, recorded: &Figures) -> Vec<String> {
        let mut faults = Vec::new();
        for (key @ [_, operation, implementation], &value) in measured {
            match recorded.get(key) {
                None => faults.push(format!(
                    "{operation}, {implementation}: not on record; {} --keep",
                    self.command
                )),
                Some(&known)
                    if (self.guarded)(operation, implementation)
                        && is_worse(operation, value, known) =>
                {
                    faults
                        .push(format!("{operation}, {implementation}: {value}, on record {known}"))
                }
                Some(_) => {}
            }
        }
        for [_, operation, implementation] in
            recorded.keys().filter(|key| !measured.contains_key(*key))
        {
            faults.push(format!(
                "{operation}, {implementation}: on record, but not measured; {} --keep",
                self.command
            ));
        }
        faults
    }

    fn write(&self, figures: &Figures, made_by: Option<&str>) -> Result<()> {
        let mut text = format!(
            "# Written by `{} --keep`: {}, operation, implementation, value.\n",
            self.command, self.place
        );
        if let Some(made_by) = made_by {
            writeln!(text, "{MADE_BY}{made_by}")?;
        }
        for ([place, operation, implementation], value) in figures {
            writeln!(text, "{place}\t{operation}\t{implementation}\t{value}")?;
        }
        fs::write(Shell::root().join(self.file), text).with_context(|| self.file.to_owned())
    }

    /// Nothing is on record before the file is first written.
    fn text(&self) -> String {
        fs::read_to_string(Shell::root().join(self.file)).unwrap_or_default()
    }
}

/// By more than 3 %. Less is better, but for a throughput.
fn is_worse(operation: &str, value: i64, known: i64) -> bool {
    if operation.contains("percent") { value * 100 < known * 97 } else { value * 100 > known * 103 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: Record = Record {
        file: "no such file",
        command: "measure",
        place: "board",
        guarded: |_, implementation| implementation == "ours",
    };

    fn faults(measured: &[(&str, &str, i64)], recorded: &[(&str, &str, i64)]) -> Vec<String> {
        let figures = |lines: &[(&str, &str, i64)]| -> Figures {
            lines
                .iter()
                .map(|&(operation, by, value)| {
                    (["here".into(), operation.into(), by.into()], value)
                })
                .collect()
        };
        RECORD.faults(&figures(measured), &figures(recorded))
    }

    #[test]
    fn more_than_three_percent_more_is_a_fault() {
        assert!(faults(&[("free", "ours", 103)], &[("free", "ours", 100)]).is_empty());
        assert!(faults(&[("free", "ours", 10)], &[("free", "ours", 100)]).is_empty());
        assert_eq!(
            faults(&[("free", "ours", 104)], &[("free", "ours", 100)]),
            ["free, ours: 104, on record 100"]
        );
        assert_eq!(
            faults(&[("free", "ours", 26)], &[("free", "ours", 25)]),
            ["free, ours: 26, on record 25"]
        );
        assert_eq!(
            faults(&[("percent", "ours", 96)], &[("percent", "ours", 100)]),
            ["percent, ours: 96, on record 100"]
        );
    }

    #[test]
    fn peers_are_shown_only() {
        assert!(faults(&[("free", "theirs", 200)], &[("free", "theirs", 100)]).is_empty());
    }

    #[test]
    fn figures_neither_appear_nor_vanish_unnoticed() {
        assert_eq!(
            faults(&[("free", "theirs", 1)], &[]),
            ["free, theirs: not on record; measure --keep"]
        );
        assert_eq!(
            faults(&[], &[("free", "ours", 1)]),
            ["free, ours: on record, but not measured; measure --keep"]
        );
    }
}
