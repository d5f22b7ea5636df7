//! A recorded trace on a pool. A file of its own, since not all who share the rest have the traces.

use tierpool::{BytesMut, Pool};
use tierpool_traces::{Event, Trace};

/// Replays the trace on the pool, without a fallback; what the pool does not serve is not held.
pub fn replay(pool: &'static Pool, trace: &Trace) {
    let mut held: Vec<Option<BytesMut>> = (0..trace.peak_blocks()).map(|_| None).collect();
    for event in trace.events() {
        match event {
            Event::Alloc { id, size } => held[id as usize] = pool.alloc(size as usize).ok(),
            Event::Free { id } => held[id as usize] = None,
        }
    }
}
