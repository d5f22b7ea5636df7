//! How many instructions one operation takes, beside the peers: `cargo xtask instructions`.
//!
//! Valgrind's callgrind counts, so that the figures are the same in every run of one program. An
//! operation is a function, its `bench` lines name the implementations: what stands in their
//! parentheses is made first and not counted.
//!
//! | module | implementation |
//! |---|---|
//! | [`ours`] | the default geometry |
//! | [`messages`] | a message of 1500 bytes in one slot, and in a chain of slots |
//! | [`heapless_pools`], [`atomic`], [`indices`] | other pools: of one size, and the caller keeps the buffers of `ArrayQueue` |
//! | [`heaps`] | glibc and mimalloc |
//! | [`handles`] | `bytes` and `Arc<[u8]>`, on glibc |
//!
//! Every operation has run before it is counted, so that no first use is in the figure: no
//! never-used slot, no heap that has to fetch memory. What is counted is the fast path of each.

use std::alloc::{GlobalAlloc, Layout};
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::sync::Arc;

use gungraun::{LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};

/// What is allocated, in bytes; a constant where it is asked for.
const LEN: usize = 500;
const LAYOUT: Layout = Layout::new::<[u8; LEN]>();
/// What is written to, in bytes.
const VISIBLE: usize = 200;
/// A block of `heapless` and `atomic-pool`. They take its content by value, so it is small: a copy
/// that the compiler cannot leave out would be counted otherwise. Nothing else in them depends on
/// the size.
type Block = MaybeUninit<u64>;

// A block of `LEN` bytes.
#[library_benchmark]
#[bench::tierpool(warm(ours::allocate, ours::free_by_layout))]
#[bench::heapless(warm(heapless_pools::boxes(), heapless_pools::free))]
#[bench::atomic_pool(warm(atomic::allocate, drop))]
#[bench::array_queue(indices::allocate())]
#[bench::glibc(warm(heaps::allocate::<heaps::Glibc>, heaps::free::<heaps::Glibc>))]
#[bench::mimalloc(warm(heaps::allocate::<heaps::Mimalloc>, heaps::free::<heaps::Mimalloc>))]
fn allocate<B>(allocate: impl FnOnce() -> B) -> B {
    allocate()
}

// Gives such a block back.
#[library_benchmark]
#[bench::tierpool_by_layout(warm(ours::allocate, ours::free_by_layout)(), ours::free_by_layout)]
#[bench::tierpool_checked(warm(ours::allocate, ours::free_checked)(), ours::free_checked)]
#[bench::heapless(warm(heapless_pools::boxes(), heapless_pools::free)(), heapless_pools::free)]
#[bench::atomic_pool(warm(atomic::allocate, drop)(), atomic::free)]
#[bench::array_queue(0, indices::free())]
#[bench::glibc(warm(heaps::allocate::<heaps::Glibc>, heaps::free::<heaps::Glibc>)(), heaps::free::<heaps::Glibc>)]
#[bench::mimalloc(warm(heaps::allocate::<heaps::Mimalloc>, heaps::free::<heaps::Mimalloc>)(), heaps::free::<heaps::Mimalloc>)]
fn free<B>(block: B, free: impl FnOnce(B)) {
    free(block)
}

// A buffer to fill, that `freeze` or its own nature makes shared.
#[library_benchmark]
#[bench::tierpool(warm(ours::buffer, drop))]
#[bench::tierpool_cache(ours::cached(1))]
#[bench::tierpool_cache_refilled(ours::cached(0))]
#[bench::heapless(warm(heapless_pools::arcs(), drop))]
#[bench::bytes(warm(handles::buffer, drop))]
#[bench::arc(warm(handles::arc, drop))]
fn allocate_handle<H>(allocate: impl FnOnce() -> H) -> H {
    allocate()
}

// A filled buffer becomes one that clones share.
#[library_benchmark]
#[bench::tierpool(warm(ours::filled, drop)(), tierpool::BytesMut::freeze)]
#[bench::bytes(warm(handles::filled, drop)(), bytes::BytesMut::freeze)]
fn freeze<B, H>(buffer: B, freeze: impl FnOnce(B) -> H) -> H {
    freeze(buffer)
}

