//! The ways in which the sources are made wrong, one at a time, and the models that must notice:
//! the table `loom-tests/mutations.toml`.
//!
//! Every access in the sources that is stronger than `Relaxed` has to be weakened by one of these:
//! [`uncovered`] lists those that none touches, and the command fails if there are any. A mutation
//! that no longer finds its place is an error, too, so the table follows the sources.

use crate::rows;
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;

/// In `file`, at the first place behind `behind`, `wrong` takes the place of `right`.
pub struct Mutation {
    pub name: String,
    pub file: String,
    behind: String,
    right: String,
    wrong: String,
    /// Models that may notice, quickest first.
    pub killers: Vec<String>,
}

/// The table.
pub fn read(root: &Path) -> Result<Vec<Mutation>> {
    let rows = rows::read(root, TABLE, "mutation", |row| {
        let [name, file, behind, right, wrong] =
            ["name", "file", "behind", "right", "wrong"].map(|key| row.text(key));
        let (name, file, behind, right, wrong) = (name?, file?, behind?, right?, wrong?);
        Ok(Mutation { name, file, behind, right, wrong, killers: row.texts("killers")? })
    })?;
    let mut names = BTreeSet::new();
    let twice = rows.iter().find(|row| row.killers.is_empty() || !names.insert(&row.name));
    ensure!(
        twice.is_none(),
        "{TABLE}: without a killer, or twice: {}",
        twice.map_or("", |row| &row.name)
    );
    Ok(rows)
}

pub const TABLE: &str = "loom-tests/mutations.toml";

impl Mutation {
    /// The place of the mutation in the text of its file.
    fn place(&self, text: &str) -> Result<Range<usize>> {
        let find = |part: &str, from: usize| text[from..].find(part).map(|at| from + at);
        let start = find(&self.behind, 0).and_then(|from| find(&self.right, from));
        let start = start.with_context(|| {
            format!("{}: `{}` no longer has its place in {}", self.name, self.right, self.file)
        })?;
        Ok(start..start + self.right.len())
    }

    /// The text of its file, mutated.
    pub fn apply(&self, text: &str) -> Result<String> {
        let place = self.place(text)?;
        Ok(format!("{}{}{}", &text[..place.start], self.wrong, &text[place.end..]))
    }

    /// The body of the function around it in the text of its file, right and wrong.
    fn body(&self, text: &str) -> Result<(Range<usize>, String)> {
        let place = self.place(text)?;
        let body = body_around(text, place.start).filter(|body| place.end <= body.end);
        let body = body.with_context(|| {
            format!("{}: no function is around its place in {}", self.name, self.file)
        })?;
        let wrong = format!(
            "{}{}{}",
            &text[body.start..place.start],
            self.wrong,
            &text[place.end..body.end]
        );
        Ok((body, wrong))
    }
}

/// The name of the environment variable that chooses a mutation at run time: its number, from 1; 0
/// for none.
pub const SWITCH: &str = "TIERPOOL_MUTANT";

