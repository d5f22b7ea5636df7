//! The accesses of the sources that are stronger than relaxed, with what each asks of the machine.

use crate::mutation::{mentions, sources, strong};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

/// An access that names an ordering stronger than `Relaxed`.
#[derive(Debug)]
pub struct Access {
    /// From the project's root.
    pub file: String,
    /// From the method's name to the ordering.
    lines: RangeInclusive<u32>,
    /// The function that it stands in.
    pub within: String,
    pub method: String,
    /// As the sources name it, a compare-and-swap with that of success alone.
    pub ordering: String,
    pub acquire: bool,
    pub release: bool,
    /// A load whose value nobody wants: if it were relaxed, it would not be there at all.
    pub for_order_alone: bool,
    /// The orderings' names in the text of the file.
    words: Vec<Word>,
}

/// A place in a text.
#[derive(Debug)]
struct Word {
    at: usize,
    length: usize,
}

impl Access {
    /// It has to become a read-modify-write.
    pub fn swaps(&self) -> bool {
        self.reads() && self.writes()
    }

    pub fn reads(&self) -> bool {
        self.method != "store"
    }

    pub fn writes(&self) -> bool {
        self.method != "load"
    }

    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.lines.start())
    }
}

/// What the sources say at a line of theirs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Says {
    /// One of the strong accesses, by its number.
    Strong(usize),
    Relaxed,
    /// An access with the ordering that the caller asks for.
    AsTheCaller,
    /// No atomic access.
    Nothing,
}

/// All atomic accesses in the sources.
pub struct Accesses {
    pub strong: Vec<Access>,
    relaxed: Vec<(String, u32)>,
    passed_on: Vec<(String, u32)>,
}

/// An ordering that is an argument.
const PASSED_ON: &str = ", order, ";

impl Accesses {
    /// Of the sources in `src` of a folder.
    pub fn read(root: &Path) -> Result<Accesses> {
        let mut all = Accesses { strong: Vec::new(), relaxed: Vec::new(), passed_on: Vec::new() };
        for file in sources(root, "src")? {
            all.add(&file, &fs::read_to_string(root.join(&file))?)?;
        }
        ensure!(!all.strong.is_empty(), "the sources have no access that is stronger than relaxed");
        Ok(all)
    }

    fn add(&mut self, file: &str, text: &str) -> Result<()> {
        let mut words: Vec<_> = strong(text).collect();
        words.sort();
        for at in words {
            let found =
                access(file, text, at).with_context(|| format!("{file}:{}", line(text, at)))?;
            match self
                .strong
                .last_mut()
                .filter(|last| last.file == file && last.lines.contains(found.lines.start()))
            {
                // The other ordering of a compare-and-swap.
                Some(last)
                    if last.method == found.method
                        && found.method.starts_with("compare_exchange") =>
                {
                    last.acquire |= found.acquire;
                    last.words.extend(found.words);
                }
                Some(last) => bail!(
                    "{} and {} are one line, which its instructions cannot tell apart",
                    last.method,
                    found.method
                ),
                None => self.strong.push(found),
            }
        }
        let lines = |words| mentions(text, words).map(|at| (file.to_owned(), line(text, at)));
        self.passed_on.extend(lines(&[PASSED_ON]));
        self.relaxed.extend(lines(&["Relaxed", ".load_settled("]));
        Ok(())
    }

    pub fn says(&self, file: &str, line: u32) -> Says {
        let at =
            |list: &[(String, u32)]| list.iter().any(|place| place.0 == file && place.1 == line);
        match self
            .strong
            .iter()
            .position(|access| access.file == file && access.lines.contains(&line))
        {
            Some(number) => Says::Strong(number),
            None if at(&self.passed_on) => Says::AsTheCaller,
            None if at(&self.relaxed) => Says::Relaxed,
            None => Says::Nothing,
        }
    }

    /// The text of a file with every ordering `Relaxed`.
    pub fn weakened(&self, file: &str, text: &str) -> String {
        let mut weak = text.to_owned();
        let mut words: Vec<_> = self
            .strong
            .iter()
            .filter(|access| access.file == file)
            .flat_map(|access| &access.words)
            .collect();
        words.sort_by_key(|word| word.at);
        for word in words.into_iter().rev() {
            weak.replace_range(word.at..word.at + word.length, "Relaxed");
        }
        weak
    }
}

