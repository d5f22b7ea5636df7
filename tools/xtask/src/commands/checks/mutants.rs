//! `cargo xtask mutants`
//!
//! First, that nothing is left out: every strong ordering has a mutation, and every relaxed access
//! its reason.
//!
//! Then, proof that the models can fail: all mutations are applied to a scratch copy of the
//! sources, which is compiled once and chooses among them at run time. Each must be noticed by one
//! of its models. One process for each mutation and model; an abort is noticed, a model that does
//! not end is not.

use crate::models::{Build, Models};
use crate::mutation::{self, Mutation};
use crate::parallel::in_parallel;
use crate::relaxed;
use crate::report::{self, Table};
use crate::{shell::Shell, step::Step};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("every ordering above Relaxed stands in src/protocol/", layers),
        Step::new("every strong ordering has a mutation", coverage),
        Step::new("every relaxed access has its reason", relaxed),
        Step::new("mutants", mutants),
    ]
}

const LIMIT_SECONDS: u32 = 60;

fn layers(_: &Shell) -> Result<()> {
    let outside = mutation::outside_protocol(Shell::root())?;
    ensure!(
        outside.is_empty(),
        "orderings above Relaxed outside of src/protocol/; move the access there:\n{}",
        outside.join("\n")
    );
    Ok(())
}

fn coverage(_: &Shell) -> Result<()> {
    let mutations = mutation::read(Shell::root())?;
    let open = mutation::uncovered(Shell::root(), &mutations)?;
    ensure!(
        open.is_empty(),
        "accesses that no mutation weakens; add one to {}:\n{}",
        mutation::TABLE,
        open.join("\n")
    );
    Ok(())
}

fn relaxed(shell: &Shell) -> Result<()> {
    let rows = relaxed::read(Shell::root())?;
    let wrong = relaxed::unnamed(Shell::root(), &rows)?;
    ensure!(
        wrong.is_empty(),
        "relaxed accesses without a reason, or the other way round; see {}:\n{}",
        relaxed::TABLE,
        wrong.join("\n")
    );
    let missing = mutation::missing_models(Shell::root(), rows.iter().flat_map(|row| &row.models))?;
    ensure!(missing.is_empty(), "models that are named, but not there:\n{}", missing.join("\n"));
    let mut table = Table::new(&["file", "in", "access", "enough, because", "explored by"], 5);
    for row in &rows {
        let function = row.within.trim_start_matches("fn ").trim_end_matches('(');
        let access = format!("`{}`", row.access);
        let models = if row.models.is_empty() { "none".into() } else { row.models.join(", ") };
        table.row([row.file.trim_start_matches("src/"), function, &access, &row.because, &models]);
    }
    shell.note(format!("{} kinds of access", rows.len()));
    shell.report("relaxed accesses", &table.plain());
    report::keep(shell, "relaxed", &table.markdown())
}

fn mutants(shell: &Shell) -> Result<()> {
    let mutations = mutation::read(Shell::root())?;
    let missing = mutation::missing_models(
        Shell::root(),
        mutations.iter().flat_map(|mutation| &mutation.killers),
    )?;
    ensure!(missing.is_empty(), "killers that are not there:\n{}", missing.join("\n"));
    let numbered: Vec<_> = (1..).zip(&mutations).collect();

    let scratch = Shell::scratch("mutants");
    let tree = scratch.join("tree");
    copy_tracked(shell, &tree, |file, text| mutate(&numbered, file, text))?;
    // Cargo would take what is built from the copy for what is built from the sources, in a folder
    // that both use.
    let models = Models::build(shell, &Build::LOOM, &tree, &scratch.join("target"))?;
    let first = &mutations[0].killers[0];
    ensure!(
        models.run(first, LIMIT_SECONDS)?.ok(),
        "{first} notices something where no mutation is chosen"
    );

    let results = in_parallel(
        shell,
        &numbered,
        |&(number, mutation)| kill(&models, number, mutation),
        |(_, mutation), result| {
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
    for (mutation, result) in mutations.iter().zip(results) {
        let killer = result.with_context(|| mutation.name.clone())?;
        table.row([&mutation.name, killer.unwrap_or("nothing")]);
        if killer.is_none() {
            survivors.push(mutation.name.as_str());
        }
    }
    shell.note(format!("{} mutations", mutations.len()));
    shell.report("mutations", &format!("{}survivors: {}\n", table.plain(), survivors.len()));
    report::keep(shell, "mutants", &table.markdown())?;
    ensure!(
        survivors.is_empty(),
        "survivors, so a model is missing or the code is stronger than needed:\n{}",
        survivors.join("\n")
    );
    Ok(())
}

/// The first of its models that notices the mutation.
fn kill<'m>(models: &Models, number: usize, mutation: &'m Mutation) -> Result<Option<&'m str>> {
    for model in &mutation.killers {
        if models.run_mutant(number, model, LIMIT_SECONDS)?.noticed() {
            return Ok(Some(model));
        }
    }
    Ok(None)
}

/// A file with all its mutations.
fn mutate(numbered: &[(usize, &Mutation)], file: &str, text: Vec<u8>) -> Result<Vec<u8>> {
    let of_file = numbered.iter().copied().filter(|(_, mutation)| mutation.file == file);
    if !file.starts_with("src/") {
        return Ok(text);
    }
    let mutated = mutation::apply_all(&String::from_utf8(text)?, of_file)?;
    Ok(if file == "src/lib.rs" { mutated + &mutation::switch() } else { mutated }.into())
}

/// Copies what git knows of, and what it does not ignore, changed by `change`. Files that are there
/// already keep their times, so that nothing is compiled again for them.
pub fn copy_tracked(
    shell: &Shell,
    to: &Path,
    change: impl Fn(&str, Vec<u8>) -> Result<Vec<u8>>,
) -> Result<()> {
    let listed = shell
        .run(shell.command("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]))?
        .stdout;
    for file in listed.lines() {
        let (from, to) = (Shell::root().join(file), to.join(file));
        let Ok(text) = fs::read(&from) else { continue };
        let new = change(file, text)?;
        if fs::read(&to).is_ok_and(|old| old == new) {
            continue;
        }
        fs::create_dir_all(to.parent().context("a file has a folder")?)?;
        fs::write(&to, new)?;
        fs::set_permissions(&to, fs::metadata(&from)?.permissions())?; // one of the files is a program
    }
    // A module that has moved since the last copy would be there twice.
    for file in mutation::sources(to, "src")? {
        if !Shell::root().join(&file).exists() {
            fs::remove_file(to.join(file))?;
        }
    }
    Ok(())
}
