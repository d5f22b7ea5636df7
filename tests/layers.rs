//! The layers of `src/` are what `DESIGN.md` draws: no module imports one above it, and none
//! imports itself by way of others.
#![allow(dead_code)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A module's path below the crate, such as `pool/tier`, and the modules that it names.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// The module of a file: `pool/mod.rs` is `pool`.
fn module(path: &Path) -> String {
    let inner = path.strip_prefix(Path::new(ROOT).join("src")).unwrap().with_extension("");
    let name = inner.to_str().unwrap().replace('\\', "/");
    name.strip_suffix("/mod").map_or(name.clone(), str::to_owned)
}

/// The code of a source: without comments, and without what is for tests or models alone.
fn code(source: &str) -> String {
    let without_tests = source
        .split("\n#[cfg(test)]\nmod ")
        .next()
        .unwrap()
        .split("\n#[cfg(all(test,")
        .next()
        .unwrap();
    let lines = without_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// All paths behind `crate::` in some code, with the groups of `use` written out.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    // `$crate::` in a macro is a name for the user's crate.
    for rest in code.replace("$crate::", "").split("crate::").skip(1) {
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
            .unwrap_or(rest.len());
        let (path, group) = (rest[..end].trim_end_matches(':'), &rest[end..]);
        match group.strip_prefix('{').filter(|_| rest[..end].ends_with("::")) {
            Some(group) => {
                let members = group.split('}').next().unwrap().split(',');
                found.extend(members.map(|member| format!("{path}::{}", member.trim())));
            }
            None => found.push(path.to_owned()),
        }
    }
    found
}

/// Which module imports which.
fn imports() -> Graph {
    let sources = common::sources();
    let modules: BTreeSet<String> = sources.iter().map(|path| module(path)).collect();
    let mut graph = Graph::new();
    for path in sources.iter().filter(|path| !path.ends_with("src/lib.rs")) {
        let (this, code) = (module(path), code(&fs::read_to_string(path).unwrap()));
        assert!(!code.contains("use super::"), "{this}: name the module from the crate on");
        let mut named = BTreeSet::new();
        for path in paths(&code) {
            let parts: Vec<_> = path.split("::").collect();
            // The longest beginning that is a module.
            let module = (1..=parts.len())
                .rev()
                .map(|n| parts[..n].join("/"))
                .find(|path| modules.contains(path));
            match module {
                Some(module) if module != this => drop(named.insert(module)),
                Some(_) => {}
                None => assert!(
                    this == "guide/moving_from_bytes",
                    "{this}: `crate::{path}` is no module: name the module that it is in"
                ),
            }
        }
        graph.insert(this, named);
    }
    graph
}

/// The modules that reach themselves.
fn circles(graph: &Graph) -> Vec<BTreeSet<String>> {
    let reach = |from: &String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = next.pop() {
            for import in graph.get(&module).into_iter().flatten() {
                if seen.insert(import.clone()) {
                    next.push(import.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<_, _> =
        graph.keys().map(|module| (module.clone(), reach(module))).collect();
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for (module, others) in reached.iter().filter(|(module, others)| others.contains(*module)) {
        let circle = others
            .iter()
            .filter(|other| reached.get(*other).is_some_and(|back| back.contains(module)))
            .cloned()
            .collect();
        if !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

/// The layer of a module: its folder, or its file.
fn layer(module: &str) -> &str {
    module.split('/').next().unwrap()
}

/// The rows of the table of layers in `DESIGN.md`, from the top: a layer, and the layers that it
/// imports.
fn drawn() -> Vec<(String, BTreeSet<String>)> {
    let design = fs::read_to_string(format!("{ROOT}/DESIGN.md")).unwrap();
    let (_, section) =
        design.split_once("\n## Layers\n").expect("DESIGN.md has a section `Layers`");
    let rows =
        section.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split(" | ").collect();
        let names = |cell: &str| {
            cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>()
        };
        (cells[0].trim_end_matches('`').to_owned(), names(cells[2]))
    })
    .collect()
}

#[test]
fn only_pool_and_tier_import_each_other() {
    let circle: BTreeSet<_> = ["pool", "pool/tier"].map(str::to_owned).into();
    // `config`, `request`, `upkeep`, ... are methods of the pool; the pool itself names none of
    // them.
    assert_eq!(circles(&imports()), [circle]);
}

#[test]
fn a_circle_is_found() {
    let graph = |edges: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        graph
    };
    assert_eq!(circles(&graph(&[("a", "b"), ("b", "c"), ("a", "c")])), [] as [BTreeSet<String>; 0]);
    let found = circles(&graph(&[("a", "b"), ("b", "c"), ("c", "b")]));
    assert_eq!(found, [["b", "c"].map(str::to_owned).into()]);
}

#[test]
fn layers_are_as_the_design_draws_them() {
    let mut actual: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, named) in imports() {
        let imports =
            named.iter().map(|name| layer(name).to_owned()).filter(|other| other != layer(&module));
        actual.entry(layer(&module).to_owned()).or_default().extend(imports);
    }
    let drawn = drawn();
    let table: BTreeMap<_, _> = drawn.iter().cloned().collect();
    assert_eq!(table, actual, "left: the table `Layers` of DESIGN.md; right: the imports");
    let place = |name: &String| drawn.iter().position(|(layer, _)| layer == name);
    for (layer, imports) in &drawn {
        for import in imports {
            assert!(
                place(layer) < place(import),
                "`{layer}` stands above `{import}`, which it imports"
            );
        }
    }
}
