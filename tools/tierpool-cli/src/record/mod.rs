//! `tierpool record`: what a device sends about its heap, as a trace, and what was lost.
//!
//! ```text
//!   line ──► an event with its number ──► in order ──► the trace
//!     │      an event without one    ──────────────────► the trace
//!     └────► anything else ──► standard output, so that the log stays in sight
//! ```

use crate::advised;
use crate::input::{Input, Lines, News};
use crate::progress::progress;
use crate::stop;
use anyhow::{Context, Result, anyhow};
use clap::Args;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write, stdout};
use std::path::PathBuf;
use std::time::Duration;
use tierpool_traces::log;
use tierpool_traces::log::wire::{Order, Step};

/// So many lines may overtake one: of other cores, and of tasks that interrupt it.
const WINDOW: usize = 4096;

/// Saves the allocations of a device as a trace, and says what was lost
///
/// The device has a `tierpool::TraceAlloc` as its global allocator (feature `record`), or calls a
/// `tierpool::TraceRecorder` in the hooks of its heap. Its lines have numbers, so a gap is noticed.
/// Lines `a ID SIZE` and `f ID` of any other recorder are taken, too. Everything else goes to
/// standard output.
#[derive(Args)]
#[command(after_help = "\
Examples:
  espflash monitor | tierpool record node.trace
  tierpool record node.trace serial.log --once     from a log that there is
  tierpool fit node.trace                          then")]
pub struct Options {
    /// The trace to write; a file that is there already is left alone
    #[arg(value_name = "TRACE")]
    trace: PathBuf,

    #[command(flatten)]
    input: Input,
}

pub fn run(options: &Options) -> Result<()> {
    let lines = options.input.lines()?;
    let name = options.trace.display();
    let file = File::create_new(&options.trace).map_err(|why| match why.kind() {
        ErrorKind::AlreadyExists => {
            advised(anyhow!("{name} is there already"), "choose another name, or remove it")
        }
        _ => anyhow!("cannot write {name}: {why}"),
    })?;
    stop::on_ctrl_c()?;
    let mut recording = Recording::new(BufWriter::new(file));
    record(&lines, &mut recording, &mut stdout())?;
    progress("");
    let told = recording.end().with_context(|| format!("cannot write {name}"))?;
    eprintln!("{name}: {told}");
    if told.events == 0 {
        return Err(advised(
            anyhow!("no event has come"),
            "make `tierpool::TraceAlloc` the global allocator, and let its sink print to this log",
        ));
    }
    Ok(())
}

fn record(
    lines: &Lines,
    recording: &mut Recording<impl Write>,
    others: &mut impl Write,
) -> Result<()> {
    while !stop::asked() {
        match lines.next(Duration::from_millis(200))? {
            News::Line(line) => {
                let line = log::plain(&line);
                if !recording.line(&line).context("cannot write the trace")? {
                    progress("");
                    writeln!(others, "{line}").context("cannot write to standard output")?;
                }
            }
            News::Nothing => recording.trace.flush().context("cannot write the trace")?,
            News::End => break,
        }
        progress(&recording.told.to_string());
    }
    Ok(())
}

/// A trace that is being written.
struct Recording<W> {
    trace: W,
    order: Order,
    /// Lines that were read.
    lines: usize,
    /// Blocks of the device that live, by their names.
    live: BTreeSet<String>,
    told: Told,
}

/// What came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Told {
    events: u64,
    /// Some event had a number.
    numbered: bool,
    lost: u64,
    gaps: u64,
    late: u64,
    restarts: u64,
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} events", self.events)?;
        if self.events > 0 && !self.numbered {
            return write!(f, " without numbers: what was lost cannot be known");
        }
        write!(f, ", {} lost", self.lost)?;
        if self.gaps > 0 {
            write!(f, " in {} gaps", self.gaps)?;
        }
        if self.late > 0 {
            write!(f, ", {} were before the recording began", self.late)?;
        }
        if self.restarts > 0 {
            write!(f, ", the device started again {} times", self.restarts)?;
        }
        Ok(())
    }
}

impl<W: Write> Recording<W> {
    fn new(trace: W) -> Self {
        Recording {
            trace,
            order: Order::new(WINDOW),
            lines: 0,
            live: BTreeSet::new(),
            told: Told::default(),
        }
    }

    /// Takes a line; false if it is none of a recorder.
    fn line(&mut self, line: &str) -> std::io::Result<bool> {
        self.lines += 1;
        if let Some(steps) = self.order.line(line, self.lines) {
            self.told.numbered = true;
            self.write(steps)?;
            return Ok(true);
        }
        // Beside lines with numbers, one without is a line that was damaged.
        let event = log::event(line).filter(|_| !self.told.numbered);
        let Some(event) = event else { return Ok(false) };
        self.event(&event)?;
        Ok(true)
    }

    fn write(&mut self, steps: Vec<Step>) -> std::io::Result<()> {
        for step in steps {
            match step {
                Step::Event(event, _) => self.event(&event)?,
                Step::Lost(events, _) => {
                    self.told.lost += events;
                    self.told.gaps += 1;
                    writeln!(self.trace, "# lost here: {events} events")?;
                }
                Step::Late(events, _) => {
                    self.told.late += events;
                    writeln!(self.trace, "# {events} events were before the recording began")?;
                }
                Step::Restart(_) => {
                    self.told.restarts += 1;
                    writeln!(self.trace, "# the device started again: its blocks are gone")?;
                    for block in std::mem::take(&mut self.live) {
                        writeln!(self.trace, "f {block}")?;
                    }
                }
            }
        }
        Ok(())
    }

