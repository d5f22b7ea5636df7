//! As `instructions`, of a pool with two lanes.
//!
//! A program of its own: the feature `lanes` adds code to the rare paths of every pool in a program,
//! and the figures of `instructions` are those of a program without it.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use gungraun::{library_benchmark, library_benchmark_group, main};
use tierpool::{Bytes, BytesMut};

// As there.
const LEN: usize = 500;

tierpool::pool! { static POOL = default, align = 64, lanes = 2, lane = lane; }

/// As quick as to read a core's own register, which x86-64 does not have.
fn lane() -> usize {
    static LANE: AtomicUsize = AtomicUsize::new(0);
    LANE.load(Relaxed)
}

#[library_benchmark]
#[bench::tierpool_lanes(warm())]
#[bench::tierpool_lanes_from_another(own_is_empty())]
fn allocate_handle<H>(allocate: impl FnOnce() -> H) -> H {
    allocate()
}

#[library_benchmark]
#[bench::tierpool_lanes(warm()().freeze())]
fn drop_unique(handle: Bytes) {
    drop(handle)
}

library_benchmark_group!(name = operations; benchmarks = allocate_handle, drop_unique);

main!(library_benchmark_groups = operations);

#[inline]
fn buffer() -> BytesMut {
    POOL.alloc(LEN).expect("a free slot")
}

/// A slot is not new.
fn warm() -> impl Fn() -> BytesMut {
    drop(black_box([buffer(), buffer()]));
    buffer
}

/// Nor is one of the other lane, and this lane has none.
fn own_is_empty() -> impl Fn() -> BytesMut {
    // The first half is of the own lane.
    let mut own: Vec<_> = (0..16).map(|_| buffer()).collect();
    drop(own.split_off(8));
    own.leak();
    buffer
}
