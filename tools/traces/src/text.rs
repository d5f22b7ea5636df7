//! The text form: a line an event, `a ID SIZE` or `f ID`. [`log`](crate::log) reads it.

use crate::{Event, Trace};
use std::fmt;

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Alloc { id, size } => write!(f, "a {id} {size}"),
            Event::Free { id } => write!(f, "f {id}"),
        }
    }
}

/// The text form.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.events().try_for_each(|event| writeln!(f, "{event}"))
    }
}
