//! The rest of a node's memory traffic: a recorded heap trace, replayed beside the packets.

use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;
use tierpool::{BytesMut, Pool};
use tierpool_traces::{Event, Trace};

use crate::traffic::{Traffic, count};
use crate::{TABLES, UNFIT};

/// A pause between two replays, in which the cores belong to the packets.
const PAUSE: Duration = Duration::from_millis(200);

/// Replays the whole trace on the default geometry once, and on `TABLES` over and over, at least
/// once.
pub fn until_stopped(traffic: &Traffic, trace: &Trace) {
    replay(&UNFIT, trace);
    loop {
        let spoiled = replay(&TABLES, trace);
        traffic.spoiled.fetch_add(spoiled, Relaxed);
        count(&traffic.replays);
        if traffic.is_stopped() {
            return;
        }
        thread::sleep(PAUSE);
    }
}

/// Takes and gives back every block of the trace in order. Each is filled when taken and looked at
/// when given back; the number of those that had changed is returned. What neither pool nor
/// fallback has memory for is left out.
fn replay(pool: &'static Pool, trace: &Trace) -> u64 {
    let mut held: Vec<Option<BytesMut>> = (0..trace.peak_blocks()).map(|_| None).collect();
    let mut spoiled = 0;
    for event in trace.events() {
        match event {
            Event::Alloc { id, size } => held[id as usize] = filled(pool, size as usize, id as u8),
            Event::Free { id } => {
                let block = held[id as usize].take();
                spoiled += u64::from(
                    block.is_some_and(|block| block.iter().any(|&byte| byte != id as u8)),
                );
            }
        }
    }
    spoiled
}

fn filled(pool: &'static Pool, size: usize, byte: u8) -> Option<BytesMut> {
    let mut block = pool.alloc(size).ok()?;
    block.resize(size, byte).ok()?;
    Some(block)
}
