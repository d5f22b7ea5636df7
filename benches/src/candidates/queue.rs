//! Indices of free buffers in `crossbeam-queue`'s `ArrayQueue`. It does less than a pool: no
//! reference count, no check, no tiers; and a push that is interrupted halfway stalls every pop
//! that comes to its place.

use crate::opaque::opaque;

use crossbeam_queue::ArrayQueue;

use super::{Candidate, Kind, SLOT, SLOTS};

pub const ARRAY_QUEUE: &str = "ArrayQueue of indices";

pub fn pairs() -> Vec<Candidate> {
    let free = ArrayQueue::new(SLOTS);
    for index in 0..SLOTS as u32 {
        free.push(index).expect("room for all");
    }
    let mut buffers = vec![[0u8; SLOT]; SLOTS];
    // As an address, so that all threads may compute with it.
    let begin = buffers.as_mut_ptr().expose_provenance();
    vec![
        Candidate::new(ARRAY_QUEUE, Kind::Beside, move |work| {
            let _ = &buffers; // kept
            work.repeat(|| {
                let index = free.pop().expect("a free buffer");
                let buffer = opaque(begin + index as usize * SLOT);
                free.push(((buffer - begin) / SLOT) as u32).expect("room for all");
            })
        })
        .yielding(),
    ]
}
