//! Steps: the smallest checks that pass, fail or are skipped on their own.

use crate::shell::Shell;
use crate::tools::Missing;
use anyhow::Result;
use std::process::ExitCode;
use std::time::Instant;

/// One check. It passes when `run` returns `Ok`; it is skipped when that fails with [`Missing`], in
/// CI only if that may be.
pub struct Step {
    name: String,
    run: Box<Run>,
}

type Run = dyn Fn(&Shell) -> Result<()>;

impl Step {
    /// A command's options go into `run` with what it captures.
    pub fn new(name: impl Into<String>, run: impl Fn(&Shell) -> Result<()> + 'static) -> Step {
        Step { name: name.into(), run: Box::new(run) }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Outcome::Passed => "ok",
            Outcome::Failed => "FAILED",
            Outcome::Skipped => "skipped",
        }
    }
}

/// A line of the closing table.
struct Row {
    name: String,
    outcome: Outcome,
    seconds: f64,
    note: String,
}

/// Runs all steps, whatever becomes of those before, prints a line for each as it goes, then the
/// table and the count. The exit code is 1 when a step failed.
pub fn run(shell: &Shell, steps: &[Step]) -> ExitCode {
    let mut rows = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        shell.begin(format!("[{:>2}/{}] {}", index + 1, steps.len(), step.name));
        let row = run_one(shell, step);
        shell.end(&format!("{}  {:.1} s", row.outcome.name(), row.seconds));
        if row.outcome == Outcome::Failed {
            println!("{}{}\n", shell.take_log(), row.note);
        }
        rows.push(row);
    }
    print!("{}", shell.take_reports());
    print_table(&rows);
    let count = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
    let failed = count(Outcome::Failed);
    print!("\n{} passed, {failed} failed", count(Outcome::Passed));
    match count(Outcome::Skipped) {
        0 => println!(),
        skipped => println!(", {skipped} skipped"),
    }
    ExitCode::from(u8::from(failed > 0))
}

fn run_one(shell: &Shell, step: &Step) -> Row {
    let start = Instant::now();
    let (outcome, note) = match (step.run)(shell) {
        Ok(()) => (Outcome::Passed, shell.take_note()),
        Err(error)
            if error
                .downcast_ref()
                .is_some_and(|missing: &Missing| missing.may_be || !shell.ci) =>
        {
            (Outcome::Skipped, error.to_string())
        }
        Err(error) => (Outcome::Failed, format!("{error:#}")),
    };
    Row { name: step.name.clone(), outcome, seconds: start.elapsed().as_secs_f64(), note }
}

fn print_table(rows: &[Row]) {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    println!("\n{:<width$}  {:<7}  {:>7}", "step", "result", "seconds");
    for Row { name, outcome, seconds, note } in rows {
        let line = format!("{name:<width$}  {:<7}  {seconds:>7.1}  {note}", outcome.name());
        println!("{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::Tool;

    const LACKING: Tool = Tool { name: "a tool", probe: &["no-such-program"], bring: &["true"] };

    #[test]
    fn a_step_passes_fails_or_is_skipped() {
        let mut shell = Shell::new(false, false);
        shell.ci = false;
        let outcome = |shell: &Shell, run: fn(&Shell) -> Result<()>| {
            run_one(shell, &Step::new("a step", run)).outcome
        };
        assert!(outcome(&shell, |_| Ok(())) == Outcome::Passed);
        assert!(outcome(&shell, |_| anyhow::bail!("no")) == Outcome::Failed);
        assert!(outcome(&shell, |shell| shell.need(&LACKING)) == Outcome::Skipped);
        shell.ci = true;
        assert!(outcome(&shell, |shell| shell.need(&LACKING)) == Outcome::Failed);
        assert!(outcome(&shell, |shell| shell.may_need(&LACKING)) == Outcome::Skipped);
    }
}
