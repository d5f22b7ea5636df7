//! Where and why something is no trace.

use std::fmt;

/// What [`text::parse`](crate::text::parse) and [`packed::unpack`](crate::packed::unpack) do not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// The place.
    pub at: At,
    /// What is wrong there.
    pub what: &'static str,
}

/// A place in a trace's text or packed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// A line of text, counted from 1.
    Line(usize),
    /// Bytes from the start of the packed form.
    Byte(usize),
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            At::Line(line) => write!(f, "line {line}: {}", self.what),
            At::Byte(offset) => write!(f, "byte {offset}: {}", self.what),
        }
    }
}

impl std::error::Error for FormatError {}
