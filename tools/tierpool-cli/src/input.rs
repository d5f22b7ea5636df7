//! The log of a device, line by line as it comes: from standard input, or from a file that grows.

use crate::advised;
use anyhow::{Context, Result, anyhow};
use clap::Args;
use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Read, Seek, SeekFrom, stdin};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// How often a file is asked for more.
const AGAIN: Duration = Duration::from_millis(100);
/// A line of more bytes is cut, so that a device that sends no line break fills no memory.
const LONGEST: usize = 64 * 1024;

/// Where the log comes from.
#[derive(Args, Clone, Debug, Default)]
pub struct Input {
    /// The log of the device; standard input if there is none. A file is read on as it grows, until
    /// Ctrl-C
    #[arg(value_name = "LOG")]
    pub log: Option<PathBuf>,

    /// End with the file, instead of waiting for more of it. There is no screen then
    #[arg(long)]
    pub once: bool,
}

/// What happened next.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// A line, without its line break.
    Line(String),
    /// Nothing for as long as was asked.
    Nothing,
    /// There will be no more.
    End,
}

/// Lines that a thread reads.
pub struct Lines {
    receiver: Receiver<Result<String>>,
}

impl Input {
    /// Begins to read.
    pub fn lines(&self) -> Result<Lines> {
        if self.log.is_none() && stdin().is_terminal() {
            return Err(advised(
                anyhow!("there is no log"),
                "name its file, or pipe it in: espflash monitor | tierpool …",
            ));
        }
        let (sender, receiver) = sync_channel(1024);
        match self.log.as_deref().filter(|path| *path != Path::new("-")) {
            Some(path) => {
                let file =
                    File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
                let (path, once) = (path.to_owned(), self.once);
                thread::spawn(move || follow(file, &path, once, &sender));
            }
            None => {
                thread::spawn(move || {
                    let mut lines = Splitter::default();
                    let read = read_on(&mut stdin(), &mut lines, &sender);
                    let last = lines.rest().map(Ok);
                    let failed = read.and_then(Result::err).map(|error| Err(error.into()));
                    last.into_iter().chain(failed).try_for_each(|line| sender.send(line))
                });
            }
        }
        Ok(Lines { receiver })
    }
}

impl Lines {
    /// The next line, if one comes in time.
    pub fn next(&self, within: Duration) -> Result<News> {
        match self.receiver.recv_timeout(within) {
            Ok(line) => Ok(News::Line(line?)),
            Err(RecvTimeoutError::Timeout) => Ok(News::Nothing),
            Err(RecvTimeoutError::Disconnected) => Ok(News::End),
        }
    }
}

/// Sends all lines up to the end of what there is. None if nobody listens any more.
fn read_on(
    from: &mut impl Read,
    lines: &mut Splitter,
    sender: &SyncSender<Result<String>>,
) -> Option<std::io::Result<()>> {
    let mut bytes = [0; 8192];
    loop {
        match from.read(&mut bytes) {
            Ok(0) => return Some(Ok(())),
            Ok(count) => {
                for line in lines.split(&bytes[..count]) {
                    sender.send(Ok(line)).ok()?;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Some(Err(error)),
        }
    }
}

/// Reads a file to its end, and on if it grows. One that has become shorter was written anew.
fn follow(mut file: File, path: &Path, once: bool, sender: &SyncSender<Result<String>>) {
    let mut lines = Splitter::default();
    loop {
        let read = match read_on(&mut file, &mut lines, sender) {
            None => return,
            Some(Ok(())) if once => {
                if let Some(line) = lines.rest() {
                    let _ = sender.send(Ok(line));
                }
                return;
            }
            Some(Ok(())) => shrunk(&mut file),
            Some(Err(error)) => Err(error),
        };
        match read.with_context(|| format!("cannot read {}", path.display())) {
            Ok(true) => lines = Splitter::default(),
            Ok(false) => thread::sleep(AGAIN),
            Err(error) => return drop(sender.send(Err(error))),
        }
    }
}

/// True if the file ends before the place that was read up to: then it is read from its start.
fn shrunk(file: &mut File) -> std::io::Result<bool> {
    let shrunk = file.metadata()?.len() < file.stream_position()?;
    if shrunk {
        file.seek(SeekFrom::Start(0))?;
    }
    Ok(shrunk)
}

/// Puts lines together out of pieces.
#[derive(Default)]
struct Splitter {
    begun: Vec<u8>,
}

impl Splitter {
    /// The lines that end in `bytes`. A byte that is no text becomes a sign for that.
    fn split(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let room = LONGEST.saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                lines.extend(self.rest());
            }
        }
        lines
    }

    /// What has been begun, as a line; none if it is nothing.
    fn rest(&mut self) -> Option<String> {
        let begun = std::mem::take(&mut self.begun);
        let line = String::from_utf8_lossy(&begun);
        (!begun.is_empty()).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const SOON: Duration = Duration::from_secs(20);

    fn line(text: &str) -> News {
        News::Line(text.into())
    }

    #[test]
    fn a_file_is_read_as_it_grows() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "one\r\ntw").unwrap();
        let lines = Input { log: Some(file.path().into()), once: false }.lines().unwrap();
        assert_eq!(lines.next(SOON).unwrap(), line("one"));
        assert_eq!(lines.next(AGAIN * 3).unwrap(), News::Nothing, "a line has an end");
        write!(file, "o\nthree\n").unwrap();
        assert_eq!(lines.next(SOON).unwrap(), line("two"));
        assert_eq!(lines.next(SOON).unwrap(), line("three"));
        // Written anew, as by a terminal program that starts again.
        file.as_file().set_len(0).unwrap();
        file.as_file_mut().seek(SeekFrom::Start(0)).unwrap();
        writeln!(file, "new").unwrap();
        assert_eq!(lines.next(SOON).unwrap(), line("new"));
    }

    #[test]
    fn a_file_that_is_read_once_has_an_end() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "one\n\nÿ!").unwrap();
        file.write_all(b"\xff").unwrap();
        let lines = Input { log: Some(file.path().into()), once: true }.lines().unwrap();
        let all: Vec<News> = (0..4).map(|_| lines.next(SOON).unwrap()).collect();
        assert_eq!(all, [line("one"), line(""), line("ÿ!\u{fffd}"), News::End]);
        let none = Input { log: Some("/no/such".into()), once: true }.lines();
        assert!(format!("{:#}", none.err().unwrap()).starts_with("cannot read /no/such"));
    }

    #[test]
    fn a_line_without_end_fills_no_memory() {
        let mut lines = Splitter::default();
        for _ in 0..100 {
            assert!(lines.split(&[b'x'; 8192]).is_empty());
        }
        assert_eq!(
            lines.split(b"\nnext\n").iter().map(String::len).collect::<Vec<_>>(),
            [LONGEST, 4]
        );
    }
}
