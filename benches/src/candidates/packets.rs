//! Shared packets of bytes, as `questions::packet` wants them, of every candidate that counts
//! references.

use std::marker::PhantomData;
use std::ptr;
use std::sync::{Arc, LazyLock, Mutex, Once};

use bytes::BytesMut;
use heapless::pool::arc::ArcBlock;
use spin::mutex::SpinMutex;
use tierpool::{Pool, PoolCache, thread_lane};

use super::locked::{self, Buffer, Lock, Tiers};
use super::typed::Block;
use super::{Candidate, Kind, LEN};
use crate::switch::Heap;

pub const HANDLES: &str = "tierpool, one shared pool";
pub const HANDLES_2_LANES: &str = "tierpool, one shared pool, 2 lanes";
pub const CACHED: &str = "tierpool, a PoolCache a thread";
pub const CACHED_2_LANES: &str = "tierpool, a PoolCache a thread, 2 lanes";
pub const BYTES_GLIBC: &str = "bytes on glibc";
pub const BYTES_MIMALLOC: &str = "bytes on mimalloc";

/// What is received.
static FRAME: [u8; 200] = [0x5a; 200];

/// A thread's way to make packets.
pub trait Packets: 'static {
    type Packet: Send + 'static;

    fn new() -> Self;

    /// Allocates [`LEN`] bytes, fills 200 of them, and makes the buffer one that can be shared.
    fn fill(&mut self) -> Self::Packet;

    fn share(packet: &Self::Packet) -> Self::Packet;

    /// Changes a byte; copies first, because the packet is shared.
    fn write(&mut self, packet: Self::Packet) -> Self::Packet;

    fn free(&mut self, packet: Self::Packet);
}

/// Makes candidates of packets.
pub trait Driver {
    fn candidate<P: Packets>(&self, name: &'static str, kind: Kind, heap: Heap) -> Candidate;
}

pub fn all(driver: &impl Driver) -> Vec<Candidate> {
    vec![
        driver.candidate::<Handles<OneList>>(HANDLES, Kind::Own, Heap::Glibc),
        driver.candidate::<Handles<TwoLanes>>(HANDLES_2_LANES, Kind::Own, Heap::Glibc),
        driver.candidate::<Cached<OneList>>(CACHED, Kind::Own, Heap::Glibc),
        driver.candidate::<Cached<TwoLanes>>(CACHED_2_LANES, Kind::Own, Heap::Glibc),
        driver.candidate::<Shared>(BYTES_GLIBC, Kind::Counted, Heap::Glibc),
        driver.candidate::<Shared>(BYTES_MIMALLOC, Kind::Counted, Heap::Mimalloc),
        driver.candidate::<Slices>("Arc<[u8]> on glibc", Kind::Counted, Heap::Glibc),
        driver.candidate::<Slices>("Arc<[u8]> on mimalloc", Kind::Counted, Heap::Mimalloc),
        driver.candidate::<Heapless>(super::typed::HEAPLESS_ARC, Kind::TypedOrCounted, Heap::Glibc),
        driver.candidate::<Locked<SpinMutex<Tiers>>>(locked::SPIN_ARC, Kind::Locked, Heap::Glibc),
        driver.candidate::<Locked<Mutex<Tiers>>>(locked::MUTEX_ARC, Kind::Locked, Heap::Glibc),
    ]
}

/// Slots of each tier: what lies in the rings, and some.
const SLOTS: usize = 256;

/// A pool that all threads share.
trait SharedPool: 'static {
    const POOL: &'static Pool;
}

tierpool::pool! {
    static ONE_LIST = [256 x SLOTS, 512 x SLOTS, 1024 x SLOTS];
    static TWO_LANES = [256 x SLOTS, 512 x SLOTS, 1024 x SLOTS], lanes = 2, lane = thread_lane;
}

struct OneList;

impl SharedPool for OneList {
    const POOL: &'static Pool = &ONE_LIST;
}

struct TwoLanes;

