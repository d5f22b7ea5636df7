//! `cargo xtask mutants`
//!
//! First, that nothing is left out: every strong ordering has a mutation, and every relaxed access its reason.
//!
//! Then, proof that the models can fail: each mutation is applied to a scratch copy of the sources, compiled, and must be
//! noticed by one of its models. One process for each mutation and model; an abort is noticed, a compile error or a
//! model that does not end is not.

use crate::models::{Build, Models, in_parallel};
use crate::mutation::{self, MUTATIONS, Mutation};
use crate::relaxed::{self, RELAXED};
use crate::report::{self, Table};
use crate::{shell::Shell, step::Step};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

pub const STEPS: &[Step] = &[
    Step { name: "every ordering above Relaxed stands in src/protocol/", run: layers },
    Step { name: "every strong ordering has a mutation", run: coverage },
    Step { name: "every relaxed access has its reason", run: relaxed },
    Step { name: "mutants", run: mutants },
];

const LIMIT_SECONDS: u32 = 60;

fn layers(_: &Shell) -> Result<()> {
    let outside = mutation::outside_protocol(Shell::root())?;
    ensure!(outside.is_empty(), "orderings above Relaxed outside of src/protocol/; move the access there:\n{}", outside.join("\n"));
    Ok(())
}

fn coverage(_: &Shell) -> Result<()> {
    for mutation in MUTATIONS {
        mutation.apply(&fs::read_to_string(Shell::root().join(mutation.file))?)?;
    }
    let open = mutation::uncovered(Shell::root())?;
    ensure!(open.is_empty(), "accesses that no mutation weakens; add one to tools/xtask/src/mutation.rs:\n{}", open.join("\n"));
    Ok(())
}

fn relaxed(shell: &Shell) -> Result<()> {
    let wrong = relaxed::unnamed(Shell::root())?;
    ensure!(
        wrong.is_empty(),
        "relaxed accesses without a reason, or the other way round; see tools/xtask/src/relaxed.rs:\n{}",
        wrong.join("\n")
    );
    let missing = mutation::missing_models(Shell::root(), RELAXED.iter().flat_map(|row| row.models).copied())?;
    ensure!(missing.is_empty(), "models that are named, but not there:\n{}", missing.join("\n"));
    let mut table = Table::new(&["file", "in", "access", "enough, because", "explored by"], 5);
    for row in RELAXED {
        let function = row.within.trim_start_matches("fn ").trim_end_matches('(');
        let access = format!("`{}`", row.access);
        let models = if row.models.is_empty() { "none".into() } else { row.models.join(", ") };
        table.row([row.file.trim_start_matches("src/"), function, &access, row.because, &models]);
    }
    shell.note(format!("{} kinds of access", RELAXED.len()));
    shell.report("relaxed accesses", &table.plain());
    report::keep(shell, "relaxed", &table.markdown())
}

fn mutants(shell: &Shell) -> Result<()> {
    let trees = Trees::new(shell)?;
    let results = in_parallel(
        shell,
        MUTATIONS,
        |mutation| trees.with(|tree| kill(mutation, tree)),
        |mutation, result| {
            let end = match result {
                Ok(Some(model)) => format!("killed by {model}"),
                Ok(None) => "SURVIVED".into(),
                Err(error) => format!("{error:#}"),
            };
            format!("{:<58} {end}", mutation.name)
        },
    );

    let mut table = Table::new(&["mutation", "killed by"], 2);
    let mut survivors = Vec::new();
    for (mutation, result) in MUTATIONS.iter().zip(results) {
        let killer = result.with_context(|| mutation.name)?;
        table.row([mutation.name, killer.unwrap_or("nothing")]);
        if killer.is_none() {
            survivors.push(mutation.name);
        }
    }
    shell.note(format!("{} mutations", MUTATIONS.len()));
    shell.report("mutations", &format!("{}survivors: {}\n", table.plain(), survivors.len()));
    report::keep(shell, "mutants", &table.markdown())?;
    ensure!(survivors.is_empty(), "survivors, so a model is missing or the code is stronger than needed:\n{}", survivors.join("\n"));
    Ok(())
}

/// The first of its models that notices the mutation.
fn kill(mutation: &Mutation, tree: &Tree) -> Result<Option<&'static str>> {
    let file = tree.root.join(mutation.file);
    let right = fs::read_to_string(Shell::root().join(mutation.file))?;
    fs::write(&file, mutation.apply(&right)?)?;
    let compiled = tree.compile.lock().expect("no worker panics").output()?;
    fs::write(&file, right)?;
    if !compiled.status.success() {
        bail!("does not compile:\n{}", String::from_utf8_lossy(&compiled.stderr));
    }
    let models = Models::at(&tree.target);
    for model in mutation.killers {
        if models.run(model, LIMIT_SECONDS)?.noticed() {
            return Ok(Some(model));
        }
    }
    Ok(None)
}

/// A copy of the project, for one mutation at a time.
struct Tree {
    root: PathBuf,
    target: PathBuf,
    compile: Mutex<Command>,
}

/// As many trees as there are cores.
struct Trees(Mutex<Vec<Tree>>);

impl Trees {
    fn new(shell: &Shell) -> Result<Trees> {
        let mut trees = Vec::new();
        for n in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let scratch = Shell::scratch("mutants").join(n.to_string());
            let (root, target) = (scratch.join("tree"), scratch.join("target"));
            copy_tracked(shell, &root)?;
            let compile = Mutex::new(Models::compile(shell, &Build::LOOM, &root, &target));
            trees.push(Tree { root, target, compile });
        }
        Ok(Trees(Mutex::new(trees)))
    }

    fn with<R>(&self, work: impl FnOnce(&Tree) -> R) -> R {
        let tree = self.0.lock().expect("no worker panics").pop().expect("a tree for each worker");
        let result = work(&tree);
        self.0.lock().expect("no worker panics").push(tree);
        result
    }
}

/// Copies what git knows of, and what it does not ignore. Files that have not changed keep their times, so that
/// nothing is compiled again for them.
pub fn copy_tracked(shell: &Shell, to: &Path) -> Result<()> {
    let listed = shell.run(shell.command("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]))?.stdout;
    for file in listed.lines() {
        let (from, to) = (Shell::root().join(file), to.join(file));
        let Ok(new) = fs::read(&from) else { continue };
        if fs::read(&to).is_ok_and(|old| old == new) {
            continue;
        }
        fs::create_dir_all(to.parent().context("a file has a folder")?)?;
        fs::copy(&from, &to)?; // with its permissions: one of the files is a program
    }
    // A module that has moved since the last copy would be there twice.
    for file in mutation::sources(to, "src")? {
        if !Shell::root().join(&file).exists() {
            fs::remove_file(to.join(file))?;
        }
    }
    Ok(())
}
