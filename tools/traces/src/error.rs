//! Where and why something is no trace, or no histogram.

use std::borrow::Cow;
use std::fmt;

/// What [`log::read`](crate::log::read) and [`packed::unpack`](crate::packed::unpack) do not
/// accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// The place.
    pub at: At,
    /// What is wrong there.
    pub what: Cow<'static, str>,
}

/// A place in a text or in a trace's packed form.
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
