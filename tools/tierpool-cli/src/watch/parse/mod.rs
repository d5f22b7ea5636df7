//! What a log says of pools, found line by line, whatever stands around it.
//!
//! | file | reads |
//! |---|---|
//! | `line` | the line of `{}`: `RX requests=5 hits=3 …`, of `Display` and of `defmt`, and that of C |
//! | `table` | the table of `{:#}` with its name, reserves and holders |
//! | `prefix` | what a logger puts in front: the time of the device, and where the name begins |
//!
//! A serial line loses bytes. So what does not add up is not taken: the sums of a line and of a
//! table are known from their parts.

mod line;
mod prefix;
mod table;

use super::snapshot::{Clock, Holder, Snapshot};
use prefix::DeviceClock;
use table::Table;
use tierpool_traces::fit::{FIRST_LINE, Histogram, read_histogram};
use tierpool_traces::log::plain;

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// The counts of a pool.
    Snapshot(Snapshot),
    /// From now on come the holders of the pool whose table came last.
    Holders,
    /// The next of them.
    Holder(Holder),
    /// Which sizes a pool was asked for.
    Histogram(Histogram),
    /// A line, a table or a histogram that lost a part.
    Damaged,
}

/// A table or a histogram is over when so many lines of others have come in between.
const MOST_BETWEEN: usize = 40;

/// Reads a log.
#[derive(Debug, Default)]
pub struct Parser {
    /// What `at` counts, in a log without times.
    clock: Clock,
    device: DeviceClock,
    /// The last line that was nothing: perhaps the name of a pool.
    before: String,
    table: Option<Table>,
    /// Rows of holders may come.
    holders: bool,
    histogram: Option<String>,
    /// Lines since something was read.
    between: usize,
}

impl Parser {
    /// Reads a log whose lines come with the seconds or the number of their arrival.
    pub fn new(clock: Clock) -> Self {
        Parser { clock, ..Parser::default() }
    }

    /// Takes a line, and when it came.
    pub fn line(&mut self, line: &str, at: f64) -> Vec<Report> {
        let line = plain(line);
        self.device.read(&line);
        let mut reports = Vec::new();
        if self.read(&line, at, &mut reports) {
            self.between = 0;
            self.before.clear();
        } else if !line.trim().is_empty() {
            self.between += 1;
            line.trim_end().clone_into(&mut self.before);
            if self.between > MOST_BETWEEN {
                reports.extend(self.give_up());
            }
        }
        reports
    }

    /// After the last line.
    pub fn end(&mut self) -> Option<Report> {
        self.give_up()
    }

    /// What was begun has no end.
    fn give_up(&mut self) -> Option<Report> {
        self.holders = false;
        let begun = self.table.take().is_some() | self.histogram.take().is_some();
        begun.then_some(Report::Damaged)
    }

    /// True if the line was part of something.
    fn read(&mut self, line: &str, at: f64, reports: &mut Vec<Report>) -> bool {
        let now = match self.device.seconds() {
            Some(seconds) => (seconds, Clock::Device),
            None => (at, self.clock),
        };
        if let Some(read) = line::read(line, now) {
            reports.push(read.map_or(Report::Damaged, Report::Snapshot));
            return true;
        }
        if let Some(prefix) = table::heading(line) {
            reports.extend(self.give_up());
            self.table = Some(Table::new(prefix::name_line(&self.before, prefix), now));
            return true;
        }
        if line.contains(FIRST_LINE) {
            reports.extend(self.give_up());
            self.histogram = Some(format!("{line}\n"));
            return true;
        }
        if let Some(table) = &mut self.table {
            match table.line(line) {
                table::Row::Tier => return true,
                table::Row::Sums => {
                    let whole = self.table.take().and_then(Table::whole);
                    self.holders = whole.is_some();
                    reports.push(whole.map_or(Report::Damaged, Report::Snapshot));
                    return true;
                }
                table::Row::Other => {}
            }
        }
        if let Some(text) = &mut self.histogram {
            let of_it = ["tier ", "size ", "larger "].iter().any(|word| line.contains(word));
            *text += line;
            text.push('\n');
            if line.contains("larger ") {
                let text = self.histogram.take().unwrap_or_default();
                reports.push(read_histogram(&text).map_or(Report::Damaged, Report::Histogram));
            }
            if of_it {
                return true;
            }
        }
        if self.holders {
            if table::is_holders_heading(line) {
                reports.push(Report::Holders);
                return true;
            }
            if let Some(holder) = table::holder(line) {
                reports.push(Report::Holder(holder));
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
