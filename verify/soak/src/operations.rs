//! What a worker may do, and how often it does.

use crate::worker::Worker;
use tierpool_testkit::Choices;

/// One kind of step.
pub struct Operation {
    /// For the report.
    pub name: &'static str,
    weight: usize,
    run: fn(&mut Worker, &mut dyn Choices) -> Option<()>,
}

const fn op(
    weight: usize,
    name: &'static str,
    run: fn(&mut Worker, &mut dyn Choices) -> Option<()>,
) -> Operation {
    Operation { name, weight, run }
}

/// All of them.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    op(14, "alloc", Worker::alloc),
    op(6, "alloc_pooled", Worker::alloc_pooled),
    op(4, "alloc_reserved", Worker::alloc_reserved),
    op(5, "alloc_with_headroom", Worker::alloc_with_headroom),
    op(3, "zeroed", Worker::zeroed),
    op(5, "copy_from_slice, copy_with_headroom", Worker::copy_from_slice),
    op(10, "cache: alloc, alloc_with_headroom, zeroed, copy_from_slice", Worker::cache_alloc),
    op(3, "cache: alloc_pooled", Worker::cache_alloc_pooled),
    op(10, "cache: recycle", Worker::cache_recycle),
    op(3, "cache: flush, report", Worker::cache_flush),

    op(6, "BytesMut: push, extend_in_place, extend_from_slice", Worker::extend),
    op(2, "BytesMut: reserve_in, extend_from_slice", Worker::extend_in),
    op(3, "BytesMut: resize", Worker::resize),
    op(2, "BytesMut: reserve, reserve_in, spare_capacity_mut", Worker::reserve),
    op(1, "BytesMut: try_reclaim", Worker::try_reclaim),
    op(2, "BytesMut: reserve_front, reserve_front_in", Worker::reserve_front),
    op(3, "BytesMut: truncate, clear", Worker::truncate_mut),
    op(4, "BytesMut: prepend", Worker::prepend),
    op(3, "BytesMut: advance", Worker::advance_mut),
    op(2, "BytesMut: reset", Worker::reset),
    op(14, "BytesMut: freeze", Worker::freeze),
    op(3, "BytesMut: into_raw", Worker::turn_raw),
    op(5, "BytesMut: split_to, split_off, split", Worker::split_mut),
    op(4, "BytesMut: unsplit", Worker::unsplit),
    op(4, "BytesMut: drop", Worker::drop_mut),
    op(5, "BytesMut: send", Worker::send_mut),

    op(10, "Bytes: clone", Worker::clone_one),
    op(5, "Bytes: slice", Worker::slice),
    op(4, "Bytes: split_to, split_off", Worker::split),
    op(3, "Bytes: advance, truncate", Worker::shorten),
    op(6, "Bytes: make_mut", Worker::make_mut),
    op(2, "Bytes: make_mut_in", Worker::make_mut_in),
    op(4, "Bytes: into_mut, into_mut_in, move_to", Worker::turn_mut),
    op(3, "Bytes: try_into_mut", Worker::try_turn_mut),
    op(3, "Bytes: compact_in", Worker::compact),
    op(6, "Bytes: clear, drop", Worker::drop_shared),
    op(14, "Bytes: send a clone", Worker::send_shared),

    op(4, "raw: allocate", Worker::allocate),
    op(4, "raw: deallocate, deallocate_sized", Worker::deallocate),
    op(3, "raw: from_raw", Worker::turn_raw_mut),

    op(4, "ObjectPool: alloc, alloc_with, alloc_uninit", Worker::object_alloc),
    op(3, "ObjectPool: drop, into_inner, into_raw, from_raw, share", Worker::object_drop),
    op(2, "RecyclePool: request", Worker::recycled),
    op(2, "RecyclePool: request_wait", Worker::recycled_wait),

    op(1, "reclaim", Worker::reclaim),
    op(1, "stats, is_idle, owns", Worker::look),

    op(4, "faults: bad frees", Worker::bad_free),
    op(3, "faults: bad ranges", Worker::bad_range),
    op(2, "faults: absurd sizes", Worker::absurd_size),
    op(1, "faults: a heap that refuses or hands out misaligned memory", Worker::spoil_heap),
    op(1, "faults: its end", Worker::mend_heap),

    op(4, "alloc_wait", Worker::alloc_wait),
    op(4, "alloc_wait: poll again", Worker::poll_again),
    op(1, "alloc_wait: drop", Worker::cancel_wait),
    op(2, "copy_from_iter", Worker::copy_from_iter),
    op(2, "BytesMut: extend_from_iter", Worker::extend_from_iter),
    op(2, "BytesMut: extend_from_within", Worker::extend_from_within),
    op(3, "alloc_chain, ChainMut: extend_from_slice, parts_mut, freeze", Worker::alloc_chain),
    op(3, "Chain: push_back, advance, slice, linearize, …", Worker::chain),
];

const WEIGHTS: usize = {
    let (mut index, mut sum) = (0, 0);
    while index < OPERATIONS.len() {
        sum += OPERATIONS[index].weight;
        index += 1;
    }
    sum
};
// So that one byte of a fuzzer's input chooses.
const _: () = assert!(WEIGHTS <= 256);

/// Picks one, and has it done; tells which, if there was something to do it with.
pub fn step(worker: &mut Worker, choices: &mut dyn Choices) -> Option<usize> {
    let mut left = choices.below(WEIGHTS);
    let index = OPERATIONS.iter().position(|operation| match left.checked_sub(operation.weight) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    });
    let index = index.expect("the weights add up");
    (OPERATIONS[index].run)(worker, choices).map(|()| index)
}
