//! The table of operations in `verify/testkit` has every public method of the library's types, and
//! every executor calls each operation, or is excused by name with a reason.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tierpool_testkit::operations::{
    EXECUTORS, Excuse, Executor, NO_OPERATIONS, OPERATIONS, is_excused,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The names in the table.
fn operations() -> BTreeSet<&'static str> {
    OPERATIONS.iter().flat_map(|(_, names)| *names).copied().collect()
}

/// The type that `impl` in a line is for, unless it is of a trait.
fn implemented(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl")?;
    if rest.contains(" for ") {
        return Some("");
    }
    let path = if rest.starts_with('<') { rest.split_once("> ")?.1 } else { rest.trim_start() };
    Some(path.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default())
}

/// The public methods of a source, each as type and name.
fn methods(source: &str) -> Vec<(&str, &str)> {
    const STARTS: [&str; 5] = [
        "    pub fn ",
        "    pub const fn ",
        "    pub async fn ",
        "    pub unsafe fn ",
        "    pub const unsafe fn ",
    ];
    let (mut of, mut found) = ("", Vec::new());
    for line in source.lines() {
        if let Some(name) = implemented(line) {
            of = name;
        }
        if let Some(signature) = STARTS.iter().find_map(|start| line.strip_prefix(start)) {
            found.push((of, signature.split(['(', '<']).next().unwrap()));
        }
    }
    found
}

#[test]
fn the_table_has_every_method() {
    let types: BTreeSet<&str> = OPERATIONS.iter().map(|(of, _)| *of).collect();
    let mut there = BTreeSet::new();
    for path in common::sources() {
        let source = fs::read_to_string(&path).unwrap();
        let found = methods(&source).into_iter().filter(|(of, _)| types.contains(of));
        there.extend(found.map(|(of, name)| (of.to_owned(), name.to_owned())));
    }
    assert!(there.len() > 70, "{} methods", there.len());
    for (of, name) in &there {
        let listed =
            OPERATIONS.iter().any(|(own, names)| own == of && names.contains(&name.as_str()));
        assert!(
            listed != is_excused(NO_OPERATIONS, name),
            "`{of}::{name}`: an operation, or none? Both or neither is said"
        );
    }
    for (of, name) in
        OPERATIONS.iter().flat_map(|(of, names)| names.iter().map(move |name| (of, name)))
    {
        assert!(there.contains(&(of.to_string(), name.to_string())), "there is no `{of}::{name}`");
    }
    for name in NO_OPERATIONS.iter().flat_map(|(names, _)| *names) {
        assert!(there.iter().any(|(_, own)| own == name), "there is no `{name}`");
    }
}

/// The code of a file, or of all files below a folder, without comments.
fn code(path: &Path) -> String {
    if path.is_dir() {
        return fs::read_dir(path).unwrap().map(|entry| code(&entry.unwrap().path())).collect();
    }
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| line.to_owned() + "\n")
        .collect()
}

/// Whether some code calls a method, or passes it on: by its name, so that `push` of a `Vec` passes
/// for that of a buffer.
fn calls(code: &str, method: &str) -> bool {
    [".M(", "::M(", "::M)", "::M,", "::M::"]
        .iter()
        .any(|used| code.contains(&used.replace('M', method)))
}

/// What is wrong with an executor's excuses.
fn faults(code: &str, excused: &[Excuse]) -> Vec<String> {
    let mut faults = Vec::new();
    for method in operations() {
        match (calls(code, method), is_excused(excused, method)) {
            (false, false) => faults.push(format!("`{method}` is neither called nor excused")),
            (true, true) => faults.push(format!("`{method}` is excused, but called")),
            _ => {}
        }
    }
    for method in excused
        .iter()
        .flat_map(|(methods, _)| *methods)
        .filter(|method| !operations().contains(**method))
    {
        faults.push(format!("`{method}` is excused, but no operation"));
    }
    faults
}

#[test]
fn executors_do_every_operation() {
    for Executor { name, sources, excused } in EXECUTORS {
        let code: String = sources.iter().map(|path| code(&Path::new(ROOT).join(path))).collect();
        assert_eq!(faults(&code, excused), [""; 0], "{name}");
        assert!(
            excused.iter().all(|(_, reason)| !reason.is_empty()),
            "{name}: an excuse without a reason"
        );
    }
}

#[test]
fn what_is_left_out_is_noticed() {
    let all: String = operations().iter().map(|method| format!("x.{method}();\n")).collect();
    assert_eq!(faults(&all, &[]), [""; 0]);
    let but_one = all.replace(".reclaim(", ".other(");
    assert_eq!(faults(&but_one, &[]), ["`reclaim` is neither called nor excused"]);
    assert_eq!(faults(&but_one, &[(&["reclaim"], "why")]), [""; 0]);
    assert_eq!(faults(&all, &[(&["reclaim"], "why")]), ["`reclaim` is excused, but called"]);
    assert_eq!(faults(&all, &[(&["recalim"], "why")]), ["`recalim` is excused, but no operation"]);
}

#[test]
fn methods_are_found_with_their_types() {
    let source = "impl<const N: usize> PoolCache<N> {\n    pub fn a(&self) {}\n    fn b() {}\n}\n\nimpl Drop for Pool {\n    pub fn c() {}\n}\n";
    assert_eq!(methods(source), [("PoolCache", "a"), ("", "c")]);
}