impl SharedPool for TwoLanes {
    const POOL: &'static Pool = &TWO_LANES;
}

struct Handles<S>(PhantomData<S>);

impl<S: SharedPool> Packets for Handles<S> {
    type Packet = tierpool::Bytes;

    fn new() -> Self {
        Handles(PhantomData)
    }

    #[inline(always)]
    fn fill(&mut self) -> tierpool::Bytes {
        let mut buffer = S::POOL.alloc(LEN).expect("a free slot");
        buffer.extend_from_slice(&FRAME).expect("room");
        buffer.freeze()
    }

    #[inline(always)]
    fn share(packet: &tierpool::Bytes) -> tierpool::Bytes {
        packet.clone()
    }

    #[inline(always)]
    fn write(&mut self, mut packet: tierpool::Bytes) -> tierpool::Bytes {
        packet.make_mut().expect("a free slot")[0] = 1;
        packet
    }

    #[inline(always)]
    fn free(&mut self, packet: tierpool::Bytes) {
        drop(packet);
    }
}

/// All by way of the thread's cache, the copy on write, too.
struct Cached<S>(PoolCache<{ super::cached::CACHE }, 4>, PhantomData<S>);

impl<S: SharedPool> Packets for Cached<S> {
    type Packet = tierpool::Bytes;

    fn new() -> Self {
        Cached(PoolCache::new(S::POOL), PhantomData)
    }

    #[inline(always)]
    fn fill(&mut self) -> tierpool::Bytes {
        let mut buffer = self.0.alloc(LEN).expect("a free slot");
        buffer.extend_from_slice(&FRAME).expect("room");
        buffer.freeze()
    }

    #[inline(always)]
    fn share(packet: &tierpool::Bytes) -> tierpool::Bytes {
        packet.clone()
    }

    #[inline(always)]
    fn write(&mut self, mut packet: tierpool::Bytes) -> tierpool::Bytes {
        if !packet.is_unique() {
            let mut copy = self.0.alloc(packet.len()).expect("a free slot");
            copy.extend_from_slice(&packet).expect("room");
            self.0.recycle(packet);
            packet = copy.freeze();
        }
        packet.make_mut().expect("it is unique")[0] = 1;
        packet
    }

    #[inline(always)]
    fn free(&mut self, packet: tierpool::Bytes) {
        self.0.recycle(packet);
    }
}

/// `bytes`.
struct Shared;

impl Packets for Shared {
    type Packet = bytes::Bytes;

    fn new() -> Self {
        Shared
    }

    #[inline(always)]
    fn fill(&mut self) -> bytes::Bytes {
        let mut buffer = BytesMut::with_capacity(LEN);
        buffer.extend_from_slice(&FRAME);
        buffer.freeze()
    }

    #[inline(always)]
    fn share(packet: &bytes::Bytes) -> bytes::Bytes {
        packet.clone()
    }

    #[inline(always)]
    fn write(&mut self, packet: bytes::Bytes) -> bytes::Bytes {
        let mut own = packet.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        own[0] = 1;
        own.freeze()
    }

    #[inline(always)]
    fn free(&mut self, packet: bytes::Bytes) {
        drop(packet);
    }
}

/// `Arc<[u8]>` of exactly the packet's length: it cannot give up the rest of a larger buffer
/// without a copy.
struct Slices;

impl Packets for Slices {
    type Packet = Arc<[u8]>;

    fn new() -> Self {
        Slices
    }

    #[inline(always)]
    fn fill(&mut self) -> Arc<[u8]> {
        Arc::from(&FRAME[..])
    }

    #[inline(always)]
    fn share(packet: &Arc<[u8]>) -> Arc<[u8]> {
        packet.clone()
    }

    #[inline(always)]
    fn write(&mut self, mut packet: Arc<[u8]>) -> Arc<[u8]> {
        Arc::make_mut(&mut packet)[0] = 1;
        packet
    }

