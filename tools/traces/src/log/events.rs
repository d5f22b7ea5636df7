//! The text form of a trace: `a ID SIZE`, `f ID`, `r OLD NEW SIZE` for a block that moves; `#`
//! starts a comment.
//!
//! An event ends its line. What stands before it is a logger's: a time, a level, a task.

use super::book::Book;
use super::words::{Name, name, size};
use super::{Form, Line};

pub(super) struct Events;

impl Form for Events {
    fn line(&mut self, line: &str, number: usize, book: &mut Book) -> Line {
        if line.trim_start().starts_with('#') {
            return Line::Nothing;
        }
        event(line, number, book).map_or(Line::Foreign, |()| Line::Event)
    }
}

pub(super) fn event(line: &str, number: usize, book: &mut Book) -> Option<()> {
    match parts(line)?.1 {
        Event::Alloc(name, bytes) => book.alloc(number, name, bytes),
        Event::Free(name) => book.free(number, name),
        Event::Realloc(old, new, bytes) => book.realloc(number, old, new, bytes),
    }
    Some(())
}

pub(super) enum Event {
    Alloc(Name, u32),
    Free(Name),
    Realloc(Name, Name, u32),
}

/// The words of the event that ends a line, and what they say.
pub(super) fn parts(line: &str) -> Option<(Vec<&str>, Event)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        [.., kind, old, new, bytes] if is(kind, 'r') => {
            Some((vec!["r", old, new, bytes], Event::Realloc(name(old)?, name(new)?, size(bytes)?)))
        }
        [.., kind, id, bytes] if is(kind, 'a') => {
            Some((vec!["a", id, bytes], Event::Alloc(name(id)?, size(bytes)?)))
        }
        [.., kind, id] if is(kind, 'f') => Some((vec!["f", id], Event::Free(name(id)?))),
        _ => None,
    }
}

/// The letter, also behind a logger's last sign: `heap:a`.
fn is(word: &str, letter: char) -> bool {
    word.strip_suffix(letter).is_some_and(|before| !before.ends_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use crate::log::read;

    fn trace(log: &str) -> String {
        read(log.as_bytes()).unwrap().trace.to_string().replace('\n', ", ")
    }

    fn skipped(log: &str) -> Vec<(&'static str, u64, usize)> {
        read(log.as_bytes())
            .unwrap()
            .skipped
            .iter()
            .map(|skipped| (skipped.what, skipped.count, skipped.first))
            .collect()
    }

    #[test]
    fn addresses_are_names() {
        assert_eq!(trace("a 0x3ffb1234 64\nf 0x3ffb1234\n"), "a 0 64, f 0, ");
        assert_eq!(trace("a 3FFB1234 0x40\nf 3ffb1234\n"), "a 0 64, f 0, ");
    }

    #[test]
    fn a_prefix_and_lines_of_others_are_passed_over() {
        let log = "\x1b[32mI (312) heap: a 1 64\x1b[0m\r\nI (44) wifi: connected\n[00:01.2] <inf>a 2 8\n12 INFO f 1\n";
        assert_eq!(trace(log), "a 0 64, a 1 8, f 0, ");
        assert_eq!(skipped(log), [("lines that are no event", 1, 2)]);
        assert_eq!(trace("a 1 6a 2 64\na 1 64f 1\na 3 4"), "a 0 4, ", "two lines in one are none");
    }

    #[test]
    fn a_log_that_began_late_is_read() {
        let log = "f 1073422336\na 1073422340 64\nf 1073422340\n";
        assert_eq!(trace(log), "a 0 64, f 0, ");
        assert_eq!(
            skipped(log),
            [("frees of blocks that were allocated before the log began, or in a lost line", 1, 1)]
        );
    }

    #[test]
    fn a_lost_free_is_made_up_for() {
        assert_eq!(trace("a 1 64\na 1 32\nf 1\n"), "a 0 64, f 0, a 0 32, f 0, ");
        assert_eq!(skipped("a 1 64\na 1 32\nf 1\n")[0].1, 1);
    }

    #[test]
    fn a_block_that_moves_has_two_slots_for_a_moment() {
        assert_eq!(trace("a 1 64\nr 1 2 128\nf 2\n"), "a 0 64, a 1 128, f 0, f 1, ");
        assert_eq!(trace("a 1 64\nr 1 1 128\nf 1\n"), "a 0 64, a 1 128, f 0, f 1, ");
        assert_eq!(
            trace("r (nil) 1 8\nr 9 2 16\nr 1 (nil) 0\nr 2 (nil) 99\n"),
            "a 0 8, a 1 16, f 0, "
        );
    }

    #[test]
    fn null_is_no_block() {
        assert_eq!(trace("a (nil) 64\na 1 8\nf 0x0\n"), "a 0 8, ");
        assert_eq!(skipped("a (nil) 64\na 1 8\nf 0x0\n"), [("allocations that failed", 1, 1)]);
    }
}
