//! The lines of `tierpool::TraceAlloc`: events with a number and a sum, put in order.
//!
//! ```text
//!   t95.1f a 0x3ffb1234 64
//!    │  └ number of the event, in hexadecimal      sum of the bytes behind the dot
//!
//!   line ──► sum agrees? ──► waiting, by number ──► next ones in a row: events
//!                                             └──► a gap that nothing fills: lost
//! ```
//!
//! A core or an interrupt handler may overtake another between taking its number and sending its
//! line. So a line waits until those before it have come, or so many came behind it that they never
//! will.

use super::book::Book;
use super::events::event;
use super::{Form, Line};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

/// In a log that is there as a whole, so many lines may overtake one: a thread of a PC may be
/// suspended for long.
const WINDOW: usize = 65_536;
/// So many gaps are remembered, for lines that come too late.
const GAPS: usize = 64;

/// What comes next in a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An event, as `a ID SIZE`, `f ID` or `r OLD NEW SIZE`, and the line that it stood in.
    Event(String, usize),
    /// So many events were lost before this line.
    Lost(u64, usize),
    /// The recording began after so many events, with this line, or lost as many at its start.
    Late(u64, usize),
    /// The device has started again: all its blocks are gone. And the line that shows it.
    Restart(usize),
}

/// Puts the events of a device in order, and knows what is lost.
#[derive(Debug)]
pub struct Order {
    /// So many lines may overtake one.
    window: usize,
    /// The number of the next event, counted on beyond 32 bits.
    next: u64,
    /// An event has come.
    begun: bool,
    /// Events that came before their turn, with the number of their line.
    waiting: BTreeMap<u64, (String, usize)>,
    /// Of late: numbers that were given up.
    lost: VecDeque<Range<u64>>,
}

impl Order {
    /// Waits for a missing event until so many behind it have come.
    pub fn new(window: usize) -> Self {
        let (waiting, lost) = (BTreeMap::new(), VecDeque::new());
        Order { window, next: 0, begun: false, waiting, lost }
    }

    /// Takes a line of a log, and gives the steps that it completes; none if it is no line of a
    /// recorder, or has lost a part.
    pub fn line(&mut self, line: &str, number: usize) -> Option<Vec<Step>> {
        let (event, text) = numbered(line)?;
        let mut steps = Vec::new();
        // Before the first event any number may come; from then on they wrap at 2^32.
        let place = if self.begun {
            let distance = event.wrapping_sub(self.next as u32).cast_signed();
            self.next.checked_add_signed(distance.into())
        } else {
            Some(event.into())
        };
        match place {
            Some(place) if place >= self.next && !self.waiting.contains_key(&place) => {
                self.waiting.insert(place, (text.into(), number));
                self.deliver(&mut steps);
                while self.waiting.len() > self.window {
                    self.give_up(&mut steps);
                }
            }
            // It was given up, and is counted as lost.
            Some(place) if self.lost.iter().any(|lost| lost.contains(&place)) => {}
            // A number comes for the second time.
            _ => {
                self.end_into(&mut steps);
                steps.push(Step::Restart(number));
                *self = Order { begun: true, ..Order::new(self.window) };
                self.waiting.insert(event.into(), (text.into(), number));
                self.deliver(&mut steps);
            }
        }
        Some(steps)
    }

    /// After the last line.
    pub fn end(mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        self.end_into(&mut steps);
        steps
    }

    fn end_into(&mut self, steps: &mut Vec<Step>) {
        while !self.waiting.is_empty() {
            self.give_up(steps);
        }
    }

    /// Gives out what is next, as far as it has come.
    fn deliver(&mut self, steps: &mut Vec<Step>) {
        while let Some((text, line)) = self.waiting.remove(&self.next) {
            steps.push(Step::Event(text, line));
            self.next += 1;
            self.begun = true;
        }
    }

    /// Waits no longer for what is missing before the first that has come.
    fn give_up(&mut self, steps: &mut Vec<Step>) {
        if let Some((&first, &(_, line))) = self.waiting.first_key_value() {
            let events = first - self.next;
            steps.push(if self.begun {
                Step::Lost(events, line)
            } else {
                Step::Late(events, line)
            });
            self.lost.push_back(self.next..first);
            self.lost.drain(..self.lost.len().saturating_sub(GAPS));
            self.next = first;
        }
        self.deliver(steps);
    }
}

/// The number and the event of a line whose sum agrees, whatever stands before it.
fn numbered(line: &str) -> Option<(u32, &str)> {
    let read = |dot: usize| {
        let sum = line.get(dot.checked_sub(3)?..dot)?.strip_prefix('t')?;
        let rest = line[dot + 1..].trim_end();
        let all = rest.bytes().fold(0_u8, u8::wrapping_add);
        let (number, event) = rest.split_once(' ')?;
        let agrees = u8::from_str_radix(sum, 16) == Ok(all);
        agrees.then_some((u32::from_str_radix(number, 16).ok()?, event))
    };
    line.match_indices('.').find_map(|(dot, _)| read(dot))
}

/// The same as a form of a log.
pub(super) struct Wire {
    order: Order,
}

