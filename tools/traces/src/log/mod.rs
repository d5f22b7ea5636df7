//! Logs of allocations, in the forms that people have, as traces.
//!
//! ```text
//!   bytes ──► text ──► plain lines ──┬─► events.rs   `a ID SIZE`, `f ID`, `r OLD NEW SIZE`   ┐
//!                                    ├─► wire.rs     the same with numbers, of `TraceAlloc`  ┤
//!                                    ├─► mtrace.rs   glibc's `mtrace`                        ├─► book.rs ──► Trace
//!                                    └─► esp_idf.rs  ESP-IDF's `heap_trace_dump`             ┘
//!   packed ─────────────────────────────────────────────────────────────────────────────────────► Trace
//! ```
//!
//! A log holds more than its events: what other tasks print, lines that are garbled, frees of
//! blocks that are older than the log. What cannot be used is left out and counted; a log without
//! one event is refused, with its first line that is none.

mod book;
mod esp_idf;
mod events;
mod mtrace;
pub mod wire;
mod words;

use crate::error::{At, FormatError};
use crate::{Trace, packed};
use book::Book;
use std::borrow::Cow;
use std::fmt;

/// What was read.
#[derive(Clone, Debug)]
pub struct Log {
    /// The events that could be used.
    pub trace: Trace,
    /// False: the log does not say when blocks were freed. Each lives until its address is used
    /// again, or to the end.
    pub exact: bool,
    /// What was left out, or taken for something else.
    pub skipped: Vec<Skipped>,
}

/// How often something was left out, and where at first.
///
/// ```
/// use tierpool_traces::log::read;
///
/// let log = read(b"I (12) heap: a 1 64\nI (44) wifi: connected\nI (45) heap: f 1\n")?;
/// assert_eq!(log.trace.to_string(), "a 0 64\nf 0\n");
/// assert_eq!(log.skipped[0].to_string(), "lines that are no event: 1, the first in line 2");
/// # Ok::<(), tierpool_traces::error::FormatError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What was left out, in the plural.
    pub what: &'static str,
    /// How many.
    pub count: u64,
    /// The line of the first, counted from 1; 0 while there is none.
    pub first: usize,
}

impl Skipped {
    pub(crate) fn new(what: &'static str) -> Self {
        Skipped { what, count: 0, first: 0 }
    }

    pub(crate) fn add(&mut self, line: usize) {
        self.add_many(line, 1);
    }

    pub(crate) fn add_many(&mut self, line: usize, count: u64) {
        if self.count == 0 {
            self.first = line;
        }
        self.count += count;
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, the first in line {}", self.what, self.count, self.first)
    }
}

/// What a line was to a form.
enum Line {
    /// One event, or a part of one.
    Event,
    /// A comment, a heading.
    Nothing,
    /// Something else.
    Foreign,
}

/// One way to write events down.
trait Form {
    /// Reads one line, without colours.
    fn line(&mut self, line: &str, number: usize, book: &mut Book) -> Line;

    /// After the last line.
    fn end(&mut self, _book: &mut Book) {}
}

/// Reads a trace or a log in any of the forms: packed by its magic, else the one that most lines
/// are in.
///
/// # Errors
/// As [`packed::unpack`], or not one line is an event.
pub fn read(bytes: &[u8]) -> Result<Log, FormatError> {
    if bytes.starts_with(b"TPT") {
        return Ok(Log { trace: packed::unpack(bytes)?, exact: true, skipped: Vec::new() });
    }
    let text = decode(bytes);
    let numbered = read_as(&mut wire::Wire::default(), &text);
    if numbered.used > 0 {
        return Ok(numbered.closed());
    }
    let mut book = read_as(&mut events::Events, &text);
    for form in
        [&mut mtrace::Mtrace::default() as &mut dyn Form, &mut esp_idf::HeapTrace::default()]
    {
        let other = read_as(form, &text);
        if other.used > book.used {
            book = other;
        }
    }
    if book.used == 0 && book.foreign.count > 0 {
        return Err(FormatError {
            at: At::Line(book.foreign.first),
            what: "neither `a ID SIZE` nor `f ID`".into(),
        });
    }
    Ok(book.closed())
}

