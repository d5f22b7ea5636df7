//! `faults progress`: one thread is suspended at an arbitrary instruction, and the others must do
//! their work.
//!
//! ```text
//!   victim     step step st┆  parked in the signal handler  ┆ep step step …
//!   workers    step step step step step step step step step step step …
//!   conductor                     until every worker has done its work ► releases the victim, for a random while
//! ```
//!
//! With a lock the victim is parked while it holds it sooner or later, and then nobody else moves.

use std::io::{Read, Write, pipe};
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use crossbeam_utils::CachePadded;

use crate::signal::{self, Struck};
use crate::subject::Subject;
use tierpool_testkit::{Choices, Random};

#[derive(clap::Args)]
pub struct Options {
    /// How often the victim is suspended
    #[arg(long, value_name = "N", default_value_t = 4000)]
    suspensions: u64,

    /// Steps, of one to six pool operations each, that every worker must do during each suspension
    #[arg(long, value_name = "N", default_value_t = 100)]
    work: u64,

    /// Threads beside the victim
    #[arg(long, value_name = "N", default_value_t = 2)]
    workers: usize,

    /// How long the workers may take for it
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    patience: u64,
}

/// Longer than a busy machine takes to run a thread.
const ARRIVAL: Duration = Duration::from_secs(60);

/// What the threads share.
struct Stage {
    /// For all.
    stop: AtomicBool,
    /// No more suspensions.
    enough: AtomicBool,
    /// The instruction at which the victim is parked; 0 while it runs.
    parked_at: AtomicUsize,
    /// Steps that each worker has done.
    done: Vec<CachePadded<AtomicU64>>,
}

impl Stage {
    /// The smallest number of steps that a worker has done since.
    fn least_since(&self, before: &[u64]) -> u64 {
        // Relaxed: a count.
        let done = self.done.iter().map(|done| done.load(Relaxed));
        done.zip(before).map(|(now, before)| now - before).min().unwrap_or(0)
    }

    fn counts(&self) -> Vec<u64> {
        self.done.iter().map(|done| done.load(Relaxed)).collect()
    }
}

pub fn run<S: Subject>(options: &Options) -> Result<()> {
    S::set_up();
    let start = Instant::now();
    let done = (0..options.workers).map(|_| CachePadded::default()).collect();
    let stage = Arc::new(Stage {
        stop: AtomicBool::new(false),
        enough: AtomicBool::new(false),
        parked_at: AtomicUsize::new(0),
        done,
    });

    let (release_reader, mut release) = pipe()?;
    let in_handler = stage.clone();
    let random = Mutex::new(Random::new(1));
    signal::on_strike(move |address| {
        // Relaxed: a flag; the conductor joins the thread.
        if !in_handler.enough.load(Relaxed) {
            // Release: with it, the conductor sees all that the victim has done.
            in_handler.parked_at.store(address, Release);
            // A read of a pipe waits, and is safe in a handler.
            let byte = (&release_reader).read(&mut [0]);
            assert!(matches!(byte, Ok(1)), "released by a byte, and nothing else: {byte:?}");
        }
        let pause = 1 + random.try_lock().expect("the only handler").below(99) as u64;
        (!in_handler.enough.load(Relaxed)).then(|| Duration::from_micros(pause))
    })?;

    let victim = spawn::<S>(stage.clone(), None);
    let workers: Vec<_> =
        (0..options.workers).map(|number| spawn::<S>(stage.clone(), Some(number))).collect();

    let mut addresses = Vec::new();
    let mut outcome = Ok(());
    for round in 1..=options.suspensions {
        outcome = during_one_suspension::<S>(&stage, options, &mut addresses);
        // Relaxed: flags. The victim looks at them once it has read its byte.
        stage.enough.store(outcome.is_err() || round == options.suspensions, Relaxed);
        stage.parked_at.store(0, Relaxed);
        release.write_all(&[0])?;
        if outcome.is_err() {
            break;
        }
        if round.is_multiple_of(options.suspensions.div_ceil(10)) {
            eprintln!(
                "{round} of {} suspensions, {:.0} s",
                options.suspensions,
                start.elapsed().as_secs_f64()
            );
        }
    }
    let before = stage.counts();
    let goes_on = until(ARRIVAL, || stage.least_since(&before) > 0);
    stage.stop.store(true, Relaxed);
    ensure!(goes_on, "stands still, although nobody is suspended");
    victim.join().expect("the victim did not panic");
    workers.into_iter().for_each(|worker| worker.join().expect("no worker panicked"));
    outcome?;
    S::all_home();

    let struck = Struck::at(addresses);
    print!("{struck}");
    struck.hit_a_free_list()?;
    println!(
        "{} workers did at least {} steps each during every suspension; {:.1} s",
        options.workers,
        options.work,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// A thread that takes steps until it is stopped.
fn spawn<S: Subject>(stage: Arc<Stage>, worker: Option<usize>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut subject = S::new(worker.map_or(0, |number| number + 1), false);
        if worker.is_none() {
            signal::begin().expect("a timer");
        }
        while !stage.stop.load(Relaxed) {
            subject.step();
            if let Some(number) = worker {
                stage.done[number].fetch_add(1, Relaxed);
            }
        }
    })
}

/// Waits until the victim is parked, and then until each worker has done its work.
fn during_one_suspension<S: Subject>(
    stage: &Stage,
    options: &Options,
    addresses: &mut Vec<usize>,
) -> Result<()> {
    let patience = Duration::from_secs(options.patience);
    // Acquire: pairs with the Release in the handler.
    ensure!(until(ARRIVAL, || stage.parked_at.load(Acquire) != 0), "the signal has not arrived");
    addresses.push(stage.parked_at.load(Relaxed));
    let before = stage.counts();
    if !until(patience, || stage.least_since(&before) >= options.work) {
        let did: Vec<_> =
            stage.counts().iter().zip(&before).map(|(now, before)| now - before).collect();
        // A lock may be free and yet hold somebody up: its last holder is suspended before it wakes
        // the next.
        let lock = if S::locked() { "a lock is held" } else { "no lock is held" };
        bail!(
            "stands still: with a thread suspended, the others did {did:?} steps in {} s; {lock}",
            options.patience
        );
    }
    Ok(())
}

/// Whether something comes true in time.
fn until(patience: Duration, come_true: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !come_true() {
        if start.elapsed() > patience {
            return false;
        }
        thread::sleep(Duration::from_micros(10)); // leaves the processor to those we wait for
    }
    true
}
