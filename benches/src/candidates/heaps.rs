//! The two algorithms of esp-alloc, under a `std::sync::Mutex` in place of the chip's critical
//! section: the cheapest lock that threads of a PC have. esp-alloc's own walk over its regions and
//! its statistics come on top on a chip.
//!
//! The heap has run for a while: half of it was filled with blocks of the sizes that a packet node
//! allocates (84 % of at most 64 bytes), and every second one is free again.

use crate::opaque::opaque;
use std::alloc::Layout;
use tierpool_replay::heaps::{Heap, LinkedList, Locked, Tlsf};

use super::{Candidate, Kind, LEN};

/// Bytes: the payload of 16 slots of 256, 512 and 1024 bytes.
const HEAP: usize = 16 * (256 + 512 + 1024);

pub fn pairs() -> Vec<Candidate> {
    vec![candidate::<LinkedList>(), candidate::<Tlsf>()]
}

/// As a global allocator does it: the lock once for taking and once for giving.
fn candidate<H: Heap>() -> Candidate {
    const LAYOUT: Layout = Layout::new::<[u8; LEN]>();
    let heap = Locked::<H>::leak(HEAP);
    fragment(&mut *heap.lock());
    Candidate::new(H::NAME, Kind::Allocator, move |work| {
        work.repeat(|| {
            let block = opaque(heap.lock().take(LAYOUT).expect("room for a block"));
            // SAFETY: just taken with this layout.
            unsafe { heap.lock().give(block, LAYOUT) };
        })
    })
}

fn fragment(heap: &mut impl Heap) {
    let mut rng = fastrand::Rng::with_seed(1);
    let (mut filled, mut blocks) = (0, Vec::new());
    while filled < HEAP / 2 {
        let size = if rng.u32(..100) < 84 { rng.usize(16..=64) } else { rng.usize(65..=512) };
        let layout = Layout::from_size_align(size, 4).expect("a small layout");
        let Some(block) = heap.take(layout) else { break };
        blocks.push((block, layout));
        filled += size;
    }
    for (block, layout) in blocks.into_iter().step_by(2) {
        // SAFETY: taken above with this layout.
        unsafe { heap.give(block, layout) };
    }
}
