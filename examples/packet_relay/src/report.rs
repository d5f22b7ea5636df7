//! What the run has shown, for people and as JSON.

use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tierpool::Pool;
use tierpool_traces::Trace;

use crate::audit;
use crate::figures::{grouped, hit_percent, pool_json};
use crate::traffic::{Cause, Traffic};
use crate::{HEAP, RX, TABLES, TX, UNFIT};

/// Taken when all threads are joined and everything is dropped.
pub struct Report<'a> {
    traffic: &'a Traffic,
    elapsed: Duration,
    trace_events: usize,
    astray: Vec<String>,
    faults: Vec<String>,
}

impl<'a> Report<'a> {
    pub fn new(traffic: &'a Traffic, elapsed: Duration, trace: &Trace) -> Report<'a> {
        Report {
            traffic,
            elapsed,
            trace_events: trace.events().len(),
            astray: audit::astray(),
            faults: audit::faults(traffic, trace),
        }
    }

    pub fn passed(&self) -> bool {
        self.astray.is_empty() && self.faults.is_empty()
    }

    fn received(&self) -> u64 {
        self.traffic.received.load(Relaxed)
    }

    fn packets_per_second(&self) -> u64 {
        (self.received() as f64 / self.elapsed.as_secs_f64()) as u64
    }

    pub fn json(&self) -> Value {
        let traffic = self.traffic;
        let drops: Map<String, Value> = Cause::ALL
            .iter()
            .map(|&cause| (cause.name().replace(' ', "_"), traffic.dropped(cause).into()))
            .collect();
        let pools =
            audit::POOLS.iter().copied().chain(program_pool().map(|pool| ("program", pool)));
        let pools: Map<String, Value> =
            pools.map(|(name, pool)| (name.to_string(), pool_json(&pool.stats()))).collect();
        json!({
            "seconds": self.elapsed.as_secs_f64(),
            "packets": {
                "offered": traffic.offered.load(Relaxed),
                "received": self.received(),
                "received_per_second": self.packets_per_second(),
                "routed": traffic.routed.load(Relaxed),
                "sent": traffic.sent.load(Relaxed),
                "drops": drops,
            },
            "pools": pools,
            "trace": {
                "name": "reticulum-transport",
                "events": self.trace_events,
                "replays": traffic.replays.load(Relaxed),
                "hit_percent_fitted": hit_percent(&TABLES.stats()),
                "hit_percent_default": hit_percent(&UNFIT.stats()),
                "heap_peak_bytes": HEAP.most(),
            },
            "all_home": self.astray.is_empty(),
            "astray": self.astray,
            "faults": self.faults,
            "passed": self.passed(),
        })
    }
}

/// Who holds the buffers of each pool now, as text.
pub fn holders() -> String {
    let mut text = String::new();
    for (name, pool) in audit::POOLS {
        for row in pool.stats().holders() {
            let (buffers, oldest, holder) = (row.buffers, row.oldest, row.holder);
            text += &format!("  {name:<9}{buffers:>5} held, oldest {oldest:>11}  {holder}\n");
        }
    }
    text
}

/// The pool behind the global allocator, if there is one. It never comes to rest while the program
/// runs.
fn program_pool() -> Option<&'static Pool> {
    #[cfg(feature = "alloc")]
    return Some(crate::ALLOCATOR.pool());
    #[cfg(not(feature = "alloc"))]
    None
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let traffic = self.traffic;
        let row = |f: &mut fmt::Formatter<'_>, name: &str, n: u64| {
            write!(f, "  {name:<22}{:>14}", grouped(n))
        };

        writeln!(f, "receive pool: default geometry, spill to the next tier\n{:#}", RX.stats())?;
        writeln!(
            f,
            "\ntransmit pool: copies for the interfaces that change a packet\n{:#}",
            TX.stats()
        )?;

        writeln!(f, "\npackets in {:.1} s", self.elapsed.as_secs_f64())?;
        row(f, "offered by the air", traffic.offered.load(Relaxed))?;
        writeln!(f)?;
        row(f, "received", self.received())?;
        writeln!(f, "   {} packets/s", grouped(self.packets_per_second()))?;
        row(f, "routed", traffic.routed.load(Relaxed))?;
        writeln!(f)?;
        row(f, "sent", traffic.sent.load(Relaxed))?;
        writeln!(f, "   on three interfaces")?;

        writeln!(
            f,
            "\nWhat a relay drops, it drops on purpose: the air offers more than a serial line and LoRa can carry,\n\
             bursts are longer than the pool, and some frames are damaged."
        )?;
        for cause in Cause::ALL {
            let (dropped, (all, name)) = (traffic.dropped(cause), cause.out_of(traffic));
            row(f, cause.name(), dropped)?;
            writeln!(f, "  {:>6.2} % of {name}", 100.0 * dropped as f64 / all.max(1) as f64)?;
        }

        writeln!(
            f,
            "\ntables pool: all other memory of a Reticulum node, a recorded heap trace ({} events), replayed {} times\n{:#}",
            grouped(self.trace_events as u64),
            grouped(traffic.replays.load(Relaxed)),
            TABLES.stats()
        )?;
        writeln!(
            f,
            "\nThe lesson: size tiers by how many buffers live at once. These were chosen by hand for the trace, and serve\n\
             {:.1} % of it; the heap lent {} bytes at most for the rest. The default geometry, made for packets, would\n\
             serve {:.1} %. `tierpool fit` finds better tiers for a trace of yours.",
            hit_percent(&TABLES.stats()),
            grouped(HEAP.most() as u64),
            hit_percent(&UNFIT.stats()),
        )?;
        if let Some(pool) = program_pool() {
            writeln!(
                f,
                "\nthe program's own heap: what no tier served went to the system's allocator\n{:#}",
                pool.stats()
            )?;
        }

        writeln!(f)?;
        for finding in self.astray.iter().chain(&self.faults) {
            writeln!(f, "FAILED: {finding}")?;
        }
        if self.passed() {
            write!(f, "Every buffer has come home, every packet is accounted for.")?;
        }
        Ok(())
    }
}
