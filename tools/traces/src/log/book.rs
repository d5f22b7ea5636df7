//! Blocks by the names that a log has for them, and the trace that their events become.

use super::words::Name;
use super::{Log, Skipped};
use crate::Trace;
use std::collections::HashMap;

pub(super) struct Book {
    trace: Trace,
    /// The log's name for a live block, and the trace's.
    names: HashMap<u128, u32>,
    /// Lines that were events.
    pub(super) used: u64,
    pub(super) exact: bool,
    pub(super) foreign: Skipped,
    pub(super) missing: Skipped,
    pub(super) lost: Skipped,
    pub(super) late: Skipped,
    restarts: Skipped,
    unknown: Skipped,
    reused: Skipped,
    failed: Skipped,
}

impl Default for Book {
    fn default() -> Self {
        Book {
            trace: Trace::default(),
            names: HashMap::new(),
            used: 0,
            exact: true,
            foreign: Skipped::new("lines that are no event"),
            missing: Skipped::new("records that the log announces but does not hold"),
            lost: Skipped::new("events lost on the wire"),
            late: Skipped::new("events before the log began"),
            restarts: Skipped::new(
                "starts of the device, at which all blocks were taken for freed",
            ),
            unknown: Skipped::new(
                "frees of blocks that were allocated before the log began, or in a lost line",
            ),
            reused: Skipped::new(
                "allocations at the address of a live block, which was taken for freed",
            ),
            failed: Skipped::new("allocations that failed"),
        }
    }
}

impl Book {
    pub(super) fn alloc(&mut self, line: usize, name: Name, size: u32) {
        let Some(name) = name else { return self.failed.add(line) };
        // Its free is lost: it came before this.
        if let Some(old) = self.names.remove(&name) {
            self.reused.add(line);
            self.give_back(old);
        }
        self.names.insert(name, self.trace.alloc(size));
    }

    pub(super) fn free(&mut self, line: usize, name: Name) {
        let Some(name) = name else { return };
        match self.names.remove(&name) {
            Some(id) => self.give_back(id),
            None => self.unknown.add(line),
        }
    }

    /// A block moves: a pool has the new one before it gives up the old.
    pub(super) fn realloc(&mut self, line: usize, old: Name, new: Name, size: u32) {
        if new.is_none() {
            // Of 0 bytes it is a free; else it has failed, and the block stays.
            return if size == 0 { self.free(line, old) } else { self.failed.add(line) };
        }
        let old_id = old.and_then(|old| self.names.remove(&old));
        if old.is_some() && old_id.is_none() {
            self.unknown.add(line);
        }
        self.alloc(line, new, size);
        if let Some(id) = old_id {
            self.give_back(id);
        }
    }

    /// The device starts again: nothing lives any more.
    pub(super) fn restart(&mut self, line: usize) {
        self.restarts.add(line);
        let mut left: Vec<u32> = self.names.drain().map(|(_, id)| id).collect();
        left.sort_unstable();
        left.into_iter().for_each(|id| self.give_back(id));
    }

    fn give_back(&mut self, id: u32) {
        assert!(self.trace.free(id), "a name that is known is of a live block");
    }

    pub(super) fn closed(self) -> Log {
        let all = [
            self.foreign,
            self.missing,
            self.late,
            self.lost,
            self.restarts,
            self.unknown,
            self.reused,
            self.failed,
        ];
        Log {
            trace: self.trace,
            exact: self.exact,
            skipped: all.into_iter().filter(|skipped| skipped.count > 0).collect(),
        }
    }
}
