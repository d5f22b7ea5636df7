//! What ESP-IDF's `heap_trace_dump` prints: a record a block.
//!
//! ```text
//! ====== Heap Trace: 2 records (100 capacity) ======
//!     20 bytes (@ 0x3ffd1914, Internal) allocated CPU 1 ccount 0x419d1cf8 caller 0x400d2710:0x4010a0c6
//! freed by 0x400d27c1:0x4010a0c6
//!     16 bytes (@ 0x3ffd18cc, Internal) allocated CPU 1 ccount 0x419d5680 caller 0x4010a09b:0x4010a0c6
//! ====== Heap Trace Summary ======
//! ```
//!
//! Records stand in the order of the allocations. *That* a block was freed is known, *when* is not,
//! but for one whose address comes again. So each lives as long as it can have lived, and tiers
//! that suffice for that suffice for what was.

use super::book::Book;
use super::words::{Name, name, size};
use super::{Form, Line};
use std::collections::HashSet;

#[derive(Default)]
pub(super) struct HeapTrace {
    /// Of the last dump.
    records: Vec<Record>,
    /// The line of its heading, and how many records that announces.
    announced: Option<(usize, u64)>,
    summary: bool,
}

struct Record {
    line: usize,
    block: Name,
    bytes: u32,
    freed: bool,
}

impl Form for HeapTrace {
    fn line(&mut self, line: &str, number: usize, _book: &mut Book) -> Line {
        if line.contains("Heap Trace Summary") {
            self.summary = true;
            return Line::Nothing;
        }
        if let Some(count) = heading(line) {
            *self = HeapTrace { announced: Some((number, count)), ..HeapTrace::default() };
            return Line::Nothing;
        }
        if let Some((block, bytes)) = record(line) {
            self.records.push(Record {
                line: number,
                block,
                bytes,
                freed: line.contains("freed by"),
            });
            return Line::Event;
        }
        match self.records.last_mut() {
            Some(last) if line.trim_start().starts_with("freed by") => {
                last.freed = true;
                Line::Event
            }
            // Totals of the dump.
            _ if self.summary => Line::Nothing,
            _ => Line::Foreign,
        }
    }

    fn end(&mut self, book: &mut Book) {
        book.exact = false;
        let mut freed = HashSet::new();
        for record in &self.records {
            if freed.remove(&record.block) {
                book.free(record.line, record.block);
            }
            book.alloc(record.line, record.block, record.bytes);
            if record.freed {
                freed.insert(record.block);
            }
        }
        let left = self.records.iter().filter(|record| freed.remove(&record.block));
        left.for_each(|record| book.free(record.line, record.block));
        if let Some((line, announced)) = self.announced {
            book.missing.add_many(line, announced.saturating_sub(self.records.len() as u64));
        }
    }
}

/// The number of records that a dump begins with: `Heap Trace: 6 records`, and `6 allocations
/// trace` in older versions.
fn heading(line: &str) -> Option<u64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let count = words.windows(3).find_map(|words| match words {
        ["Trace:", count, "records"] | [count, "allocations", "trace"] => Some(count),
        _ => None,
    });
    count?.parse().ok()
}

/// `SIZE bytes (@ ADDRESS`, with a comma or a bracket behind it.
fn record(line: &str) -> Option<(Name, u32)> {
    let (before, behind) = line.split_once(" bytes (@ ")?;
    let (address, _) = behind.split_once([',', ')'])?;
    Some((name(address.trim())?, size(before.split_whitespace().last()?)?))
}

#[cfg(test)]
mod tests {
    use crate::log::read;

    const DUMP: &str = "I (9) main: dump\n====== Heap Trace: 5 records (100 capacity) ======\n\
        \x20   20 bytes (@ 0x3ffd1914, Internal) allocated CPU 1 ccount 0x419d1cf8 freed by 0x400d27c1:0x4010a0c6\n\
        \x20   16 bytes (@ 0x3ffd18cc, Internal) allocated CPU 1 ccount 0x419d5680 caller 0x4010a09b:0x4010a0c6\n\
        \x20   24 bytes (@ 0x3ffd1914) allocated CPU 1 ccount 0x419d1cf8 caller 0x400d2710:0x4010a0c6\n\
        freed by 0x400d27c1:0x4010a0c6\n\
        \x201514 bytes (@ 0x3f800000,   PSRAM) allocated CPU 0 ccount 0x419d6680 caller 0x4010a09b\n\
        ====== Heap Trace Summary ======\nMode: Heap Trace Leaks\n16 bytes 'leaked' in trace (1 allocations)\n";

    #[test]
    fn blocks_live_as_long_as_they_can_have() {
        let log = read(DUMP.as_bytes()).unwrap();
        assert_eq!(log.trace.to_string(), "a 0 20\na 1 16\nf 0\na 0 24\na 2 1514\nf 0\n");
        assert!(!log.exact);
        let skipped: Vec<_> = log.skipped.iter().map(ToString::to_string).collect();
        assert_eq!(
            skipped,
            [
                "lines that are no event: 1, the first in line 1",
                "records that the log announces but does not hold: 1, the first in line 2"
            ]
        );
    }

    #[test]
    fn the_last_dump_counts() {
        let log = format!(
            "{DUMP}1 allocations trace (100 entry buffer)\n32 bytes (@ 0x3ffaf214) allocated CPU 0 ccount 0x2e9b7384 caller 0x400d276d\n"
        );
        assert_eq!(read(log.as_bytes()).unwrap().trace.to_string(), "a 0 32\n");
    }
}
