//! The table "Misuse and limits" of `docs/verification.md` names tests that exist, and the files that it is about have no
//! test that it does not name.

use std::collections::BTreeSet;
use std::fs;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Every test of these is an outcome that users may want to look up.
const WHOLE: [&str; 7] = [
    "tests/misuse.rs",
    "tests/panics.rs",
    "tests/fallback.rs",
    "tests/before_main.rs",
    "tests/out_of_memory.rs",
    "tests/secrets.rs",
    "tests/wipe.rs",
];

fn read(path: &str) -> String {
    fs::read_to_string(format!("{ROOT}/{path}")).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the functions of a source under `#[test]`, in `proptest!` too; of a folder's files; or of the models.
fn tests_in(path: &str) -> BTreeSet<String> {
    if let Ok(folder) = fs::read_dir(format!("{ROOT}/{path}")) {
        return folder.map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    }
    let source = read(path);
    let mark = if path.starts_with("loom-tests/") { "\n\n" } else { "#[test]\n" };
    let after_marks = source.split(mark).skip(1);
    let names = after_marks.filter_map(|rest| rest.split_once("fn ")?.1.split_once('(').map(|(name, _)| name.to_owned()));
    names.collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Of each row of the table its first cell, and its tests: a file or a folder, then names in it.
fn rows(document: &str) -> Vec<(&str, Vec<(&str, &str)>)> {
    let (_, section) = document.split_once("\n## Misuse and limits\n").expect("the section");
    let section = section.split("\n## ").next().unwrap();
    let mut rows = Vec::new();
    for line in section.lines().filter_map(|line| line.strip_prefix("| ")) {
        let cells: Vec<_> = line.trim_end_matches('|').split(" | ").collect();
        let [situation, _outcome, _documented, tests] = cells[..] else { panic!("not four cells: {line}") };
        let (mut file, mut named) = ("", Vec::new());
        for word in quoted(tests) {
            if word.contains('/') { file = word } else { named.push((file, word)) }
        }
        rows.push((situation, named));
    }
    rows.split_off(1) // behind the headings
}

#[test]
fn the_table_of_misuse_names_tests_that_exist_and_leaves_none_out() {
    let document = read("docs/verification.md");
    let rows = rows(&document);
    assert!(rows.len() >= 20, "{} rows", rows.len());
    let mut named = BTreeSet::new();
    for (situation, tests) in rows {
        assert!(!tests.is_empty(), "no test: {situation}");
        for (file, test) in tests {
            assert!(tests_in(file).contains(test), "{situation}: {file} has no test `{test}`");
            named.insert((file, test.to_owned()));
        }
    }
    for file in WHOLE {
        for test in tests_in(file) {
            assert!(named.contains(&(file, test.clone())), "{file}: `{test}` is not in the table");
        }
    }
}
