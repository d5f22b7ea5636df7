//! `tierpool watch` in a terminal: it draws, hears keys, and gives the terminal back. `script` makes
//! the terminal, which Debian has in every installation.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::process::{Command, Stdio};

const LINE: &str = "RX requests=4 hits=3 misses=1 fallbacks=0 hit_rate=75% 64=1/4 512=2/2\n";

/// Runs a shell's line in a terminal, presses a key as soon as the screen shows the pool, and gives
/// all that was shown.
fn shown(line: &str, key: &[u8]) -> String {
    let mut terminal = Command::new("timeout")
        .args(["60", "script", "--quiet", "--return", "--command"])
        // A terminal that nobody sees has no size.
        .arg(format!("stty cols 100 rows 12; {line}"))
        .arg("/dev/null")
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keys, mut screen) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());
    let (mut shown, mut bytes, mut pressed) = (Vec::new(), [0; 4096], false);
    loop {
        let count = screen.read(&mut bytes).unwrap();
        if count == 0 {
            break;
        }
        shown.extend_from_slice(&bytes[..count]);
        if !pressed && String::from_utf8_lossy(&shown).contains("512") {
            keys.write_all(key).unwrap();
            keys.flush().unwrap();
            pressed = true;
        }
    }
    let shown = String::from_utf8_lossy(&shown).into_owned();
    let end: String = shown.chars().rev().take(300).collect::<Vec<_>>().into_iter().rev().collect();
    assert!(terminal.wait().unwrap().success(), "{end}");
    shown
}

/// The log in a file, or through a pipe that stays open: keys come from the terminal either way.
#[test]
fn keys_end_it_and_the_page_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (log, page) = (folder.path().join("log"), folder.path().join("page.html"));
    std::fs::write(&log, LINE).unwrap();
    let tierpool = env!("CARGO_BIN_EXE_tierpool");
    let (log, of_page) = (log.display(), page.display());
    let file = format!("{tierpool} watch {log} --html {of_page}");
    let pipe = format!("(cat {log}; sleep 2) | {tierpool} watch --html {of_page}");
    for (line, key) in [(&file, &b"q"[..]), (&pipe, b"q"), (&pipe, b"\x03")] {
        let shown = shown(line, key);
        assert!(shown.contains('█') && shown.contains("q: quit"), "{shown}");
        // The other screen is left, the cursor is back, and the last state stays in sight.
        for end in ["\x1b[?1049l", "\x1b[?25h", "RX  4 requests  1 misses  hit rate 75.0 %"] {
            assert!(shown.contains(end), "{end:?} in {shown}");
        }
        assert!(std::fs::read_to_string(&page).unwrap().contains("<h2>RX</h2>"));
        std::fs::remove_file(&page).unwrap();
    }
}
