//! What we depend on: licences, and crates that come twice.
//!
//! | packages | licences | one name in two versions |
//! |---|---|---|
//! | that a published crate brings to its users | those of `TO_USERS` | only what `TWICE` names, with a reason |
//! | that checks, tests and tools use besides | and those of `HERE` | may be |
//!
//! Known vulnerabilities are not looked for: their database comes from no package registry.

use crate::shell::Shell;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use spdx::{Expression, ParseMode};
use std::collections::{BTreeMap, BTreeSet};

/// Licences that ask a user for no more than a notice.
const TO_USERS: [&str; 6] = ["MIT", "Apache-2.0", "0BSD", "Zlib", "Unicode-3.0", "BlueOak-1.0.0"];
/// Licences of tools: what they make is not under them.
const HERE: [&str; 1] = ["MPL-2.0"];

/// Crates in two versions, and who needs both. What a system brings (`windows-sys` and its kind) is
/// not ours to choose.
const TWICE: [(&str, &str); 5] = [
    ("syn", "derives of the command `tierpool`: clap has 2, ratatui 3"),
    ("thiserror", "ratatui's backend has 1"),
    ("thiserror-impl", "as thiserror"),
    ("embedded-hal", "trouble-host's UART and BLE controllers have 0.2 and 1.0"),
    ("nb", "as embedded-hal"),
];

/// Of all that the workspace's lock file names.
pub fn check(shell: &Shell) -> Result<()> {
    let printed =
        shell.run(&mut shell.cargo(["metadata", "--format-version", "1", "--locked"]))?.stdout;
    let metadata: Value = serde_json::from_str(&printed).context("cargo metadata")?;
    let graph = Graph::read(&metadata)?;
    let mut to_users = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for published in &graph.published {
        let brought = graph.brought_by(published);
        twice.extend(graph.in_two_versions(&brought));
        to_users.extend(brought);
    }
    for (id, package) in &graph.packages {
        let allowed = |name: &str| {
            TO_USERS.contains(&name) || !to_users.contains(id.as_str()) && HERE.contains(&name)
        };
        let Package { name, licence, .. } = package;
        ensure!(
            allows(licence, allowed).with_context(|| format!("the licence of {name}"))?,
            "{name} is under `{licence}`, which dependencies.rs does not list: is it one that users can live with?"
        );
    }
    let known: BTreeSet<&str> = TWICE.iter().map(|(name, _)| *name).collect();
    ensure!(
        twice == known,
        "in two versions are {twice:?}, known in dependencies.rs are {known:?}: `cargo tree --duplicates` says who needs which"
    );
    shell.note(format!("{} packages, {} of them for users", graph.packages.len(), to_users.len()));
    Ok(())
}

struct Package {
    name: String,
    version: String,
    licence: String,
}

/// All packages of others, and which needs which.
struct Graph {
    packages: BTreeMap<String, Package>,
    /// The packages that one needs in a program, and not to be built or tested.
    needs: BTreeMap<String, Vec<String>>,
    /// Our packages that are published.
    published: Vec<String>,
}

impl Graph {
    fn read(metadata: &Value) -> Result<Graph> {
        let mut graph =
            Graph { packages: BTreeMap::new(), needs: BTreeMap::new(), published: Vec::new() };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for package in metadata["packages"].as_array().context("no packages")? {
            let id = text(&package["id"]);
            if package["source"].is_null() {
                if package["publish"].is_null() {
                    graph.published.push(id);
                }
                continue;
            }
            let (name, version) = (text(&package["name"]), text(&package["version"]));
            graph
                .packages
                .insert(id, Package { name, version, licence: text(&package["license"]) });
        }
        for node in metadata["resolve"]["nodes"].as_array().context("no graph")? {
            let needed = node["deps"].as_array().into_iter().flatten().filter(|needed| {
                let mut kinds = needed["dep_kinds"].as_array().into_iter().flatten();
                kinds.any(|kind| kind["kind"].is_null())
            });
            graph.needs.insert(text(&node["id"]), needed.map(|it| text(&it["pkg"])).collect());
        }
        if graph.published.is_empty() {
            bail!("no package is published");
        }
        Ok(graph)
    }

    /// All packages of others that a user of this one has in the program.
    fn brought_by(&self, package: &str) -> BTreeSet<&str> {
        let mut open = vec![package];
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            for needed in self.needs.get(id).into_iter().flatten() {
                if seen.insert(needed.as_str()) {
                    open.push(needed);
                }
            }
        }
        seen.retain(|id| self.packages.contains_key(*id));
        seen
    }

    /// Names among them that stand for two versions.
    fn in_two_versions<'a>(&'a self, ids: &BTreeSet<&str>) -> BTreeSet<&'a str> {
        let mut versions = BTreeMap::<&str, BTreeSet<&str>>::new();
        for Package { name, version, .. } in ids.iter().filter_map(|id| self.packages.get(*id)) {
            versions.entry(name).or_default().insert(version);
        }
        versions.retain(|name, versions| versions.len() > 1 && !name.starts_with("windows"));
        versions.into_keys().collect()
    }
}

/// True if the licence lets us choose one that is allowed. `/` is an old way to write `OR`.
fn allows(licence: &str, allowed: impl Fn(&str) -> bool) -> Result<bool> {
    let expression = Expression::parse_mode(licence, ParseMode::LAX)?;
    Ok(expression.evaluate(|wanted| wanted.license.id().is_some_and(|id| allowed(id.name))))
}

#[cfg(test)]
mod tests {
    use super::allows;

    #[test]
    fn licences_by_their_expressions() {
        let mit = |name: &str| name == "MIT";
        for fine in ["MIT", "MIT OR Apache-2.0", "Apache-2.0/MIT", "MIT or Apache-2.0"] {
            assert!(allows(fine, mit).unwrap(), "{fine}");
        }
        for not in ["Apache-2.0", "MIT AND Unicode-3.0", "GPL-3.0-only"] {
            assert!(!allows(not, mit).unwrap(), "{not}");
        }
        assert!(allows("", mit).is_err());
    }
}
