//! The soak: all operations on all pools by two threads a core, with a pause every second at which
//! nothing may be missing.
//!
//! ```text
//!   main      ── sleeps ──► pause ─── barrier ──────── barrier ── audit ── barrier ──► …
//!   worker n  ── steps ───────────► barrier, tells, barrier ────────── barrier ── steps …
//! ```

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::json;
use std::process::{ExitCode, exit};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::sync_channel;
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tierpool_soak::audit;
use tierpool_soak::counts::{Counts, Fault};
use tierpool_soak::drive::{MISTAKES, Waits, check_woken};
use tierpool_soak::operations::OPERATIONS;
use tierpool_soak::pools;
use tierpool_soak::worker::{Holdings, Message, Worker};
use tierpool_testkit::{Random, planted};

/// How many messages wait for a worker at most.
const INBOX: usize = 8;
/// Steps between two looks at the clock of the others.
const STEPS: usize = 64;

/// Does everything that pools allow, and much that they must refuse, on all cores, and checks at
/// every pause that nothing is lost: slots free + held by handles + held by caches = all slots, and
/// fallback bytes = 0 at the end.
///
/// Exit code 0: nothing was lost or damaged. Otherwise 1.
#[derive(Parser)]
#[command(name = "soak")]
struct Options {
    /// Run for this many seconds
    #[arg(long, value_name = "N", default_value_t = 30)]
    seconds: u64,

    /// Threads; two for each core unless told
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// Seed of the random numbers, to repeat a run as far as the scheduler lets it
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Print the report as one JSON object
    #[arg(long)]
    json: bool,
}

/// What main and workers share.
struct Stage {
    pause: AtomicBool,
    end: AtomicBool,
    /// All workers and main.
    barrier: Barrier,
    /// What each worker holds at the pause, and what it has done until then.
    told: Mutex<Vec<(Holdings, Counts)>>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    // A worker that panics would be missed at the barrier.
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        exit(1);
    }));
    match soak(&options) {
        Ok(report) => {
            report.print(options.json);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ! {
    eprintln!("{error:#}");
    exit(1)
}

fn soak(options: &Options) -> Result<Report> {
    let threads = options
        .threads
        .unwrap_or_else(|| 2 * thread::available_parallelism().map_or(1, usize::from));
    let stage = Stage {
        pause: AtomicBool::new(false),
        end: AtomicBool::new(false),
        barrier: Barrier::new(threads + 1),
        told: Mutex::default(),
    };
    let (stage, seed, mistake) = (&stage, options.seed, planted(MISTAKES));
    let (outs, inboxes): (Vec<_>, Vec<_>) =
        (0..threads).map(|_| sync_channel::<Message>(INBOX)).unzip();
    thread::scope(|scope| {
        let workers: Vec<_> = (inboxes.into_iter().enumerate())
            .map(|(number, inbox)| {
                let peers = outs.clone();
                // One of them makes the mistake.
                let plant = mistake.filter(|_| number == 0);
                scope.spawn(move || {
                    work(stage, Worker::new(peers, inbox, plant), Random::new(seed + number as u64))
                })
            })
            .collect();
        // The workers are still at the barrier, so there is no way back from here but out.
        let mut report = conduct(stage, threads, Duration::from_secs(options.seconds))
            .unwrap_or_else(|error| fail(&error));
        let waits: Vec<_> =
            workers.into_iter().map(|worker| worker.join().expect("the hook exits")).collect();
        pools::mend_heaps();
        audit::all_home().context("at the end")?;
        waits.iter().for_each(check_woken);
        report.fallback_bytes = audit::fallback_bytes();
        Ok(report)
    })
}

/// Main's part: lets the workers run and stops them, every second until time is up.
fn conduct(stage: &Stage, threads: usize, time: Duration) -> Result<Report> {
    let start = Instant::now();
    let mut report = Report { threads, ..Report::default() };
    loop {
        thread::sleep(Duration::from_secs(1).min(time.saturating_sub(start.elapsed())));
        let end = start.elapsed() >= time;
        stage.end.store(end, Relaxed);
        stage.pause.store(true, Relaxed);
        stage.barrier.wait();
        stage.barrier.wait();
        let told = std::mem::take(&mut *stage.told.lock().expect("nobody panics"));
        stage.pause.store(false, Relaxed);
        let (holdings, counts): (Vec<_>, Vec<_>) = told.into_iter().unzip();
        report.pauses += 1;
        report.seconds = start.elapsed().as_secs_f64();
        audit::audit(&holdings).with_context(|| format!("at pause {}", report.pauses))?;
        report.counts = Counts::default();
        counts.iter().for_each(|counts| report.counts.add(counts));
        if report.pauses.is_multiple_of(10) || end {
            eprintln!("{}", report.line());
        }
        stage.barrier.wait();
        if end {
            return Ok(report);
        }
    }
}

/// A worker's part.
fn work(stage: &Stage, mut worker: Worker, mut random: Random) -> Waits {
    loop {
        for _ in 0..STEPS {
            worker.step(&mut random);
        }
        // Relaxed: what is read after it comes by way of the barrier.
        if stage.pause.load(Relaxed) {
            // Nobody sends any more after the first.
            stage.barrier.wait();
            let told = (worker.holdings(), worker.counts().clone());
            stage.told.lock().expect("nobody panics").push(told);
            stage.barrier.wait();
            stage.barrier.wait();
            if stage.end.load(Relaxed) {
                return worker.finish();
            }
        }
    }
}

/// What has been done.
#[derive(Default)]
struct Report {
    threads: usize,
    seconds: f64,
    pauses: u64,
    counts: Counts,
    fallback_bytes: usize,
}

impl Report {
    fn operations(&self) -> u64 {
        self.counts.operations.iter().sum()
    }

    fn faults(&self) -> Vec<(&'static str, u64)> {
        let own = Fault::NAMES.into_iter().zip(self.counts.faults.iter().copied());
        own.chain(pools::of_heaps()).collect()
    }

    fn line(&self) -> String {
        let (millions, faults): (f64, u64) =
            (self.operations() as f64 / 1e6, self.faults().iter().map(|(_, count)| count).sum());
        let Report { seconds, pauses, .. } = self;
        format!(
            "{seconds:>6.0} s  {millions:>8.1} M operations ({:.2} M/s), {faults} faults injected, {pauses} pauses",
            millions / seconds
        )
    }

    fn print(&self, as_json: bool) {
        let operations = OPERATIONS
            .iter()
            .map(|operation| operation.name)
            .zip(self.counts.operations.iter().copied());
        if as_json {
            let pairs = |pairs: Vec<(&str, u64)>| {
                pairs.into_iter().map(|(name, count)| json!([name, count])).collect::<Vec<_>>()
            };
            let report = json!({
                "threads": self.threads,
                "seconds": self.seconds,
                "pauses": self.pauses,
                "operations": pairs(operations.collect()),
                "faults": pairs(self.faults()),
                "refused": self.counts.refused,
                "fallback_bytes": self.fallback_bytes,
                "passed": true,
            });
            println!("{report}");
        } else {
            for (name, count) in operations.chain(self.faults()) {
                println!("{name:<60} {count:>14}");
            }
            println!("{}", self.line());
            println!(
                "nothing lost, {} fallback bytes; {} requests and copies refused",
                self.fallback_bytes, self.counts.refused
            );
        }
    }
}