/// What the mutated library asks for the number.
pub fn switch() -> String {
    format!(
        "
#[doc(hidden)]
pub(crate) fn mutant() -> usize {{
    static NUMBER: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *NUMBER.get_or_init(|| std::env::var(\"{SWITCH}\").expect(\"a number\").parse().expect(\"a number\"))
}}
"
    )
}

/// The text of a file with all its mutations, each behind the switch: a function's body becomes a
/// choice among the right body and the wrong ones. So one compilation serves all.
pub fn apply_all<'m>(
    text: &str,
    numbered: impl Iterator<Item = (usize, &'m Mutation)>,
) -> Result<String> {
    let mut bodies = BTreeMap::<usize, (usize, String)>::new();
    for (number, mutation) in numbered {
        let (body, wrong) = mutation.body(text)?;
        let (_, arms) = bodies.entry(body.start).or_insert((body.end, String::new()));
        *arms += &format!("{number} => {{{wrong}}}\n");
    }
    let mut mutated = String::new();
    let mut done = 0;
    for (start, (end, arms)) in bodies {
        ensure!(done <= start, "a function with a mutation inside of one with another");
        let right = &text[start..end];
        mutated += &format!(
            "{}match crate::mutant() {{\n{arms}_ => {{{right}}}\n}}\n",
            &text[done..start]
        );
        done = end;
    }
    Ok(mutated + &text[done..])
}

/// Between the braces of the innermost function around a place; rustfmt has put its last brace
/// under its first word.
fn body_around(text: &str, at: usize) -> Option<Range<usize>> {
    let with_start = |end: &mut usize, line| {
        *end += str::len(line);
        Some((*end - line.len(), line))
    };
    let lines: Vec<(usize, &str)> = text.split_inclusive('\n').scan(0, with_start).collect();
    let body = |index: usize| {
        let (_, head) = lines[index];
        let last = format!("{}}}", &head[..head.len() - head.trim_start().len()]);
        let first = index
            + 1
            + lines[index..].iter().position(|(_, line)| line.trim_end().ends_with('{'))?;
        let (start, _) = *lines.get(first)?;
        let (end, _) = *lines[first..].iter().find(|(_, line)| line.trim_end() == last)?;
        (start..end).contains(&at).then_some(start..end)
    };
    (0..lines.len()).filter(|&index| declares_function(lines[index].1)).filter_map(body).next_back()
}

fn declares_function(line: &str) -> bool {
    let before = line.split("fn ").next().unwrap_or_default();
    let word = |word: &str| {
        ["const", "async", "unsafe", "pub"].contains(&word) || word.starts_with("pub(")
    };
    line.contains("fn ") && before.split_whitespace().all(word)
}

/// Accesses of `src/` that are stronger than `Relaxed` and that no mutation weakens, as `file:line:
/// text`.
pub fn uncovered(root: &Path, mutations: &[Mutation]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in sources(root, "src")? {
        let text = fs::read_to_string(root.join(&file))?;
        let mut weakened = Vec::new();
        for mutation in mutations.iter().filter(|mutation| mutation.file == file) {
            if strong(&mutation.wrong).count() < strong(&mutation.right).count() {
                weakened.push(mutation.place(&text)?);
            }
        }
        let open = strong(&text).filter(|at| !weakened.iter().any(|place| place.contains(at)));
        found.extend(open.map(|at| line_at(&file, &text, at)));
    }
    Ok(found)
}

/// Orderings stronger than `Relaxed` outside of `src/protocol/`, as `file:line: text`.
pub fn outside_protocol(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in sources(root, "src")?.into_iter().filter(|file| !file.starts_with("src/protocol/"))
    {
        let text = fs::read_to_string(root.join(&file))?;
        found.extend(strong(&text).map(|at| line_at(&file, &text, at)));
    }
    Ok(found)
}

/// The line of a place, as `file:line: text`.
pub fn line_at(file: &str, text: &str, at: usize) -> String {
    let line = text[..at].matches('\n').count();
    format!("{file}:{}: {}", line + 1, text.lines().nth(line).unwrap_or_default().trim())
}

/// Of these models, those that do not exist. A model that cannot be run would pass for one that
/// notices.
pub fn missing_models<'n>(
    root: &Path,
    names: impl Iterator<Item = &'n String>,
) -> Result<Vec<&'n str>> {
    let mut models = String::new();
    for file in sources(root, "loom-tests/src/models")? {
        models += &fs::read_to_string(root.join(file))?;
    }
    Ok(names.map(String::as_str).filter(|name| !models.contains(&format!("\"{name}\","))).collect())
}

/// All Rust files in a folder of `root` and in those below it.
pub fn sources(root: &Path, folder: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            found.extend(sources(root, &path)?);
        } else if path.ends_with(".rs") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Where a text names an ordering stronger than `Relaxed`.
