//! What glibc's `mtrace` writes.
//!
//! ```text
//! = Start
//! @ ./a.out:[0x401136] + 0x1c3b2a0 0x40     allocated, bytes
//! @ ./a.out:[0x401140] < 0x1c3b2a0          a block moves from here …
//! @ ./a.out:[0x401140] > 0x1c3b2f0 0x80     … to here
//! @ ./a.out:[0x401150] - 0x1c3b2f0          freed
//! = End
//! ```

use super::book::Book;
use super::words::{Name, name, size};
use super::{Form, Line};

#[derive(Default)]
pub(super) struct Mtrace {
    /// The block that the line before has begun to move.
    moving: Option<Name>,
}

impl Form for Mtrace {
    fn line(&mut self, line: &str, number: usize, book: &mut Book) -> Line {
        if line.starts_with("= ") {
            return Line::Nothing;
        }
        self.event(line, number, book).map_or(Line::Foreign, |()| Line::Event)
    }
}

impl Mtrace {
    fn event(&mut self, line: &str, number: usize, book: &mut Book) -> Option<()> {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [.., "+", block, bytes] => book.alloc(number, name(block)?, size(bytes)?),
            [.., "-", block] => book.free(number, name(block)?),
            [.., "<", block] => self.moving = Some(name(block)?),
            [.., ">", block, bytes] => {
                book.realloc(number, self.moving.take().flatten(), name(block)?, size(bytes)?)
            }
            // It could not move: the block stays.
            [.., "!", block, bytes] => {
                book.realloc(number, name(block)?, None, size(bytes)?.max(1))
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use crate::log::read;

    #[test]
    fn every_sign_is_read() {
        let log = "= Start\n@ ./a.out:[0x401136] + 0x1c3b2a0 0x40\n@ ./a.out:(main+0x1d)[0x401140] < 0x1c3b2a0\n\
            @ ./a.out:(main+0x1d)[0x401140] > 0x1c3b2f0 0x80\n@ ./a.out:[0x40] ! 0x1c3b2f0 0xffff\nhello\n@ [0x7f] - 0x1c3b2f0\n= End\n";
        let log = read(log.as_bytes()).unwrap();
        assert_eq!(log.trace.to_string(), "a 0 64\na 1 128\nf 0\nf 1\n");
        let skipped: Vec<_> = log.skipped.iter().map(ToString::to_string).collect();
        assert_eq!(
            skipped,
            [
                "lines that are no event: 1, the first in line 6",
                "allocations that failed: 1, the first in line 5"
            ]
        );
        assert!(log.exact);
    }
}
