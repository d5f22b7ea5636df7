//! As `instructions`, of packets that carry data of their own, and of requests for the fallback.
//!
//! A program of its own, so that the code of these does not move that of the others.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};
use tierpool::{BytesMut, Object, ObjectPool};

// As there.
const LEN: usize = 500;

tierpool::pool! { static POOL = default, align = 64; }
tierpool::pool! { static SMALL = [64 x 4], fallback = &tierpool::GlobalHeap; }

// A packet with data of its own, allocated and dropped.
#[library_benchmark]
#[bench::tierpool_none(warm(none, drop))]
#[bench::tierpool_beside(warm(beside, drop))]
#[bench::tierpool_in_front(warm(in_front, drop))]
#[bench::tierpool_object(warm(object, drop))]
fn packet_with_data<P>(packet: impl FnOnce() -> P) {
    drop(black_box(packet()))
}

// A buffer that no tier holds, allocated and dropped; and what the heap alone takes for a block.
#[library_benchmark]
#[bench::tierpool_fallback(warm(large, drop), drop::<BytesMut>)]
#[bench::glibc(warm(block, free), free)]
fn pair_of_the_heap<B>(allocate: impl FnOnce() -> B, free: impl FnOnce(B)) {
    free(black_box(allocate()))
}

library_benchmark_group!(name = operations; benchmarks = packet_with_data, pair_of_the_heap);

main!(library_benchmark_groups = operations);

/// Makes and gives back a few, two of them at once; then `make` is ready to be counted.
fn warm<T>(make: impl Fn() -> T, give_back: impl Fn(T)) -> impl Fn() -> T {
    for _ in 0..2 {
        black_box([make(), make()]).into_iter().for_each(&give_back);
    }
    make
}

// ---- data of a packet

#[derive(Clone, Copy)]
struct Meta {
    time: u32,
    strength: i16,
    interface: u16,
}

const META: Meta = Meta { time: 7, strength: -70, interface: 1 };

static PACKETS: ObjectPool<(BytesMut, Meta), 16> = ObjectPool::new();

#[inline]
fn none() -> BytesMut {
    POOL.alloc(LEN).expect("a free slot")
}

/// In the value that is passed on.
#[inline]
fn beside() -> (BytesMut, Meta) {
    (none(), META)
}

/// In front of the packet, as bytes.
#[inline]
fn in_front() -> BytesMut {
    let mut buffer = POOL.alloc_with_headroom(8, LEN).expect("a free slot");
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&META.time.to_le_bytes());
    bytes[4..6].copy_from_slice(&META.strength.to_le_bytes());
    bytes[6..].copy_from_slice(&META.interface.to_le_bytes());
    buffer.prepend(&bytes).expect("headroom");
    buffer
}

/// One word to pass on: an object that holds both.
#[inline]
fn object() -> Object<'static, (BytesMut, Meta), 16> {
    PACKETS.alloc((none(), META)).ok().expect("a free object")
}

// ---- the heap

const LAYOUT: Layout = Layout::new::<[u8; LEN]>();

#[inline]
fn large() -> BytesMut {
    SMALL.alloc(LEN).expect("memory")
}

#[inline]
fn block() -> *mut u8 {
    // SAFETY: the layout is not empty.
    unsafe { System.alloc(LAYOUT) }
}

#[inline]
fn free(block: *mut u8) {
    // SAFETY: all blocks come from `block`.
    unsafe { System.dealloc(block, LAYOUT) }
}