pub fn strong(text: &str) -> impl Iterator<Item = usize> {
    mentions(text, &["Acquire", "Release", "AcqRel", "SeqCst"])
}

/// Where a text has one of these words, comments and imports apart.
pub fn mentions<'t>(
    text: &'t str,
    words: &'static [&'static str],
) -> impl Iterator<Item = usize> + 't {
    let (mut start, mut importing) = (0, false);
    text.split_inclusive('\n').flat_map(move |line| {
        let at = start;
        start += line.len();
        let code = line.split("//").next().unwrap_or_default();
        // An import may go on over several lines.
        let import = importing || code.contains("use ");
        importing = import && !code.contains(';');
        let code = if import { "" } else { code };
        words
            .iter()
            .flat_map(move |word| code.match_indices(word).map(move |(offset, _)| at + offset))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::Shell;

    #[test]
    fn comments_and_imports_name_no_access() {
        let text = "use x::{Acquire};\n// Acquire: because\nload(Acquire); // Release\n";
        assert_eq!(strong(text).collect::<Vec<_>>(), [text.find("load(").unwrap() + 5]);
    }

    fn swap(behind: &str, right: &str, wrong: &str) -> Mutation {
        let [behind, right, wrong] = [behind, right, wrong].map(String::from);
        Mutation {
            name: String::new(),
            file: String::new(),
            behind,
            right,
            wrong,
            killers: Vec::new(),
        }
    }

    #[test]
    fn mutations_stand_behind_the_switch() {
        let text = "x\nfn a() {\n    x\n}\n    unsafe fn b(\n        x: X,\n    ) {\n        // fn c(\n        x; x\n    }\n// x\n";
        let mutations = [
            swap("fn b", "x;", "y;"),
            swap("fn b", "x\n    }\n", "z\n    }\n"),
            swap("fn b", "x; x", "z"),
        ];
        let apply =
            |numbers: &[usize]| apply_all(text, numbers.iter().map(|&n| (n, &mutations[n])));
        let mutated = apply(&[0, 2]).unwrap();
        let (before, body) = text.split_once("        // fn c").unwrap();
        let after = body.split_once("x; x\n").unwrap().1;
        let arms = "0 => {        // fn c(\n        y; x\n}\n2 => {        // fn c(\n        z\n}\n_ => {        // fn c(\n        x; x\n}\n";
        assert_eq!(mutated, format!("{before}match crate::mutant() {{\n{arms}}}\n{after}"));
        // Beyond the end of the function.
        assert!(apply(&[1]).is_err());
        assert_eq!(apply(&[]).unwrap(), text);
    }

    #[test]
    fn a_table_names_each_mutation_once() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("loom-tests")).unwrap();
        let row = |name: &str| {
            format!(
                "[[mutation]]\nname = '{name}'\nfile = ''\nbehind = ''\nright = ''\nwrong = ''\nkillers = ['x']\n"
            )
        };
        let read = |text: String| {
            fs::write(root.path().join(TABLE), text).unwrap();
            read(root.path())
        };
        assert_eq!(read(row("a") + &row("b")).unwrap().len(), 2);
        assert!(read(row("a") + &row("a")).err().unwrap().to_string().ends_with("twice: a"));
        assert!(read(row("a").replace("['x']", "[]")).is_err());
        assert!(read(row("a") + "kilers = []\n").is_err());
    }

    #[test]
    fn a_mutation_applies_behind_its_anchor_only() {
        let apply = |text: &str| swap("fn b", "x", "y").apply(text);
        assert_eq!(apply("fn a x; fn b x; x").unwrap(), "fn a x; fn b y; x");
        assert!(apply("fn a x; fn b").is_err());
    }

    #[test]
    fn the_table_is_read_and_every_mutation_applies() {
        let error = |mutation: &Mutation| {
            mutation.body(&fs::read_to_string(Shell::root().join(&mutation.file)).unwrap()).err()
        };
        let errors: Vec<_> = read(Shell::root()).unwrap().iter().filter_map(error).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}
