//! A short soak among the tests: four threads, all operations, all options. `cargo xtask soak` runs it for as long as one likes.

use std::process::Command;

#[test]
fn four_threads_lose_nothing() {
    let soak = Command::new(env!("CARGO_BIN_EXE_soak")).args(["--seconds", "3", "--threads", "4"]).output().unwrap();
    let printed = String::from_utf8_lossy(&soak.stdout) + String::from_utf8_lossy(&soak.stderr);
    assert!(soak.status.success(), "{printed}");
    assert!(printed.contains("nothing lost, 0 fallback bytes"), "{printed}");
}

#[test]
fn a_lost_slot_is_noticed() {
    let mut soak = Command::new(env!("CARGO_BIN_EXE_soak"));
    let soak = soak.args(["--seconds", "3", "--threads", "2"]).env("TIERPOOL_PLANT", "slot").output().unwrap();
    let printed = String::from_utf8_lossy(&soak.stderr);
    assert!(!soak.status.success() && printed.contains("slots, the pool says"), "{printed}");
}
