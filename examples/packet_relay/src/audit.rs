//! What must hold when everything has been dropped.

use std::sync::atomic::Ordering::Relaxed;
use tierpool::Pool;
use tierpool_traces::{Event, Trace};

use crate::traffic::Traffic;
use crate::{HEAP, RX, TABLES, TX, UNFIT};

/// The pools by name.
pub const POOLS: [(&str, &Pool); 4] =
    [("receive", &RX), ("transmit", &TX), ("tables", &TABLES), ("unfit", &UNFIT)];

/// What has not come home, in words; nothing if everything has.
pub fn astray() -> Vec<String> {
    let mut found: Vec<String> =
        POOLS.iter().filter_map(|(name, pool)| astray_of(name, pool)).collect();
    if HEAP.lent() > 0 {
        found.push(format!("heap: {} bytes have not come home", HEAP.lent()));
    }
    found
}

fn astray_of(name: &str, pool: &Pool) -> Option<String> {
    if pool.is_idle() {
        return None;
    }
    let stats = pool.stats();
    let held = stats.tiers().iter().filter(|tier| tier.in_use > 0);
    let mut missing: Vec<String> =
        held.map(|tier| format!("{} x {} bytes", tier.in_use, tier.size)).collect();
    if stats.fallback_live() > 0 {
        missing.push(format!("{} x fallback", stats.fallback_live()));
    }
    let holders: Vec<String> =
        stats.holders().iter().map(|row| format!("{} by {}", row.buffers, row.holder)).collect();
    Some(format!(
        "{name} pool: buffers have not come home: {}; held: {}",
        missing.join(", "),
        holders.join(", ")
    ))
}

/// What else went wrong, in words.
pub fn faults(traffic: &Traffic, trace: &Trace) -> Vec<String> {
    let mut found = Vec::new();
    let spoiled = traffic.spoiled.load(Relaxed);
    if spoiled > 0 {
        found.push(format!("{spoiled} buffers held other bytes than were written"));
    }
    if !traffic.balances() {
        found.push("packets are neither sent nor counted as dropped".into());
    }
    let allocations =
        trace.events().filter(|event| matches!(event, Event::Alloc { .. })).count() as u64;
    let asked = TABLES.stats().requests();
    if asked != allocations * traffic.replays.load(Relaxed) {
        found.push(format!(
            "the tables pool counts {asked} requests, not a multiple of the trace's {allocations}"
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_leaked_is_found() {
        tierpool::pool! { static POOL = default, fallback = &HEAP; }
        let slot = POOL.alloc(300).unwrap();
        let heap = POOL.alloc(3000).unwrap();
        heap.mark(&"the test");
        let found = astray_of("test", &POOL).unwrap();
        let place = format!("1 by {}:{}", file!(), line!() - 4);
        assert_eq!(
            found,
            format!(
                "test pool: buffers have not come home: 1 x 512 bytes, 1 x fallback; held: {place}, 1 by the test"
            )
        );
        assert!(HEAP.lent() >= 3000);
        drop((slot, heap));
        assert_eq!(astray_of("test", &POOL), None);
        assert_eq!(HEAP.lent(), 0);
    }
}