#[library_benchmark]
#[bench::tierpool(lasting(warm(ours::frozen, drop)()))]
#[bench::heapless(lasting(warm(heapless_pools::arcs(), drop)()))]
#[bench::bytes(lasting(warm(handles::frozen, drop)()))]
#[bench::arc(lasting(warm(handles::filled_arc, drop)()))]
fn clone<H: Clone>(handle: &'static mut H) -> H {
    handle.clone()
}

#[library_benchmark]
#[bench::tierpool(warm(ours::frozen, drop)())]
#[bench::heapless(warm(heapless_pools::arcs(), drop)())]
#[bench::bytes(warm(handles::frozen, drop)())]
#[bench::arc(warm(handles::filled_arc, drop)())]
fn drop_unique<H>(handle: H) {
    drop(handle)
}

// As `drop_unique`, to a cache.
#[library_benchmark]
#[bench::tierpool_cache(warm(ours::frozen, drop)(), ours::recycle(1))]
#[bench::tierpool_cache_full(warm(ours::frozen, drop)(), ours::recycle(ours::CACHE))]
fn recycle<H>(handle: H, recycle: impl FnOnce(H)) {
    recycle(handle)
}

#[library_benchmark]
#[bench::tierpool(shared(warm(ours::frozen, drop)()))]
#[bench::heapless(shared(warm(heapless_pools::arcs(), drop)()))]
#[bench::bytes(shared(warm(handles::frozen, drop)()))]
#[bench::arc(shared(warm(handles::filled_arc, drop)()))]
fn drop_shared<H>(handle: H) {
    drop(handle)
}

// `VISIBLE` bytes that nobody shares, to write to.
#[library_benchmark]
#[bench::tierpool(lasting(warm(ours::frozen, drop)()), tierpool::Bytes::make_mut)]
#[bench::bytes(warm(handles::frozen, drop)(), handles::make_mut)]
#[bench::arc(lasting(warm(handles::filled_arc, drop)()), handles::make_mut_arc)]
fn make_mut_unique<H, W>(handle: H, make_mut: impl FnOnce(H) -> W) -> W {
    make_mut(handle)
}

// `VISIBLE` bytes that a clone shares, to write to: they are copied.
#[library_benchmark]
#[bench::tierpool(lasting(shared(warm(ours::frozen, drop)())), tierpool::Bytes::make_mut)]
#[bench::bytes(shared(warm(handles::frozen, drop)()), handles::make_mut)]
#[bench::arc(lasting(shared(warm(handles::filled_arc, drop)())), handles::make_mut_arc)]
fn make_mut_shared<H, W>(handle: H, make_mut: impl FnOnce(H) -> W) -> W {
    make_mut(handle)
}

// A message that is longer than most slots: allocated, filled from one slice, and made shareable.
#[library_benchmark]
#[bench::tierpool(warm(messages::in_one_slot, drop))]
#[bench::tierpool_chain(warm(messages::in_a_chain, drop))]
fn write_message<M>(write: impl FnOnce() -> M) -> M {
    write()
}

