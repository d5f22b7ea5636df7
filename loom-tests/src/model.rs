//! A model, and how one process explores it.
//!
//! ```text
//!   body ──► loom runs it once for every interleaving and every value an ordering allows ──► verdict
//!            exhaustively (bound: none), or with at most 3 preemptions
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What the exploration has to come to.
#[derive(Clone, Copy, PartialEq)]
pub enum Expect {
    /// No interleaving fails.
    Pass,
    /// Some interleaving fails: shows that the checks of the other models can.
    Fail,
}

/// One hazard.
pub struct Model {
    pub name: &'static str,
    pub threads: u32,
    pub bound: Option<usize>,
    pub expect: Expect,
    /// Explored with the head of a 32-bit target, too.
    pub narrow: bool,
    pub body: fn(),
}

/// Two threads, every interleaving.
pub const fn exhaustive(name: &'static str, body: fn()) -> Model {
    Model { name, threads: 2, bound: None, expect: Expect::Pass, narrow: false, body }
}

/// Three threads, every interleaving with at most three preemptions.
pub const fn bounded(name: &'static str, body: fn()) -> Model {
    Model { name, threads: 3, bound: Some(3), expect: Expect::Pass, narrow: false, body }
}

/// Two threads, and some interleaving fails.
pub const fn must_fail(name: &'static str, body: fn()) -> Model {
    Model { name, threads: 2, bound: None, expect: Expect::Fail, narrow: false, body }
}

impl Model {
    /// Its threads meet at the head of a list: they pop, push, arm or look. So its width matters,
    /// and the model is explored with the head of a 32-bit target, too.
    pub const fn narrow(self) -> Model {
        Model { narrow: true, ..self }
    }

    fn row(&self) -> String {
        let bound = self.bound.map_or("none".into(), |bound| bound.to_string());
        let expect = if self.expect == Expect::Pass { "pass" } else { "fail" };
        format!("{}\t{}\t{bound}\t{expect}\t{}", self.name, self.threads, self.narrow)
    }

    fn explore(&self, limit: Duration) -> ExitCode {
        static INTERLEAVINGS: AtomicUsize = AtomicUsize::new(0);
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = self.bound;
        builder.max_branches = 10_000;
        builder.max_duration = Some(limit);
        let body = self.body;
        let start = Instant::now();
        let explored = catch_unwind(AssertUnwindSafe(|| {
            builder.check(move || {
                INTERLEAVINGS.fetch_add(1, Relaxed);
                body();
            });
        }));
        let elapsed = start.elapsed();
        let verdict = match (explored.is_ok(), self.expect) {
            // Loom stops at its limit without a word: an exploration that took so long is not known
            // to be complete.
            (true, _) if elapsed >= limit => "stopped at the time limit",
            (true, Expect::Pass) | (false, Expect::Fail) => "ok",
            (true, Expect::Fail) => "no interleaving failed",
            (false, Expect::Pass) => "failed",
        };
        println!("{}\t{:.2}\t{verdict}", INTERLEAVINGS.load(Relaxed), elapsed.as_secs_f64());
        if verdict == "ok" { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The command line.
pub fn main(models: &[&Model]) -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => {
            for model in models {
                println!("{}", model.row());
            }
            ExitCode::SUCCESS
        }
        ["run", name, seconds] => {
            match (models.iter().find(|model| model.name == name), seconds.parse()) {
                (Some(model), Ok(seconds)) => model.explore(Duration::from_secs(seconds)),
                (None, _) => usage(&format!("no model `{name}`; `loom-tests list` names them")),
                (_, Err(_)) => usage(&format!("`{seconds}` is not a number of seconds")),
            }
        }
        _ => usage("usage: loom-tests list | loom-tests run NAME SECONDS"),
    }
}

fn usage(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(2)
}
