//! `faults reentrancy`: a signal handler uses the pool in the middle of whatever operation it has
//! interrupted.
//!
//! ```text
//!   thread       step st┆                    ┆ep step …        may be anywhere in an operation
//!   handler             ┆ step step, by its own cache ┆        on the same thread, as an interrupt on the same core
//!   neighbour    step step step step step step …               another core
//!   conductor                                                 fails if the thread does not come on
//! ```

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use crossbeam_utils::CachePadded;

use crate::signal::{self, Struck};
use crate::subject::Subject;
use tierpool_testkit::{Choices, Random};

#[derive(clap::Args)]
pub struct Options {
    /// Steps, of one to six pool operations each, that the interrupted thread does, and that its
    /// handler does, at least
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    operations: u64,

    /// How often the thread is interrupted, at least
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    interrupts: u64,

    /// After how many seconds without an operation a deadlock is reported
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    patience: u64,
}

/// Where the last interrupts have struck.
const SAMPLES: usize = 1 << 16;

#[derive(Default)]
struct Stage {
    stop: AtomicBool,
    in_thread: CachePadded<AtomicU64>,
    in_handler: CachePadded<AtomicU64>,
    interrupts: CachePadded<AtomicU64>,
}

pub fn run<S: Subject>(options: &Options) -> Result<()> {
    S::set_up();
    let start = Instant::now();
    let stage = Arc::new(Stage::default());
    let samples: Arc<Vec<AtomicUsize>> =
        Arc::new((0..SAMPLES).map(|_| AtomicUsize::new(0)).collect());

    // Locked by the handler alone, which does not interrupt itself.
    let handler = Arc::new(Mutex::new(Some((S::new(0, false), Random::new(1)))));
    {
        let (stage, samples, handler) = (stage.clone(), samples.clone(), handler.clone());
        signal::on_strike(move |address| {
            let mut handler = handler.try_lock().expect("the handler does not interrupt itself");
            let (subject, random) = handler.as_mut()?;
            let steps = 1 + random.below(200) as u64;
            (0..steps).for_each(|_| subject.step());
            // Relaxed: counts, written here alone.
            stage.in_handler.store(stage.in_handler.load(Relaxed) + steps, Relaxed);
            let interrupt = stage.interrupts.load(Relaxed);
            samples[interrupt as usize % SAMPLES].store(address, Relaxed);
            stage.interrupts.store(interrupt + 1, Relaxed);
            (!stage.stop.load(Relaxed))
                .then(|| Duration::from_nanos(1 + random.below(30_000) as u64))
        })?;
    }

    let thread = spawn::<S>(&stage, 1, true);
    let neighbour = spawn::<S>(&stage, 2, false);
    let watched = conduct(&stage, options);
    stage.stop.store(true, Relaxed);
    if let Err(error) = watched {
        if S::locked() {
            bail!("{error}; a lock is held");
        }
        return Err(error);
    }
    thread.join().expect("the thread did not panic");
    neighbour.join().expect("the neighbour did not panic");
    drop(handler.lock().expect("the handler did not panic").take());
    S::all_home();

    let addresses =
        samples.iter().map(|address| address.load(Relaxed)).filter(|&address| address != 0);
    let struck = Struck::at(addresses);
    print!("{struck}");
    struck.hit_a_free_list()?;
    println!(
        "{} interrupts, {} steps in the thread, {} in the handler; {:.1} s",
        stage.interrupts.load(Relaxed),
        stage.in_thread.load(Relaxed),
        stage.in_handler.load(Relaxed),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// A thread that takes steps until it is stopped, and counts them if it is the one that is
/// interrupted: that one uses a heap, too, which the handler then interrupts.
fn spawn<S: Subject>(
    stage: &Arc<Stage>,
    number: usize,
    interrupted: bool,
) -> thread::JoinHandle<()> {
    let stage = stage.clone();
    thread::spawn(move || {
        let mut subject = S::new(number, interrupted);
        if interrupted {
            signal::begin().expect("a timer");
        }
        while !stage.stop.load(Relaxed) {
            subject.step();
            if interrupted {
                stage.in_thread.fetch_add(1, Relaxed);
            }
        }
    })
}

/// Watches until all is done.
fn conduct(stage: &Stage, options: &Options) -> Result<()> {
    let patience = Duration::from_secs(options.patience);
    let (mut tenth, mut last, mut since) = (1, 0, Instant::now());
    loop {
        // Relaxed: counts.
        let (in_thread, in_handler) =
            (stage.in_thread.load(Relaxed), stage.in_handler.load(Relaxed));
        let (steps, interrupts) = (in_thread + in_handler, stage.interrupts.load(Relaxed));
        let done = in_thread.min(in_handler);
        if done >= options.operations && interrupts >= options.interrupts {
            return Ok(());
        }
        if steps != last {
            (last, since) = (steps, Instant::now());
        } else if since.elapsed() > patience {
            bail!(
                "stands still: after {steps} steps and {interrupts} interrupts, none in {} s",
                options.patience
            );
        }
        if done >= options.operations / 10 * tenth && tenth <= 10 {
            eprintln!(
                "{done} of {} steps, {interrupts} of {} interrupts",
                options.operations, options.interrupts
            );
            tenth += 1;
        }
        thread::sleep(Duration::from_millis(10));
    }
}