// Such a message copied to one slice, and dropped.
#[library_benchmark]
#[bench::tierpool(warm(messages::in_one_slot, drop)(), messages::read, messages::target())]
#[bench::tierpool_chain(warm(messages::in_a_chain, drop)(), messages::read_chain, messages::target())]
fn read_message<M>(message: M, read: impl FnOnce(M, &'static mut [u8]), target: &'static mut [u8]) {
    read(message, target)
}

library_benchmark_group!(
    name = operations;
    benchmarks = allocate, free, allocate_handle, freeze, clone, drop_unique, recycle, drop_shared, make_mut_unique, make_mut_shared,
        write_message, read_message
);

main!(
    // glibc picks its memory copy by the processor; this is what all processors have, so that all
    // machines count the same.
    config = LibraryBenchmarkConfig::default()
        .env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX_Fast_Unaligned_Load,-SSSE3,-ERMS");
    library_benchmark_groups = operations
);

/// Makes and gives back a few, two of them at once; then `make` is ready to be counted.
fn warm<T>(make: impl Fn() -> T, give_back: impl Fn(T)) -> impl Fn() -> T {
    for _ in 0..2 {
        let two = [make(), make()];
        black_box(two).into_iter().for_each(&give_back);
    }
    make
}

/// A handle that a clone keeps from being the only one, for ever.
fn shared<H: Clone>(handle: H) -> H {
    std::mem::forget(handle.clone());
    handle
}

fn lasting<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

mod ours {
    use super::{LAYOUT, LEN, VISIBLE, lasting};
    use std::ptr::NonNull;
    use tierpool::{Bytes, BytesMut, PoolCache};

    /// Slots a tier.
    pub const CACHE: usize = 8;

    // Aligned: the instructions of a memory copy depend on it, and must not on where the linker
    // puts the pool.
    tierpool::pool! { static POOL = default, align = 64; }

    #[inline]
    pub fn allocate() -> NonNull<u8> {
        POOL.allocate(LAYOUT).expect("a free slot").cast()
    }

    #[inline]
    pub fn free_by_layout(slot: NonNull<u8>) {
        // SAFETY: all blocks in here come from `allocate`.
        unsafe { POOL.deallocate_sized(slot, LAYOUT) }
    }

    #[inline]
    pub fn free_checked(slot: NonNull<u8>) {
        // SAFETY: as above.
        unsafe { POOL.deallocate(slot) }.expect("a slot of the pool")
    }

    #[inline]
    pub fn buffer() -> BytesMut {
        POOL.alloc(LEN).expect("a free slot")
    }

    #[inline]
    pub fn filled() -> BytesMut {
        let mut buffer = buffer();
        buffer.extend_from_slice(&[7; VISIBLE]).expect("room");
        buffer
    }

    #[inline]
    pub fn frozen() -> Bytes {
        filled().freeze()
    }

    /// From a cache that holds so many slots of the tier.
    pub fn cached(slots: usize) -> impl FnOnce() -> BytesMut {
        let cache = cache(slots);
        || cache.alloc(LEN).expect("a free slot")
    }

    /// To a cache that holds so many slots of the tier.
    pub fn recycle(slots: usize) -> impl FnOnce(Bytes) {
        let cache = cache(slots);
        |bytes| cache.recycle(bytes)
    }

    fn cache(slots: usize) -> &'static mut PoolCache<CACHE, 4> {
        let cache = lasting(PoolCache::new(&POOL));
        // Filled once and flushed: warm.
        for held in [CACHE, slots] {
            cache.flush();
            let buffers: Vec<_> =
                (0..held).map(|_| POOL.alloc(LEN).expect("a free slot")).collect();
            buffers.into_iter().for_each(|buffer| cache.recycle(buffer));
        }
        assert_eq!(cache.cached(), slots);
        cache
    }
}

mod messages {
    use super::lasting;
    use std::hint::black_box;
    use tierpool::{Bytes, Chain, ChainMut};

    /// The bytes of a message, and the slots that it takes.
    const LEN: usize = 1500;
    const SLOTS: usize = LEN.div_ceil(128);

    /// Aligned as the pools are.
    #[repr(align(64))]
    struct Aligned([u8; LEN]);
    static MESSAGE: Aligned = Aligned([7; LEN]);

    tierpool::pool! { static LARGE = [1536 x 4], align = 64; }
    tierpool::pool! { static SMALL = [128 x 48], align = 64; }

    #[inline]
    pub fn in_one_slot() -> Bytes {
        let mut buffer = LARGE.alloc(LEN).expect("a free slot");
        buffer.extend_from_slice(black_box(&MESSAGE.0)).expect("room");
        buffer.freeze()
    }

    #[inline]
    pub fn in_a_chain() -> Chain<SLOTS> {
        let mut chain: ChainMut<SLOTS> = SMALL.alloc_chain(LEN).expect("free slots");
        chain.extend_from_slice(black_box(&MESSAGE.0)).expect("room");
        chain.freeze()
    }

    pub fn target() -> &'static mut [u8] {
        &mut lasting(Aligned([0; LEN])).0
    }

    #[inline]
    pub fn read(message: Bytes, target: &mut [u8]) {
        target.copy_from_slice(&message);
    }

    #[inline]
    pub fn read_chain(mut message: Chain<SLOTS>, target: &mut [u8]) {
        message.copy_to_slice(target).expect("so many bytes");
    }
}

