//! `faults stress`: threads, all operations, all options; for the sanitizers and Valgrind.
//!
//! Nothing here but the pools, mailboxes of our own, and the start and end of threads makes one
//! thread wait for or see another: ThreadSanitizer knows all three, though the standard library is
//! compiled without it. With `TIERPOOL_PLANT` the program does a wrong thing, to show that the tool
//! that watches it reports it.

use std::alloc::Layout;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::mix::{self, Heaps, Mix};
use tierpool_testkit::{Heap, Mistake, mistake, planted};

#[derive(clap::Args)]
pub struct Options {
    /// Threads
    #[arg(long, value_name = "N", default_value_t = 4)]
    threads: usize,

    /// Steps, of one to six pool operations each, for every thread
    #[arg(long, value_name = "N", default_value_t = 250_000)]
    steps: u64,

    /// The wrong thing to do at the end; TIERPOOL_PLANT is the same
    #[arg(long, value_name = "MISTAKE")]
    plant: Option<String>,
}

/// Those that it can make.
const MISTAKES: &[Mistake] =
    &[Mistake::Race, Mistake::UseAfterFree, Mistake::Heap, Mistake::Overflow];

pub fn run(options: &Options) -> Result<()> {
    mix::set_up();
    let start = Instant::now();
    let done = Arc::new(AtomicU64::new(0));
    let threads: Vec<_> = (0..options.threads)
        .map(|number| {
            let (done, steps) = (done.clone(), options.steps);
            thread::spawn(move || {
                let mut mix = Mix::new(number, Heaps::All);
                for _ in 0..steps {
                    mix.step();
                    done.fetch_add(1, Relaxed);
                }
            })
        })
        .collect();
    let all = options.steps * options.threads as u64;
    let mut tenth = 1;
    while threads.iter().any(|thread| !thread.is_finished()) {
        thread::sleep(Duration::from_millis(20));
        if done.load(Relaxed) >= all / 10 * tenth {
            eprintln!("{} of {all} steps", done.load(Relaxed));
            tenth += 1;
        }
    }
    threads.into_iter().for_each(|thread| thread.join().expect("no thread panicked"));
    mix::all_home();
    let named = options.plant.as_ref().map(|name| mistake(name, MISTAKES));
    if let Some(mistake) = named.or_else(|| planted(MISTAKES)) {
        make(mistake);
    }
    println!(
        "{} steps by {} threads; {:.1} s",
        done.load(Relaxed),
        options.threads,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn make(mistake: Mistake) {
    tierpool::pool! { static SLOT = [64 x 1]; }
    static FREES_NOW: Heap<true, false> = Heap::exact();
    tierpool::pool! { static HEAP = [8 x 1], fallback = &FREES_NOW; }
    match mistake {
        Mistake::Race => {
            let slot = SLOT.allocate(Layout::new::<u64>()).expect("the only slot").cast::<u64>();
            let address = slot.as_ptr().expose_provenance();
            // SAFETY: given up. (What follows is the mistake.)
            unsafe { SLOT.deallocate(slot.cast()).expect("a slot of this pool") };
            let next_owner =
                thread::spawn(|| drop(SLOT.copy_from_slice(&[1; 8]).expect("it is free")));
            // SAFETY: none, that is the point: the slot belongs to somebody else.
            unsafe { std::ptr::with_exposed_provenance_mut::<u64>(address).write_volatile(2) };
            next_owner.join().expect("it did not panic");
        }
        Mistake::UseAfterFree => {
            let buffer = HEAP.zeroed(100).expect("there is a heap");
            let gone = buffer.as_ptr();
            drop(buffer);
            // SAFETY: none, that is the point.
            report(unsafe { gone.read_volatile() });
        }
        Mistake::Heap => std::mem::forget(HEAP.zeroed(100)),
        Mistake::Overflow => {
            let buffer = HEAP.zeroed(128).expect("there is a heap");
            // SAFETY: none, that is the point.
            report(unsafe { buffer.as_ptr().add(buffer.capacity()).read_volatile() });
        }
        other => unreachable!("{other:?} is not one of these"),
    }
}

/// Makes what was read matter: Valgrind reports a branch that depends on what is undefined.
fn report(byte: u8) {
    println!("read {}", if byte == 0 { "zero" } else { "something else" });
}
