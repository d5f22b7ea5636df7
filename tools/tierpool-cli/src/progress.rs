//! How far a command is, on standard error: the result alone goes to standard output.

use std::io::{IsTerminal, Write, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Says it: on a terminal in a line that the next one replaces, else in a line a second. What comes
/// too soon after another is left out. An empty text takes the line away.
pub fn progress(line: &str) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let terminal = stderr().is_terminal();
    let wait = Duration::from_millis(if terminal { 100 } else { 1000 });
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if line.is_empty() {
        if terminal && last.is_some() {
            eprint!("\r\x1b[K");
        }
    } else if last.is_none_or(|last| last.elapsed() >= wait) {
        if terminal {
            eprint!("\r\x1b[K{line}");
            let _ = stderr().flush();
        } else {
            eprintln!("{line}");
        }
        *last = Some(Instant::now());
    }
}
