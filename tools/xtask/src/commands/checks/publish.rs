//! `cargo xtask publish`

use super::dependencies;
use crate::{shell::Shell, step::Step};
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("licences and versions of dependencies", dependencies::check),
        Step::new("links of the package", links),
        Step::new("cargo publish --dry-run", |shell| dry_run(shell, &["tierpool"], &[])),
        // Their packages hold the whole of their folders, so building them once more, with all that
        // the command is made of, would tell nothing new and take a minute.
        Step::new("packing the command and its parts", |shell| {
            dry_run(
                shell,
                &["tierpool-charts", "tierpool-traces", "tierpool-cli"],
                &["--no-verify"],
            )
        }),
    ]
}

/// A reader of the published package can follow each link from one of its documents to another
/// file: that file is in the package, too.
fn links(shell: &Shell) -> Result<()> {
    let list = shell.run(&mut shell.cargo([
        "package",
        "--list",
        "--allow-dirty",
        "--package",
        "tierpool",
    ]))?;
    let files: BTreeSet<PathBuf> = list.stdout.lines().map(PathBuf::from).collect();
    let (mut followed, mut dead) = (0, String::new());
    for file in files.iter().filter(|file| file.extension().is_some_and(|it| it == "md")) {
        for link in targets(&fs::read_to_string(Shell::root().join(file))?) {
            followed += 1;
            let target = resolved(file, &link);
            if !files.contains(&target) {
                dead += &format!("\n{}: {link}", file.display());
            }
        }
    }
    ensure!(
        dead.is_empty(),
        "links to what is not in the package (`include` in Cargo.toml):{dead}"
    );
    ensure!(followed > 0, "no link was found");
    shell.note(format!("{followed} links to other files"));
    Ok(())
}

/// What the links of a document lead to, but for addresses, for items of the library, and for
/// sections of the document itself.
fn targets(text: &str) -> Vec<String> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '\n']).next());
    let files = links.filter_map(|link| link.split('#').next());
    files
        .filter(|file| !file.is_empty() && !file.contains(':') && file.contains(['.', '/']))
        .map(str::to_owned)
        .collect()
}

/// A path beside `file`, without `..`.
fn resolved(file: &Path, link: &str) -> PathBuf {
    let mut path = file.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}

/// Packs the crates as crates.io would get them, and builds what was packed, unless told otherwise.
fn dry_run(shell: &Shell, packages: &[&str], options: &[&str]) -> Result<()> {
    // Also from a tree with changes: they are what is to be checked.
    let mut cargo = shell.cargo(["publish", "--dry-run", "--allow-dirty"]);
    cargo.args(packages.iter().flat_map(|package| ["--package", package])).args(options);
    shell.run(&mut cargo)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files() {
        let text = "[a](b/c.md#d) [e](#f) [g](https://h.i) [j](crate::k::L) ![m](../n.svg) [o](p)";
        assert_eq!(targets(text), ["b/c.md", "../n.svg"]);
        assert_eq!(resolved(Path::new("docs/a.md"), "../n.svg"), Path::new("n.svg"));
        assert_eq!(resolved(Path::new("README.md"), "./docs/b.md"), Path::new("docs/b.md"));
    }
}