    #[inline(always)]
    fn free(&mut self, packet: Arc<[u8]>) {
        drop(packet);
    }
}

heapless::arc_pool!(ARCS: Block);

/// `heapless`'s `Arc` does not tell whether it is shared; here it is, and the write copies.
struct Heapless;

impl Heapless {
    #[inline(always)]
    fn filled(from: *const u8) -> heapless::pool::arc::Arc<ARCS> {
        let Ok(packet) = ARCS.alloc(Block::uninit()) else { panic!("no free block") };
        // SAFETY: the block is this handle's alone and larger than the frame, which is what `from`
        // points at.
        unsafe { ptr::copy_nonoverlapping(from, packet.0.get().cast::<u8>(), FRAME.len()) };
        packet
    }
}

impl Packets for Heapless {
    type Packet = heapless::pool::arc::Arc<ARCS>;

    fn new() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            (0..SLOTS).for_each(|_| ARCS.manage(Box::leak(Box::new(ArcBlock::new()))))
        });
        Heapless
    }

    #[inline(always)]
    fn fill(&mut self) -> Self::Packet {
        Self::filled(FRAME.as_ptr())
    }

    #[inline(always)]
    fn share(packet: &Self::Packet) -> Self::Packet {
        packet.clone()
    }

    #[inline(always)]
    fn write(&mut self, packet: Self::Packet) -> Self::Packet {
        let copy = Self::filled(packet.0.get().cast::<u8>());
        // SAFETY: the block is this handle's alone.
        unsafe { copy.0.get().cast::<u8>().write(1) };
        copy
    }

    #[inline(always)]
    fn free(&mut self, packet: Self::Packet) {
        drop(packet);
    }
}

/// A lock that has a pool for all threads.
trait Pooled: Lock<Tiers> + Sized {
    fn pool() -> &'static locked::Pool<Self>;
}

impl Pooled for SpinMutex<Tiers> {
    fn pool() -> &'static locked::Pool<Self> {
        static POOL: LazyLock<&locked::Pool<SpinMutex<Tiers>>> =
            LazyLock::new(|| locked::Pool::leak(SLOTS));
        *POOL
    }
}

impl Pooled for Mutex<Tiers> {
    fn pool() -> &'static locked::Pool<Self> {
        static POOL: LazyLock<&locked::Pool<Mutex<Tiers>>> =
            LazyLock::new(|| locked::Pool::leak(SLOTS));
        *POOL
    }
}

/// A pool under a lock, with `Arc` handles.
struct Locked<L: Pooled>(&'static locked::Pool<L>);

impl<L: Pooled> Locked<L> {
    #[inline(always)]
    fn filled(&self, from: *const u8) -> Arc<Buffer<L>> {
        let mut buffer = self.0.alloc(LEN).expect("a free buffer");
        buffer.len = FRAME.len() as u32;
        // SAFETY: the buffer is ours alone and larger than the frame, which is what `from` points
        // at.
        unsafe { ptr::copy_nonoverlapping(from, buffer.memory.as_ptr(), FRAME.len()) };
        Arc::new(buffer)
    }
}

impl<L: Pooled> Packets for Locked<L> {
    type Packet = Arc<Buffer<L>>;

    fn new() -> Self {
        Locked(L::pool())
    }

    #[inline(always)]
    fn fill(&mut self) -> Self::Packet {
        self.filled(FRAME.as_ptr())
    }

    #[inline(always)]
    fn share(packet: &Self::Packet) -> Self::Packet {
        packet.clone()
    }

    #[inline(always)]
    fn write(&mut self, mut packet: Self::Packet) -> Self::Packet {
        if Arc::get_mut(&mut packet).is_none() {
            packet = self.filled(packet.memory.as_ptr());
        }
        // SAFETY: the buffer is this handle's alone.
        unsafe { packet.memory.as_ptr().write(1) };
        packet
    }

    #[inline(always)]
    fn free(&mut self, packet: Self::Packet) {
        drop(packet);
    }
}
