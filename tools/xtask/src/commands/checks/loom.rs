//! `cargo xtask loom`
//!
//! Explores every model of `loom-tests`, with the 64-bit and with the 32-bit head, and keeps a
//! table of each in `docs/generated/`.

use crate::models::{Build, Explored, Model, Models};
use crate::parallel::in_parallel;
use crate::report::{self, Table};
use crate::{shell::Shell, step::Step};
use anyhow::{Result, ensure};

pub fn steps() -> Vec<Step> {
    [first(), rest()].into_iter().flatten().collect()
}

/// What `cargo xtask test` runs.
pub fn first() -> Vec<Step> {
    vec![Step::new("models, 64-bit head", wide)]
}

/// What `cargo xtask test` leaves to be run after it, because it takes minutes.
pub fn rest() -> Vec<Step> {
    vec![Step::new("models, 32-bit head", narrow), Step::new("shuttle schedules", shuttle)]
}

/// Longer than any model takes; one that is stopped here has failed.
const LIMIT_SECONDS: u32 = 240;

fn wide(shell: &Shell) -> Result<()> {
    explore(shell, &Build::LOOM, |_| true)
}

/// The models that say so; the others would only repeat what the 64-bit run has shown.
fn narrow(shell: &Shell) -> Result<()> {
    explore(shell, &Build::LOOM_NARROW_HEAD, |model| model.narrow)
}

fn explore(shell: &Shell, build: &Build, chosen: fn(&Model) -> bool) -> Result<()> {
    let models = Models::build(shell, build, Shell::root(), &Shell::scratch(build.name))?;
    let list: Vec<_> = models.list(shell)?.into_iter().filter(chosen).collect();
    let explored = in_parallel(
        shell,
        &list,
        |model| models.run(&model.name, LIMIT_SECONDS),
        |model, result| {
            format!(
                "{:<42} {}",
                model.name,
                result.as_ref().map_or_else(|error| format!("{error:#}"), Explored::to_string)
            )
        },
    );

    let mut table =
        Table::new(&["model", "threads", "bound", "expected", "interleavings", "seconds"], 1);
    let mut failures = Vec::new();
    let mut total = 0;
    for (model, result) in list.iter().zip(explored) {
        let result = result?;
        total += result.interleavings;
        if !result.ok() {
            failures.push(format!("{}: {}\n{}", model.name, result.verdict, result.trace));
        }
        let bound = model.bound.as_deref().unwrap_or("none");
        table.row([
            &model.name,
            &model.threads,
            bound,
            &model.expect,
            &result.interleavings.to_string(),
            &format!("{:.1}", result.seconds),
        ]);
    }
    shell.note(format!("{} models, {total} interleavings", list.len()));
    shell.report(&format!("models, {}", build.title), &table.plain());
    report::keep(shell, build.name, &table.markdown())?;
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// Random and PCT schedules of four threads, see `loom-tests/src/schedules.rs`.
fn shuttle(shell: &Shell) -> Result<()> {
    let models =
        Models::build(shell, &Build::SHUTTLE, Shell::root(), &Shell::scratch(Build::SHUTTLE.name))?;
    let printed = shell.run(&mut models.command())?.stdout;
    let mut table = Table::new(&["schedules", "number", "seconds"], 1);
    for line in printed.lines() {
        table.row(line.split('\t'));
    }
    shell.report("schedules of four threads", &table.plain());
    report::keep(shell, Build::SHUTTLE.name, &table.markdown())
}
