//! How far a command is, on standard error: the result alone goes to standard output.

use std::io::{IsTerminal, Write, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Says it: on a terminal in a line that the next one replaces, else in a line a second, the first
/// after a second. What comes too soon after another is left out. An empty text takes the line away.
pub fn progress(line: &str) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let terminal = stderr().is_terminal();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if line.is_empty() {
        if terminal && last.is_some() {
            eprint!("\r\x1b[K");
        }
        return;
    }
    let due = due(terminal, last.map(|last| last.elapsed()));
    if due && terminal {
        eprint!("\r\x1b[K{line}");
        let _ = stderr().flush();
    } else if due {
        eprintln!("{line}");
    }
    if due || last.is_none() {
        *last = Some(Instant::now());
    }
}

/// Whether a line is to be said, so long after the last; none came before it if there is no time.
/// In a file a line stays. So a command that is done at once leaves none there: "0 events" would
/// stand beside what it then says of all events.
fn due(terminal: bool, since: Option<Duration>) -> bool {
    let wait = Duration::from_millis(if terminal { 100 } else { 1000 });
    since.map_or(terminal, |since| since >= wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_command_leaves_no_progress_in_a_file() {
        let millis = |millis| Some(Duration::from_millis(millis));
        assert!(!due(false, None) && !due(false, millis(999)) && due(false, millis(1000)));
        assert!(due(true, None) && !due(true, millis(99)) && due(true, millis(100)));
    }
}
