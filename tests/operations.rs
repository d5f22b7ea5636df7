//! The soak and the faults do every operation that there is: what the sources have and their steps do not call is named
//! here, with the reason.

use std::collections::BTreeSet;
use std::fs;

/// For models alone.
const OF_MODELS: &[&str] = &["begin_before_flip", "served"];

/// Where the operations on pools, caches and handles are.
const SOURCES: [&str; 12] = [
    "buf/alloc",
    "buf/bytes",
    "buf/bytes_mut",
    "buf/copy_on_write",
    "buf/grow",
    "buf/headroom",
    "cache/mod",
    "object_pool",
    "pool/mod",
    "pool/upkeep",
    "raw",
    "wait",
];

/// No memory of a pool is behind them.
const NO_BUFFER: &[&str] = &["from_static"];
/// A reading of counters, of a feature of its own.
const READINGS: &[&str] = &["histogram"];
/// A buffer's own bytes, as a slice; they are filled and checked as that.
const AS_SLICES: &[&str] = &["as_mut_ptr"];

fn read(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The public methods of the sources above.
fn methods() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in SOURCES {
        for line in read(&format!("src/{file}.rs")).lines() {
            let starts = ["    pub fn ", "    pub const fn ", "    pub async fn ", "    pub unsafe fn ", "    pub const unsafe fn "];
            if let Some(signature) = starts.iter().find_map(|start| line.strip_prefix(start)) {
                found.insert(signature.split(['(', '<']).next().unwrap().to_owned());
            }
        }
    }
    found
}

/// All sources of a package.
fn package(name: &str) -> String {
    let folder = fs::read_dir(format!("{}/{name}/src", env!("CARGO_MANIFEST_DIR"))).unwrap();
    folder.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

/// The methods that a package does not call, but for those that are excused.
fn not_called(name: &str, excused: &[&[&str]]) -> Vec<String> {
    let (text, methods) = (package(name), methods());
    assert!(methods.len() > 50, "{} methods", methods.len());
    for excuse in excused.iter().copied().flatten() {
        assert!(methods.contains(*excuse), "there is no `{excuse}`");
    }
    let called = |method: &str| {
        let uses = [format!(".{method}("), format!("::{method}("), format!("::{method})"), format!("::{method},"), format!("::{method}::")];
        uses.iter().any(|used| text.contains(used))
    };
    methods.into_iter().filter(|method| !called(method) && !excused.concat().contains(&method.as_str())).collect()
}

#[test]
fn the_soak_does_every_operation() {
    assert_eq!(not_called("verify/soak", &[NO_BUFFER, AS_SLICES, READINGS, OF_MODELS]), [""; 0]);
}

#[test]
fn the_faults_do_every_operation() {
    assert_eq!(not_called("verify/faults", &[NO_BUFFER, READINGS, OF_MODELS]), [""; 0]);
}
