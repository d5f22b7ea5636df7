//! The image for the check that every ordering became an instruction: it refers to each operation
//! of the library that has an atomic access, with waits, a fallback and a network driver. Nobody
//! runs it.
#![no_std]
#![no_main]

// Start-up, and where a panic goes.
use harness as _;

use core::alloc::Layout;
use core::future::Future;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};
use embassy_net_driver::{Driver, TxToken};
use tierpool::net_driver::{Device, Radio};
use tierpool::{
    AllocError, AllocWait, Bytes, BytesMut, Config, ConfigError, Fallback, FreeError, Object,
    ObjectPool, Pool, PoolCache, PoolStorage, SlotState, Stats, WaitError,
};

/// A heap without memory. That it cannot free in an interrupt handler brings the deferred list into
/// the image.
struct NoHeap;

// SAFETY: no memory is handed out.
unsafe impl Fallback for NoHeap {
    fn free_in_interrupt(&self) -> bool {
        false
    }
    fn allocate(&self, _: Layout) -> Option<NonNull<u8>> {
        core::hint::black_box(None)
    }
    unsafe fn deallocate(&self, _: NonNull<u8>, _: Layout) {}
}

tierpool::pool! { static POOL = default, spill = 1, fallback = &NoHeap, waiters = 2; }

static OBJECTS: ObjectPool<u32, 4> = ObjectPool::new();

/// Defines the operations, and `main`, which refers to each so that the linker keeps it.
macro_rules! operations {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? $body:block)*) => {
        $(
            #[unsafe(no_mangle)]
            #[inline(never)]
            extern "Rust" fn $name($($argument: $type),*) $(-> $result)? $body
        )*

        #[unsafe(no_mangle)]
        fn main() {
            $(core::hint::black_box($name as *const ());)*
        }
    };
}

operations! {
    op_alloc() -> Result<BytesMut, AllocError> { POOL.alloc(500) }
    op_alloc_any(pool: &'static Pool, size: usize) -> Result<BytesMut, AllocError> { pool.alloc(size) }
    op_allocate(layout: Layout) -> Result<NonNull<[u8]>, AllocError> { POOL.allocate(layout) }
    op_deallocate(slot: NonNull<u8>) -> Result<(), FreeError> {
        // SAFETY: never called.
        unsafe { POOL.deallocate(slot) }
    }
    op_wait(wait: Pin<&mut AllocWait>, cx: &mut Context<'_>) -> Poll<Result<BytesMut, WaitError>> { wait.poll(cx) }
    op_cancel(wait: AllocWait) { drop(wait) }
    op_cache_alloc(cache: &mut PoolCache<8, 4>, size: usize) -> Result<BytesMut, AllocError> { cache.alloc(size) }
    op_cache_recycle(cache: &mut PoolCache<8, 4>, buffer: BytesMut) { cache.recycle(buffer) }
    op_cache_drop(cache: PoolCache<8, 4>) { drop(cache) }
    op_clone(bytes: &Bytes) -> Bytes { bytes.clone() }
    op_drop(bytes: Bytes) { drop(bytes) }
    op_drop_mut(buffer: BytesMut) { drop(buffer) }
    op_make_mut(bytes: &mut Bytes) -> Option<&mut [u8]> { bytes.make_mut().ok() }
    op_is_unique(bytes: &Bytes) -> bool { bytes.is_unique() }
    op_stats(pool: &'static Pool) -> Stats { pool.stats() }
    op_is_idle(pool: &'static Pool) -> bool { pool.is_idle() }
    op_reclaim(pool: &'static Pool) -> usize { pool.reclaim() }
    op_in_zeros(
        made: NonNull<*mut Pool>, config: &Config<'_>, states: NonNull<SlotState>,
        payload: NonNull<[MaybeUninit<u8>]>, place: NonNull<PoolStorage<4>>
    ) -> Result<&'static Pool, ConfigError> {
        // SAFETY: never called.
        unsafe { Pool::once(made, || Pool::in_zeros(config, states, payload, place)) }
    }
    op_object(value: u32) -> Result<Object<'static, u32, 4>, u32> { OBJECTS.alloc(value) }
    op_object_drop(object: Object<'static, u32, 4>) { drop(object) }
    op_send(device: &mut Device<'static>, cx: &mut Context<'_>) {
        if let Some(token) = device.transmit(cx) {
            token.consume(1, |_| ());
        }
    }
    op_receive(radio: &mut Radio<'static>, packet: BytesMut) -> Result<(), BytesMut> { radio.rx.push(packet) }
}
