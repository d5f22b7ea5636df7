//! The table of `docs/misuse.md` names tests that exist, and the files that it is about have no
//! test that it does not name. The bodies that `proof/` quotes stand so in the sources.

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

/// The names of the functions of a source under `#[test]`, in `proptest!` too; of a folder's files;
/// or of the models.
fn tests_in(path: &str) -> BTreeSet<String> {
    if let Ok(folder) = fs::read_dir(format!("{ROOT}/{path}")) {
        return folder
            .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
    }
    let source = read(path);
    let mark = if path.starts_with("loom-tests/") { "\n\n" } else { "#[test]\n" };
    let after_marks = source.split(mark).skip(1);
    let names = after_marks.filter_map(|rest| {
        rest.split_once("fn ")?.1.split_once('(').map(|(name, _)| name.to_owned())
    });
    names.collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Of each row of the table its first cell, and its tests: a file or a folder, then names in it.
fn rows(document: &str) -> Vec<(&str, Vec<(&str, &str)>)> {
    let mut rows = Vec::new();
    for line in document.lines().filter_map(|line| line.strip_prefix("| ")) {
        let cells: Vec<_> = line.trim_end_matches('|').split(" | ").collect();
        let [situation, _outcome, _documented, tests] = cells[..] else {
            panic!("not four cells: {line}")
        };
        let (mut file, mut named) = ("", Vec::new());
        for word in quoted(tests) {
            if word.contains('/') { file = word } else { named.push((file, word)) }
        }
        rows.push((situation, named));
    }
    rows.split_off(1) // behind the headings
}

#[test]
fn the_table_of_misuse_names_all_tests() {
    let document = read("docs/misuse.md");
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

/// All Rust files below a folder.
fn rust_files(folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(format!("{ROOT}/{folder}")).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            files.extend(rust_files(&path));
        } else if path.ends_with(".rs") {
            files.push(path);
        }
    }
    files
}

/// The code of some lines, without spaces and without the comma behind a last argument: lines may
/// be broken anywhere.
fn code<'t>(lines: impl IntoIterator<Item = &'t str>) -> String {
    let lines = lines
        .into_iter()
        .map(str::trim)
        .filter(|line| !line.starts_with("//") && !line.starts_with("#["));
    lines.collect::<String>().replace(' ', "").replace(",)", ")")
}

/// The functions that a file of `proof/` quotes: blocks of lines `number | code` behind `(* Rust:`.
fn quotes(proof: &str) -> Vec<Vec<&str>> {
    let blocks = proof.split("(* Rust:\n").skip(1).map(|rest| rest.split("*)\n").next().unwrap());
    blocks
        .map(|block| {
            block.lines().filter_map(|line| Some(line.split_once("| ")?.1.trim())).collect()
        })
        .collect()
}

/// Whether the function stands so somewhere in the sources: by content, so that files may move.
fn stands(quote: &[&str], sources: &[String]) -> bool {
    let quote = code(quote.iter().copied());
    sources.iter().any(|source| source.contains(&quote))
}

#[test]
fn the_proof_quotes_the_sources_as_they_are() {
    let sources: Vec<_> = rust_files("src").iter().map(|path| code(read(path).lines())).collect();
    let document = read("proof/README.md");
    let mut all = 0;
    for entry in fs::read_dir(format!("{ROOT}/proof")).unwrap() {
        let file = entry.unwrap().file_name().to_string_lossy().into_owned();
        if !file.ends_with(".v") {
            continue;
        }
        for quote in quotes(&read(&format!("proof/{file}"))) {
            let opened: usize = quote.iter().map(|line| line.matches('{').count()).sum();
            let closed: usize = quote.iter().map(|line| line.matches('}').count()).sum();
            assert!(opened > 0 && opened == closed, "proof/{file}: no whole function: {quote:#?}");
            let name = quote[0].split_once("fn ").unwrap().1.split(['(', '<']).next().unwrap();
            assert!(
                stands(&quote, &sources),
                "proof/{file} models `{name}` as it no longer stands in src/. Look whether the model still is right, mend it \
                 if not, then quote the new body:\n{}",
                quote.join("\n")
            );
            assert!(
                document.contains(&format!("`{name}`")),
                "`{name}` is not in the table of proof/README.md"
            );
            all += 1;
        }
    }
    assert!(all >= 25, "{all} quotes");
}

#[test]
fn a_changed_line_is_not_the_quoted_one() {
    let quote = quotes("  (* Rust:\n   | fn f() {\n 1 |     g(a | b);\n   | }\n  *)\n");
    assert_eq!(quote, [["fn f() {", "g(a | b);", "}"]]);
    assert!(stands(
        &quote[0],
        &[code("    fn f() {\n        // why\n        g(a | b);\n    }\n".lines())]
    ));
    assert!(!stands(&quote[0], &[code("    fn f() {\n        g(a);\n    }\n".lines())]));
}

/// The targets of the relative links of a document.
fn links(document: &str) -> Vec<&str> {
    let targets = document.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    targets.filter(|target| !target.contains("://") && !target.starts_with('#')).collect()
}

#[test]
fn links_of_the_documents_lead_to_files() {
    const DOCUMENTS: [&str; 11] = [
        "README.md",
        "CONTRIBUTING.md",
        "DESIGN.md",
        "bindings/c/README.md",
        "docs/benchmarks.md",
        "docs/checks.md",
        "docs/misuse.md",
        "docs/verification.md",
        "firmware/README.md",
        "firmware/esp/README.md",
        "proof/README.md",
    ];
    let mut linked = BTreeSet::new();
    for document in DOCUMENTS {
        let folder =
            document.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        for link in links(&read(document)) {
            let path = format!("{ROOT}/{folder}{}", link.split('#').next().unwrap());
            let file = fs::canonicalize(&path)
                .unwrap_or_else(|error| panic!("{document}: {link}: {error}"));
            linked.insert(file);
        }
    }
    for entry in fs::read_dir(format!("{ROOT}/docs/generated")).unwrap() {
        let path = entry.unwrap().path().canonicalize().unwrap();
        assert!(linked.contains(&path), "no document links {}", path.display());
    }
}

#[test]
fn a_link_is_what_follows_a_bracket() {
    assert_eq!(
        links("[a](b/c.md), ![d](e.svg), [f](https://g), [h](#i), [j](k.md#l)"),
        ["b/c.md", "e.svg", "k.md#l"]
    );
}
