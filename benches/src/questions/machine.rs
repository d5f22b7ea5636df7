//! What it was measured on, and what the measuring costs.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::hint::black_box;
use std::time::Instant;

use quanta::Clock;

use crate::candidates::{Candidate, Kind, LEN};
use crate::floor::Floor;
use crate::questions::{Effort, over};
use crate::record::{Output, Record};
use crate::round;
use crate::spread::Spread;
use crate::team::{self, Team};

const LAYOUT: Layout = Layout::new::<[u8; LEN]>();
const NAMED: &str = "glibc by name";
const SWITCHED: &str = "glibc by the switch";

pub fn ask(output: &mut Output<'_>, effort: &Effort) -> anyhow::Result<()> {
    let mut fact = |fact, value| output.line(&Record::Machine { fact, value });
    fact("processor", processor())?;
    fact("cores", effort.cores.to_string())?;
    fact("system", system())?;

    let (one, plan) = (Team::new(1)?, effort.parallel);
    let rounds = || 0..plan.rounds.min(50);
    let times = |of: &dyn Fn() -> f64| Spread::of(rounds().map(|_| of()));
    let nanoseconds = |spread: Option<Spread>| {
        spread.map_or_else(String::new, |it| {
            format!("{:.1} ns ({:.1} to {:.1})", it.median, it.min, it.max)
        })
    };
    let swap = times(&|| Floor::measure(&one, &one, plan.floor).swap);
    fact("an uncontended compare-and-swap", nanoseconds(swap))?;
    let two = Team::new(2)?;
    let shared = times(&|| Floor::measure(&two, &two, plan.floor).shared);
    let text = shared.map_or_else(String::new, |it| {
        format!("{:.1} times that ({:.1} to {:.1})", it.median, it.min, it.max)
    });
    fact("one that two threads share", text)?;
    let clock = Clock::new();
    let reading = times(&|| {
        team::cost(&one.run(plan.floor, |work| work.repeat(|| _ = black_box(clock.raw()))))
    });
    fact("a reading of the clock that times one allocation", nanoseconds(reading))?;
    let reading = times(&|| {
        team::cost(&one.run(plan.floor, |work| work.repeat(|| _ = black_box(Instant::now()))))
    });
    fact("a reading of the clock that ends a sample", nanoseconds(reading))?;

    let columns = round::measure(&one, &one, plan, &switches(), |_| ());
    let text = over(&columns, SWITCHED, NAMED).map_or_else(String::new, |it| {
        format!("{:.2} times ({:.2} to {:.2})", it.median, it.min, it.max)
    });
    fact("malloc and free by the switch over those by name", text)
}

/// What the switch costs `bytes` and `Arc`.
fn switches() -> [Candidate; 2] {
    [
        Candidate::new(NAMED, Kind::Allocator, |work| {
            // SAFETY: freed once, with the layout that it was allocated with.
            work.repeat(|| unsafe { System.dealloc(black_box(System.alloc(LAYOUT)), LAYOUT) })
        }),
        Candidate::new(SWITCHED, Kind::Allocator, |work| {
            // SAFETY: as above.
            work.repeat(|| unsafe {
                std::alloc::dealloc(black_box(std::alloc::alloc(LAYOUT)), LAYOUT)
            })
        }),
    ]
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| std::env::consts::ARCH.into(), |(_, name)| name.trim().to_owned())
}

fn system() -> String {
    let version = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", std::env::consts::OS, version.trim()).trim().to_owned()
}
