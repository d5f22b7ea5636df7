//! How far a command is, on standard error: the result alone goes to standard output.

use std::io::{IsTerminal, Write, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Says it: on a terminal in a line that the next one replaces, else in a line a second. An empty
/// text ends it.
pub fn progress(line: &str) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    if stderr().is_terminal() {
        eprint!("\r\x1b[K{line}");
        let _ = stderr().flush();
        return;
    }
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if !line.is_empty() && last.is_none_or(|last| last.elapsed() >= Duration::from_secs(1)) {
        eprintln!("{line}");
        *last = Some(Instant::now());
    }
}