    fn event(&mut self, event: &str) -> std::io::Result<()> {
        match event.split(' ').collect::<Vec<_>>()[..] {
            ["a", block, _] => drop(self.live.insert(block.into())),
            ["f", block] => drop(self.live.remove(block)),
            ["r", old, new, _] => {
                self.live.remove(old);
                self.live.insert(new.into());
            }
            _ => {}
        }
        self.told.events += 1;
        writeln!(self.trace, "{event}")
    }

    /// After the last line: what came.
    fn end(mut self) -> std::io::Result<Told> {
        let steps = std::mem::replace(&mut self.order, Order::new(WINDOW)).end();
        self.write(steps)?;
        self.trace.flush()?;
        Ok(self.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::sync::Mutex;
    use tierpool::TraceAlloc;

    static SENT: Mutex<Vec<String>> = Mutex::new(Vec::new());

    fn send(line: &[u8]) {
        SENT.lock().unwrap().push(str::from_utf8(line).unwrap().trim_end().to_owned());
    }

    /// What a device sends that allocates 16, 32, 48 … bytes, and frees each but the last.
    fn sent(blocks: usize) -> Vec<String> {
        static DEVICE: Mutex<()> = Mutex::new(());
        let _one = DEVICE.lock().unwrap();
        let heap = TraceAlloc::new(System, send);
        for block in 1..=blocks {
            let layout = Layout::from_size_align(16 * block, 8).unwrap();
            // SAFETY: not of zero bytes; freed once, with the same layout. The last one leaks.
            unsafe {
                let memory = heap.alloc(layout);
                if block < blocks {
                    heap.dealloc(memory, layout);
                }
            }
        }
        std::mem::take(&mut *SENT.lock().unwrap())
    }

    fn recorded<'a>(lines: impl IntoIterator<Item = &'a String>) -> (String, Told, usize) {
        let mut trace = Vec::new();
        let mut recording = Recording::new(&mut trace);
        let others = lines.into_iter().filter(|line| !recording.line(line).unwrap()).count();
        let told = recording.end().unwrap();
        (String::from_utf8(trace).unwrap(), told, others)
    }

    fn skipped(trace: &str) -> Vec<String> {
        log::read(trace.as_bytes()).unwrap().skipped.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_the_library_sends_is_a_trace() {
        let sent = sent(4);
        let (trace, told, others) = recorded(&sent);
        assert_eq!((told.to_string().as_str(), others), ("7 events, 0 lost", 0));
        let read = log::read(trace.as_bytes()).unwrap();
        assert_eq!(read.trace.to_string(), "a 0 16\nf 0\na 0 32\nf 0\na 0 48\nf 0\na 0 64\n");
        // The raw log says the same.
        assert_eq!(log::read(sent.join("\n").as_bytes()).unwrap().trace, read.trace);
    }

    #[test]
    fn what_is_lost_is_said_and_marked() {
        let mut sent = sent(6);
        sent.insert(2, "I (44) wifi: connected".into());
        sent[5].pop(); // the line that lost its end
        sent.remove(8);
        let (trace, told, others) = recorded(&sent);
        assert_eq!((told.lost, told.gaps, told.events, others), (2, 2, 9, 2));
        assert_eq!(told.to_string(), "9 events, 2 lost in 2 gaps");
        assert_eq!(trace.matches("# lost here: 1 events").count(), 2, "{trace}");
        assert!(log::read(trace.as_bytes()).unwrap().exact);
    }

    /// After a restart the blocks of before are gone, and their addresses may come again.
    #[test]
    fn a_restart_frees_all() {
        let (one, other) = (sent(3), sent(2));
        let (trace, told, _) = recorded(one.iter().chain(&other));
        assert_eq!((told.restarts, told.lost, told.events), (1, 0, 8));
        assert_eq!(skipped(&trace), [""; 0], "{trace}");
        assert!(trace.contains("# the device started again"));
        assert_eq!(log::read(trace.as_bytes()).unwrap().trace.events().len(), 9);
    }

    #[test]
    fn lines_of_other_recorders_are_taken() {
        let lines = ["I (5) heap: a 0x10 64", "boot", "heap: f 0x10"].map(String::from);
        let (trace, told, others) = recorded(&lines);
        assert_eq!((trace.as_str(), others), ("a 0x10 64\nf 0x10\n", 1));
        assert_eq!(told.to_string(), "2 events without numbers: what was lost cannot be known");
    }

    /// The whole command: the file is written, and one that is there is left alone.
    #[test]
    fn a_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (log, trace) = (folder.path().join("log"), folder.path().join("trace"));
        std::fs::write(&log, sent(2).join("\n")).unwrap();
        let input = Input { log: Some(log), once: true };
        let mut recording = Recording::new(File::create_new(&trace).unwrap());
        let mut others = Vec::new();
        record(&input.lines().unwrap(), &mut recording, &mut others).unwrap();
        assert_eq!((recording.end().unwrap().events, others.len()), (3, 0));
        let error = run(&Options { trace: trace.clone(), input }).unwrap_err().to_string();
        assert!(error.contains("is there already\nhelp: choose another name"), "{error}");
        assert!(std::fs::read_to_string(trace).unwrap().starts_with("a 0x"));
    }
}
