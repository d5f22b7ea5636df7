//! One function for each pool operation, for the checks of machine code. The linker keeps them;
//! nobody runs them.

use core::alloc::Layout;
use core::ptr::NonNull;
use pools::POOL;
use tierpool::{AllocError, Bytes, BytesMut, FreeError, Pool, PoolCache};

mod pools {
    tierpool::pool! { pub static POOL = default, spill = 1; }
}

/// Defines the operations, and `keep`, which refers to each so that the linker keeps it.
macro_rules! operations {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? $body:block)*) => {
        $(
            #[unsafe(no_mangle)]
            #[inline(never)]
            extern "Rust" fn $name($($argument: $type),*) $(-> $result)? $body
        )*

        pub fn keep() {
            $(core::hint::black_box($name as *const ());)*
        }
    };
}

operations! {
    op_alloc() -> Result<BytesMut, AllocError> { POOL.alloc(500) }
    op_alloc_any(pool: &'static Pool, size: usize) -> Result<BytesMut, AllocError> { pool.alloc(size) }
    op_alloc_pooled() -> Result<BytesMut, AllocError> { POOL.alloc_pooled(500) }
    op_allocate(layout: Layout) -> Result<NonNull<[u8]>, AllocError> { POOL.allocate(layout) }
    op_deallocate(slot: NonNull<u8>) -> Result<(), FreeError> {
        // SAFETY: never called.
        unsafe { POOL.deallocate(slot) }
    }
    op_deallocate_sized(slot: NonNull<u8>, layout: Layout) {
        // SAFETY: never called.
        unsafe { POOL.deallocate_sized(slot, layout) }
    }
    op_cache_alloc(cache: &mut PoolCache<8, 4>, size: usize) -> Result<BytesMut, AllocError> { cache.alloc(size) }
    op_cache_recycle(cache: &mut PoolCache<8, 4>, buffer: BytesMut) { cache.recycle(buffer) }
    op_freeze(buffer: BytesMut) -> Bytes { buffer.freeze() }
    op_clone(bytes: &Bytes) -> Bytes { bytes.clone() }
    op_drop(bytes: Bytes) { drop(bytes) }
    op_drop_mut(buffer: BytesMut) { drop(buffer) }
    op_make_mut(bytes: &mut Bytes) -> Option<&mut [u8]> { bytes.make_mut().ok() }
}