mod heapless_pools {
    use super::{Block, MaybeUninit, lasting};
    use heapless::pool::{arc, boxed};

    heapless::box_pool!(Boxes: Block);
    heapless::arc_pool!(Arcs: Block);

    /// Fills the pool; then what to count.
    pub fn boxes() -> impl Fn() -> boxed::Box<Boxes> {
        (0..16).for_each(|_| Boxes.manage(lasting(boxed::BoxBlock::new())));
        || Boxes.alloc(MaybeUninit::uninit()).expect("a free block")
    }

    #[inline]
    pub fn free(block: boxed::Box<Boxes>) {
        drop(block)
    }

    /// As `boxes`.
    pub fn arcs() -> impl Fn() -> arc::Arc<Arcs> {
        (0..16).for_each(|_| Arcs.manage(lasting(arc::ArcBlock::new())));
        || Arcs.alloc(MaybeUninit::uninit()).expect("a free block")
    }
}

#[expect(clippy::manual_div_ceil, reason = "in the macro of atomic-pool")]
mod atomic {
    use super::{Block, MaybeUninit};

    atomic_pool::pool!(pub Pool: [Block; 16]);

    #[inline]
    pub fn allocate() -> atomic_pool::Box<Pool> {
        atomic_pool::Box::new(MaybeUninit::uninit()).expect("a free block")
    }

    #[inline]
    pub fn free(block: atomic_pool::Box<Pool>) {
        drop(block)
    }
}

mod indices {
    use super::lasting;
    use crossbeam_queue::ArrayQueue;

    /// From a queue with all indices; none is ever pushed to it.
    pub fn allocate() -> impl FnOnce() -> u32 {
        let queue = lasting(ArrayQueue::new(16));
        (0..16).for_each(|index| queue.push(index).expect("room"));
        || queue.pop().expect("a free index")
    }

    /// To a queue with room.
    pub fn free() -> impl FnOnce(u32) {
        let queue = lasting(ArrayQueue::new(16));
        |index| queue.push(index).expect("room")
    }
}

mod heaps {
    use super::{GlobalAlloc, LAYOUT};
    use std::ptr::NonNull;

    pub use mimalloc::MiMalloc as Mimalloc;
    pub use std::alloc::System as Glibc;

    #[inline]
    pub fn allocate<H: Heap>() -> NonNull<u8> {
        // SAFETY: the layout is not empty.
        NonNull::new(unsafe { H::HEAP.alloc(LAYOUT) }).expect("memory")
    }

    #[inline]
    pub fn free<H: Heap>(block: NonNull<u8>) {
        // SAFETY: all blocks of a heap in here come from `allocate`.
        unsafe { H::HEAP.dealloc(block.as_ptr(), LAYOUT) }
    }

    pub trait Heap: GlobalAlloc + 'static {
        const HEAP: Self;
    }

    impl Heap for Glibc {
        const HEAP: Self = Glibc;
    }

    impl Heap for Mimalloc {
        const HEAP: Self = Mimalloc;
    }
}

mod handles {
    use super::{Arc, LEN, MaybeUninit, VISIBLE};
    use bytes::{Bytes, BytesMut};

    #[inline]
    pub fn buffer() -> BytesMut {
        BytesMut::with_capacity(LEN)
    }

    #[inline]
    pub fn filled() -> BytesMut {
        let mut buffer = buffer();
        buffer.extend_from_slice(&[7; VISIBLE]);
        buffer
    }

    #[inline]
    pub fn frozen() -> Bytes {
        filled().freeze()
    }

    /// The other way round would cost more: nothing is counted for freezing it again.
    #[inline]
    pub fn make_mut(bytes: Bytes) -> BytesMut {
        BytesMut::from(bytes)
    }

    #[inline]
    pub fn arc() -> Arc<[MaybeUninit<u8>]> {
        Arc::new_uninit_slice(LEN)
    }

    #[inline]
    pub fn filled_arc() -> Arc<[u8]> {
        Arc::from([7; VISIBLE])
    }

    #[inline]
    pub fn make_mut_arc(arc: &mut Arc<[u8]>) -> &mut [u8] {
        Arc::make_mut(arc)
    }
}
