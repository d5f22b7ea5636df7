//! The lists of features: `Cargo.toml` is their source.
//!
//! ```text
//!   Cargo.toml   ## [`Pool::leak`]: pools made at run time ──┬──► src/lib.rs   | `alloc` | [`Pool::leak`]: … |
//!                alloc = []                                  └──► README.md    | `alloc` | `Pool::leak`: … |
//! ```

use crate::shell::Shell;
use anyhow::{Context, Result, ensure};
use std::fs;

/// A file, what its lines begin with, and the head of its table.
const PLACES: [(&str, &str, &str); 2] = [
    ("README.md", "", "| Cargo feature | what it adds |"),
    ("src/lib.rs", "//! ", "| feature | brings |"),
];
const NONE: [&str; 2] = [
    "| (none) | everything that is not listed below; `no_std` without `alloc` |",
    "| none (default) | `no_std` without `alloc`: everything except the following |",
];

/// Both tables say what `Cargo.toml` says. With `--keep`, they are written.
pub fn check(shell: &Shell) -> Result<()> {
    let features = features(&fs::read_to_string(Shell::root().join("Cargo.toml"))?)?;
    for ((name, start, head), none) in PLACES.into_iter().zip(NONE) {
        let path = Shell::root().join(name);
        let text = fs::read_to_string(&path)?;
        let rows = features.iter().map(|(feature, tells)| {
            let tells = if start.is_empty() { without_links(tells) } else { tells.clone() };
            format!("| `{feature}` | {tells} |")
        });
        let made = with_table(&text, start, head, [none.to_owned()].into_iter().chain(rows))
            .with_context(|| format!("{name} has no table `{head}`"))?;
        if shell.keep {
            fs::write(&path, &made)?;
        }
        ensure!(
            shell.keep || made == text,
            "the features of {name} are not those of Cargo.toml: cargo xtask doc --keep"
        );
    }
    shell.note(format!("{} features", features.len()));
    Ok(())
}

/// Each feature with a comment of `##`, and the comment.
fn features(manifest: &str) -> Result<Vec<(String, String)>> {
    let (_, section) = manifest.split_once("[features]\n").context("no [features]")?;
    let mut tells: Option<&str> = None;
    let mut features = Vec::new();
    for line in section.lines().take_while(|line| !line.starts_with('[')) {
        match (line.strip_prefix("## "), tells.take()) {
            (Some(comment), None) => tells = Some(comment),
            (None, Some(comment)) => {
                let name = line.split(" = ").next().unwrap_or_default();
                features.push((name.to_owned(), comment.to_owned()));
            }
            (Some(comment), Some(_)) => anyhow::bail!("`## {comment}` is a second line"),
            (None, None) => {}
        }
    }
    Ok(features)
}

/// Takes the brackets of links away.
fn without_links(text: &str) -> String {
    text.replace("[`", "`").replace("`]", "`")
}

/// The text with other rows under the head of a table. None if there is no such head.
fn with_table(
    text: &str,
    start: &str,
    head: &str,
    rows: impl Iterator<Item = String>,
) -> Option<String> {
    let head = format!("{start}{head}\n");
    let (before, table) = text.split_once(&head)?;
    let line = format!("{start}|");
    let after = table.lines().take_while(|row| row.starts_with(&line)).map(|row| row.len() + 1);
    let rest = &table[after.sum::<usize>()..];
    let rows: String = rows.map(|row| format!("{start}{row}\n")).collect();
    Some(format!("{before}{head}{start}|---|---|\n{rows}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_of_features() {
        let manifest =
            "[features]\ndefault = []\n## [`A`]: a\na = []\n# b\nb = []\n[dependencies]\n";
        assert_eq!(features(manifest).unwrap(), [("a".into(), "[`A`]: a".into())]);
        assert!(features("[features]\n## a\n## b\na = []\n").is_err());
        assert_eq!(without_links("[`A`], `b`"), "`A`, `b`");
    }

    #[test]
    fn a_table_gets_other_rows() {
        let rows = ["| c |".to_owned()].into_iter();
        let text = "x\n//! | h |\n//! |---|---|\n//! | a |\n//! | b |\ny\n";
        let made = with_table(text, "//! ", "| h |", rows.clone()).unwrap();
        assert_eq!(made, "x\n//! | h |\n//! |---|---|\n//! | c |\ny\n");
        assert!(with_table(text, "", "| other |", rows).is_none());
    }
}
