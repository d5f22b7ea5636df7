//! A short soak among the tests: four threads, all operations, all options. `cargo xtask soak` runs
//! it for as long as one likes.

use std::fs;
use std::process::Command;

#[test]
fn four_threads_lose_nothing() {
    let soak = Command::new(env!("CARGO_BIN_EXE_soak"))
        .args(["--seconds", "3", "--threads", "4"])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&soak.stdout) + String::from_utf8_lossy(&soak.stderr);
    assert!(soak.status.success(), "{printed}");
    assert!(printed.contains("nothing lost, 0 fallback bytes"), "{printed}");
}

#[test]
fn a_lost_slot_is_noticed() {
    let mut soak = Command::new(env!("CARGO_BIN_EXE_soak"));
    let soak = soak
        .args(["--seconds", "3", "--threads", "2"])
        .env("TIERPOOL_PLANT", "slot")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&soak.stderr);
    assert!(!soak.status.success() && printed.contains("slots, the pool says"), "{printed}");
}

/// The modules, in the order of the table in `lib.rs`.
fn modules(lib: &str) -> Vec<&str> {
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | "));
    rows.filter_map(|row| row.trim_start_matches('[').strip_prefix('`')?.split('`').next())
        .collect()
}

#[test]
fn modules_import_those_above_them() {
    let source =
        |name: &str| fs::read_to_string(format!("{}/src/{name}.rs", env!("CARGO_MANIFEST_DIR")));
    let lib = source("lib").unwrap();
    let modules = modules(&lib);
    assert!(modules.len() > 8 && modules.contains(&"steps"), "{modules:?}");
    for (number, module) in modules.iter().enumerate() {
        let folder = fs::read_dir(format!("{}/src/{module}", env!("CARGO_MANIFEST_DIR")))
            .into_iter()
            .flatten();
        let parts: String =
            folder.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
        let text = source(module).unwrap_or_default() + &parts;
        for path in text.split("use crate::").skip(1) {
            let imported = path.split([':', ';', ' ']).next().unwrap();
            assert!(
                modules[..number].contains(&imported),
                "{module} imports {imported}, which is not above it"
            );
        }
    }
}