impl Default for Wire {
    fn default() -> Self {
        Wire { order: Order::new(WINDOW) }
    }
}

impl Form for Wire {
    fn line(&mut self, line: &str, number: usize, book: &mut Book) -> Line {
        match self.order.line(line, number) {
            Some(steps) => {
                keep(steps, book);
                Line::Event
            }
            None if line.trim_start().starts_with('#') => Line::Nothing,
            None => Line::Foreign,
        }
    }

    fn end(&mut self, book: &mut Book) {
        keep(std::mem::replace(&mut self.order, Order::new(0)).end(), book);
    }
}

fn keep(steps: Vec<Step>, book: &mut Book) {
    for step in steps {
        match step {
            Step::Event(text, line) => {
                if event(&text, line, book).is_none() {
                    book.foreign.add(line);
                }
            }
            Step::Lost(events, line) => book.lost.add_many(line, events),
            Step::Late(events, line) => book.late.add_many(line, events),
            Step::Restart(line) => book.restart(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::read;

    /// A line as a device sends it.
    fn line(number: u32, event: &str) -> String {
        let rest = format!("{number:x} {event}");
        format!("t{:02x}.{rest}\n", rest.bytes().fold(0_u8, u8::wrapping_add))
    }

    fn lines(numbers: impl IntoIterator<Item = u32>) -> String {
        numbers.into_iter().map(|number| line(number, &format!("a {number:#x}1 8"))).collect()
    }

    /// How many events there are, and what was left out.
    fn told(log: &str) -> (usize, Vec<String>) {
        let log = read(log.as_bytes()).unwrap();
        (log.trace.events().len(), log.skipped.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn overtaken_lines_are_put_in_order() {
        let log = line(0, "a 0x10 64") + &line(2, "a 0x10 32") + &line(1, "f 0x10");
        let log = read(log.as_bytes()).unwrap();
        assert_eq!(log.trace.to_string(), "a 0 64\nf 0\na 0 32\n");
        assert!(log.skipped.is_empty() && log.exact);
    }

    #[test]
    fn numbers_wrap_and_recordings_begin_late() {
        let mut order = Order::new(1);
        let numbers = [u32::MAX - 2, u32::MAX - 1, 0, u32::MAX, 1];
        let mut steps = Vec::new();
        for text in lines(numbers).lines() {
            steps.extend(order.line(text, 7).unwrap());
        }
        assert_eq!(steps[0], Step::Late(u64::from(u32::MAX) - 2, 7));
        assert_eq!(steps.len(), 6, "{steps:?}");
        assert!(steps[1..].iter().all(|step| matches!(step, Step::Event(..))));
        assert_eq!(order.end(), []);
        assert_eq!(
            told(&lines([5, 6])),
            (2, vec!["events before the log began: 5, the first in line 1".into()])
        );
    }

    #[test]
    fn what_is_lost_is_counted() {
        assert_eq!(told(&lines(0..5)), (5, vec![]));
        assert_eq!(
            told(&lines([0, 1, 5, 9])),
            (4, vec!["events lost on the wire: 6, the first in line 3".into()])
        );
        // One that never came does not hold up those behind it for ever.
        let mut order = Order::new(256);
        let mut steps = Vec::new();
        for (text, line) in lines((0..2000).filter(|&number| number != 3)).lines().zip(1..) {
            steps.extend(order.line(text, line).unwrap());
        }
        assert!(steps.contains(&Step::Lost(1, 4)) && steps.len() == 2000, "{}", steps.len());
        // It is not counted twice when it comes too late.
        assert_eq!(order.line(&line(3, "f 0x31"), 1), Some(vec![]));
    }

    /// A byte that is lost anywhere in a line makes it no line, and its event a lost one.
    #[test]
    fn a_line_that_lost_a_byte_is_none() {
        let whole = line(1, "a 0x3ffb1234 64");
        for cut in 0..whole.len() - 1 {
            let mut cut_line = whole.clone();
            cut_line.remove(cut);
            let log = line(0, "a 0x50 8") + &cut_line + &line(2, "f 0x50");
            let (events, skipped) = told(&log);
            assert_eq!(events, 2, "{cut_line}");
            assert_eq!(skipped.last().unwrap(), "events lost on the wire: 1, the first in line 3");
        }
        let fused = line(0, "a 0x50 8") + line(1, "a 0x60 8").trim_end() + &line(2, "f 0x50");
        assert_eq!(told(&fused).0, 2, "of two in one line the second is whole");
    }

    #[test]
    fn a_device_that_starts_again_has_no_blocks() {
        let log = lines(0..3) + "boot: reset\n" + &lines(0..2);
        let (events, skipped) = told(&log);
        assert_eq!(events, 3 + 3 + 2);
        assert_eq!(
            skipped,
            [
                "lines that are no event: 1, the first in line 4",
                "starts of the device, at which all blocks were taken for freed: 1, the first in line 5"
            ]
        );
    }

    #[test]
    fn a_logger_may_stand_before_it() {
        let log = format!("I (12.5) heap: {}\x1b[0m\n", line(0, "a 0x10 64").trim_end());
        assert_eq!(told(&log), (1, vec![]));
    }
}