fn read_as(form: &mut dyn Form, text: &str) -> Book {
    let mut book = Book::default();
    for (line, number) in text.lines().map(plain).zip(1..) {
        match form.line(&line, number, &mut book) {
            Line::Event => book.used += 1,
            Line::Foreign if !line.trim().is_empty() => book.foreign.add(number),
            Line::Nothing | Line::Foreign => {}
        }
    }
    form.end(&mut book);
    book
}

/// The event at the end of a line, without what a logger has put before it: `a ID SIZE`, `f ID` or
/// `r OLD NEW SIZE`.
pub fn event(line: &str) -> Option<String> {
    events::parts(line).map(|(words, _)| words.join(" "))
}

/// A log as text: UTF-8 or, with its mark at the start, UTF-16. A byte that is no text spoils its
/// own line only.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let wide = |of: fn([u8; 2]) -> u16| {
        let units: Vec<u16> =
            bytes[2..].chunks_exact(2).map(|pair| of([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units).into()
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
    }
}

/// A line without the colours of a terminal.
pub fn plain(line: &str) -> Cow<'_, str> {
    let mut parts = line.split('\x1b');
    let first = parts.next().unwrap_or_default();
    let mut plain = Cow::Borrowed(first);
    for part in parts {
        // `[`, numbers, and a letter that ends the sequence.
        let end =
            part.find(|c: char| c.is_ascii_alphabetic()).map_or(part.len(), |letter| letter + 1);
        plain.to_mut().push_str(&part[end..]);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The trace as text, what was skipped, and whether it is exact.
    fn told(log: &[u8]) -> (String, Vec<String>, bool) {
        let log = read(log).unwrap();
        (
            log.trace.to_string().replace('\n', ", "),
            log.skipped.iter().map(Skipped::to_string).collect(),
            log.exact,
        )
    }

    fn whole(trace: &str) -> (String, Vec<String>, bool) {
        (trace.into(), Vec::new(), true)
    }

    #[test]
    fn the_text_form_is_read() {
        assert_eq!(
            told(b"# two blocks\na 70 5\na 9 100\n\nf 70\na 8 6\nf 9\n"),
            whole("a 0 5, a 1 100, f 0, a 0 6, f 1, ")
        );
        let trace = Trace::reticulum_loopback();
        assert_eq!(read(trace.to_string().as_bytes()).unwrap().trace, trace);
        assert_eq!(read(&packed::pack(&trace)).unwrap().trace, trace);
    }

    #[test]
    fn a_mark_at_the_start_and_wide_text_are_read() {
        assert_eq!(told(b"\xef\xbb\xbfa 1 64\nf 1\n"), whole("a 0 64, f 0, "));
        let wide: Vec<u8> =
            "\u{feff}a 1 64\r\nf 1\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(told(&wide), whole("a 0 64, f 0, "));
    }

    #[test]
    fn a_bad_byte_spoils_its_line_only() {
        let (trace, skipped, _) = told(b"a 1 64\nboot \xff\na 2 1\xff6\nf 1\n");
        assert_eq!(trace.as_str(), "a 0 64, f 0, ");
        assert_eq!(skipped, vec!["lines that are no event: 2, the first in line 2".to_owned()]);
    }

    #[test]
    fn a_log_without_an_event_is_refused() {
        let error = |text: &[u8]| read(text).unwrap_err().to_string();
        assert_eq!(error(b"# ok\na 0\n"), "line 2: neither `a ID SIZE` nor `f ID`");
        assert_eq!(error(b"a 0 x"), "line 1: neither `a ID SIZE` nor `f ID`");
        assert_eq!(error(b"a 0 4294967296"), "line 1: neither `a ID SIZE` nor `f ID`");
        assert_eq!(error(b"\n\n\x00\xff\xfe\n"), "line 3: neither `a ID SIZE` nor `f ID`");
        assert_eq!(error(b"TPT0"), "byte 0: no trace: it does not start with TPT1");
        assert_eq!(told(b"# nothing\n"), whole(""));
    }

    #[test]
    fn colours_are_no_text() {
        assert_eq!(plain("\x1b[0;32mI (5) a 1 2\x1b[0m"), "I (5) a 1 2");
        assert_eq!(plain("cut\x1b"), "cut");
    }
}