/// The access whose ordering is the word at this place of a text.
fn access(file: &str, text: &str, at: usize) -> Result<Access> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let word = text[at..].split(|c| !is_name(c)).next().unwrap_or_default();
    let call = opening(&text[..at]).context("an ordering outside a call")?;
    let method = text[..call].rfind(|c| !is_name(c)).map_or("", |before| &text[before + 1..call]);
    let known = matches!(method, "load" | "store" | "swap" | "replace")
        || method.starts_with("fetch_")
        || method.starts_with("compare_exchange");
    ensure!(known, "`{method}` with an ordering: say here what instruction it becomes");
    ensure!(word != "SeqCst", "the check of instructions does not know what SeqCst becomes");
    Ok(Access {
        file: file.to_owned(),
        lines: line(text, call)..=line(text, at),
        within: within(&text[..at]).context("an access outside a function")?,
        method: method.to_owned(),
        ordering: word.to_owned(),
        acquire: word != "Release",
        release: word != "Acquire",
        for_order_alone: method == "load" && is_statement(text, at),
        words: vec![Word { at, length: word.len() }],
    })
}

/// Whether the line of a place is all of a statement, and takes no value.
fn is_statement(text: &str, at: usize) -> bool {
    let line = text.lines().nth(line(text, at) as usize - 1).unwrap_or_default().trim();
    line.starts_with("self.") && line.ends_with(';')
}

/// The last parenthesis that is open at the end of a text.
fn opening(text: &str) -> Option<usize> {
    let mut closed = 0;
    for (at, c) in text.char_indices().rev() {
        match c {
            ')' => closed += 1,
            '(' if closed == 0 => return Some(at),
            '(' => closed -= 1,
            _ => {}
        }
    }
    None
}

/// The name of the last function that a text begins.
fn within(text: &str) -> Option<String> {
    let code = text.lines().rev().map(|line| line.split("//").next().unwrap_or_default());
    let name = code
        .filter_map(|code| code.split_once("fn "))
        .find_map(|(_, rest)| rest.split_once(['(', '<']))?
        .0;
    Some(name.to_owned())
}

fn line(text: &str, at: usize) -> u32 {
    text[..at].matches('\n').count() as u32 + 1
}

#[cfg(test)]
impl Accesses {
    /// Of a text.
    pub fn of(text: &str) -> Accesses {
        let mut all = Accesses { strong: Vec::new(), relaxed: Vec::new(), passed_on: Vec::new() };
        all.add("f", text).expect("accesses that are understood");
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "use core::sync::atomic::Ordering::{Acquire, Release};
fn a(x: &A) {
    // Acquire: a comment.
    x.load(Acquire);
    if x.compare_exchange(f(1), 2, Release, Acquire).is_ok() {}
}
fn b<T>(x: &A) {
    x.replace(Release, |old| y.store(old, Relaxed));
    x
        .swap(
            1,
            AcqRel,
        );
    x.cas(old, new, order, Relaxed);
    nothing();
}
";

    #[test]
    fn accesses_have_method_function_and_ordering() {
        let all = Accesses::of(TEXT);
        let found: Vec<_> = all
            .strong
            .iter()
            .map(|a| (&*a.within, &*a.method, &*a.ordering, a.acquire, a.release))
            .collect();
        let expected = [
            ("a", "load", "Acquire", true, false),
            ("a", "compare_exchange", "Release", true, true),
            ("b", "replace", "Release", false, true),
            ("b", "swap", "AcqRel", true, true),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_line_says_what_it_holds() {
        let all = Accesses::of(TEXT);
        let says: Vec<_> = [4, 5, 8, 10, 12, 14, 15].map(|line| all.says("f", line)).into();
        use Says::{AsTheCaller, Nothing, Strong};
        assert_eq!(
            says,
            [Strong(0), Strong(1), Strong(2), Strong(3), Strong(3), AsTheCaller, Nothing]
        );
        assert_eq!(all.says("g", 4), Nothing);
    }

    #[test]
    fn weakened_sources_have_no_strong_access() {
        let weak = Accesses::of(TEXT).weakened("f", TEXT);
        assert_eq!(strong(&weak).count(), 0);
        assert_eq!(weak.lines().count(), TEXT.lines().count());
    }

    #[test]
    fn the_sources_are_understood() {
        let root = crate::shell::Shell::root();
        let all = Accesses::read(root).unwrap();
        let words: usize = all.strong.iter().map(|access| access.words.len()).sum();
        let texts = sources(root, "src")
            .unwrap()
            .into_iter()
            .map(|file| fs::read_to_string(root.join(file)).unwrap());
        assert_eq!(words, texts.map(|text| strong(&text).count()).sum::<usize>());
        assert!(!all.passed_on.is_empty());
    }

    #[test]
    fn what_has_no_known_instruction_is_refused() {
        let refused = |text: &str| {
            let mut all =
                Accesses { strong: Vec::new(), relaxed: Vec::new(), passed_on: Vec::new() };
            all.add("f", text).is_err()
        };
        assert!(refused("fn a() { fence(Acquire); }"));
        assert!(refused("fn a() { x.load(SeqCst); }"));
        assert!(refused("fn a() { x.load(Acquire); y.load(Acquire); }"));
    }
}
