//! The text form: a line an event, `a ID SIZE` or `f ID`; empty lines and lines that start with `#` say nothing.

use crate::error::{At, FormatError};
use crate::{Event, Trace};
use std::collections::HashMap;
use std::fmt;

/// Reads the text form. IDs may be any numbers; the trace has its own (see the [crate's](crate) first page).
///
/// # Errors
/// A line is no event, allocates an ID that is live or frees one that is not.
pub fn parse(text: &str) -> Result<Trace, FormatError> {
    let mut trace = Trace::default();
    // The text's name for a live block, and ours.
    let mut names: HashMap<u64, u32> = HashMap::new();
    for (index, line) in text.lines().enumerate() {
        let error = |what| FormatError { at: At::Line(index + 1), what };
        let number = |word: &str| word.parse::<u64>().map_err(|_| error("a number was expected"));
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [] => {}
            [comment, ..] if comment.starts_with('#') => {}
            ["a", id, size] => {
                let size = u32::try_from(number(size)?).map_err(|_| error("an allocation of more than 4 GiB"))?;
                if names.insert(number(id)?, trace.alloc(size)).is_some() {
                    return Err(error("an allocation under an ID that is live"));
                }
            }
            ["f", id] => {
                let name = names.remove(&number(id)?);
                if !name.is_some_and(|name| trace.free(name)) {
                    return Err(error("a free of an ID that is not live"));
                }
            }
            _ => return Err(error("neither `a ID SIZE` nor `f ID`")),
        }
    }
    Ok(trace)
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Alloc { id, size } => write!(f, "a {id} {size}"),
            Event::Free { id } => write!(f, "f {id}"),
        }
    }
}

/// The text form, without comments.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.events().try_for_each(|event| writeln!(f, "{event}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_ids_become_the_lowest() {
        let trace = parse("# two blocks\na 70 5\na 9 100\n\nf 70\na 8 6\nf 9\n").unwrap();
        assert_eq!(trace.to_string(), "a 0 5\na 1 100\nf 0\na 0 6\nf 1\n");
        assert_eq!(parse(&trace.to_string()), Ok(trace));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(error("# ok\na 0\n"), "line 2: neither `a ID SIZE` nor `f ID`");
        assert_eq!(error("a 0 x"), "line 1: a number was expected");
        assert_eq!(error("a 0 4294967296"), "line 1: an allocation of more than 4 GiB");
        assert_eq!(error("a 0 1\na 0 1"), "line 2: an allocation under an ID that is live");
        assert_eq!(error("a 0 1\nf 0\nf 0"), "line 3: a free of an ID that is not live");
    }
}
