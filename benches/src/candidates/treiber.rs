//! A textbook's free list: Treiber's stack of indices with a tag, and nothing else. No marks, no
//! counts, no check, no second tier. What it costs over the floor is what any such stack costs on
//! this processor: a pop that has to know the head before it can read the link, and the link before
//! it can swap.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crossbeam_utils::CachePadded;

use super::{Candidate, Kind, SLOT, SLOTS};
use crate::opaque::opaque;

pub const TREIBER: &str = "Treiber stack alone";

/// Index bits of the head; also the end of the list.
const END: u64 = 0xFFFF;

struct Stack {
    head: CachePadded<AtomicU64>,
    links: Vec<CachePadded<AtomicU64>>,
}

impl Stack {
    fn new(slots: usize) -> Stack {
        let below = |index| if index + 1 < slots { index as u64 + 1 } else { END };
        Stack {
            head: CachePadded::new(AtomicU64::new(0)),
            links: (0..slots).map(|index| CachePadded::new(AtomicU64::new(below(index)))).collect(),
        }
    }

    fn pop(&self) -> Option<usize> {
        loop {
            // Acquire: pairs with the Release of the pushes.
            let head = self.head.load(Acquire);
            let index = (head & END) as usize;
            // Relaxed: a stale link dies with the swap, whose tag has moved.
            let below = self.links.get(index)?.load(Relaxed);
            // Relaxed: it publishes nothing.
            if self
                .head
                .compare_exchange_weak(head, (head | END).wrapping_add(1) | below, Relaxed, Relaxed)
                .is_ok()
            {
                return Some(index);
            }
        }
    }

    fn push(&self, index: usize) {
        loop {
            // Relaxed: only compared.
            let head = self.head.load(Relaxed);
            // Relaxed: published by the swap.
            self.links[index].store(head & END, Relaxed);
            // Release: pairs with the Acquire of the pop.
            if self
                .head
                .compare_exchange_weak(head, head & !END | index as u64, Release, Relaxed)
                .is_ok()
            {
                return;
            }
        }
    }
}

pub fn pairs() -> Vec<Candidate> {
    let free = Stack::new(SLOTS);
    let mut buffers = vec![[0u8; SLOT]; SLOTS];
    // As an address, so that all threads may compute with it.
    let begin = buffers.as_mut_ptr().expose_provenance();
    vec![Candidate::new(TREIBER, Kind::Beside, move |work| {
        let _ = &buffers; // kept
        work.repeat(|| {
            let index = free.pop().expect("a free buffer");
            let buffer = opaque(begin + index * SLOT);
            free.push((buffer - begin) / SLOT);
        })
    })]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_comes_once_and_comes_back() {
        let stack = Stack::new(3);
        for _ in 0..2 {
            let mut popped: Vec<_> = std::iter::from_fn(|| stack.pop()).collect();
            popped.iter().for_each(|&index| stack.push(index));
            popped.sort();
            assert_eq!(popped, [0, 1, 2]);
        }
    }
}
