//! Prints the tables of races and orderings. Fails if what must not happen is possible, or if no
//! race notices that an ordering is weaker.

use litmus::models::Model;
use litmus::{protocol, weaken};
use std::process::ExitCode;

fn main() -> ExitCode {
    let programs = protocol::all();
    let mut failures = 0;

    println!("| race | what must not happen | {} |", Model::ALL.map(Model::name).join(" | "));
    println!("|---|---|{}", "---|".repeat(Model::ALL.len()));
    for program in &programs {
        let verdicts = Model::ALL.map(|model| model.outcome_of(program));
        failures += verdicts.iter().filter(|possible| **possible).count();
        let verdicts = verdicts.map(|possible| if possible { "**possible**" } else { "no" });
        println!("| {} | {} | {} |", program.name, program.outcome, verdicts.join(" | "));
    }

    println!("\n| access | ordering | weakened to | then possible | in |\n|---|---|---|---|---|");
    for weakening in weaken::all(&programs) {
        let weaken::Weakening { name, from, to, noticed } = weakening;
        match noticed {
            Some((race, models)) => {
                let models: Vec<_> = models.into_iter().map(Model::name).collect();
                println!("| {name} | {from} | {to} | {race} | {} |", models.join(", "));
            }
            None => {
                failures += 1;
                println!("| {name} | {from} | {to} | **nothing** | |");
            }
        }
    }

    if failures == 0 {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "{failures} rows say what must not be: a race that is possible, or an ordering that nothing needs"
    );
    ExitCode::FAILURE
}
