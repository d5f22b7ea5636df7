//! Pools in fresh memory, which may be given back at the end of a run.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::Mutex;
use tierpool::{Config, ConfigError, Pool, PoolStorage, SlotState};

/// As `Box::leak`, but on purpose: the address is kept, so that Valgrind finds the memory in use.
pub fn leak<T: ?Sized>(boxed: Box<T>) -> &'static mut T {
    let leaked = Box::leak(boxed);
    keep((&raw const *leaked).cast::<()>().addr());
    leaked
}

/// Memory at this address is never freed.
pub fn keep(address: usize) {
    static KEPT: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    KEPT.lock().unwrap().push(address);
}

/// As `Pool::leak`, but without a feature, and in memory that is zero at first.
pub fn fresh_pool(config: &Config<'_>) -> Result<&'static Pool, ConfigError> {
    Ok(leak(Box::new(PoolMemory::new(config)?)).pool)
}

/// A pool in memory of its own, zero at first, that is given back when this is dropped: for tests
/// that make very many.
#[derive(Debug)]
pub struct PoolMemory {
    pool: &'static Pool,
    payload: (NonNull<u8>, Layout),
    states: *mut [MaybeUninit<SlotState>],
    place: *mut MaybeUninit<PoolStorage<16>>,
}

impl PoolMemory {
    /// Fresh memory, and the pool in it.
    pub fn new(config: &Config<'_>) -> Result<PoolMemory, ConfigError> {
        config.check()?;
        let layout =
            Layout::from_size_align(config.payload_bytes(), config.payload_align()).unwrap();
        // SAFETY: a checked geometry has payload.
        let payload = NonNull::new(unsafe { alloc_zeroed(layout) }).unwrap();
        let states = Box::into_raw(Box::<[SlotState]>::new_uninit_slice(config.slots()));
        let place = Box::into_raw(Box::<PoolStorage<16>>::new_uninit());
        // SAFETY: three allocations, ours until `drop`, which comes after all use of the pool.
        let parts = unsafe {
            (
                &mut *states,
                NonNull::slice_from_raw_parts(payload.cast(), layout.size()).as_mut(),
                &mut *place,
            )
        };
        let pool = Pool::from_static_parts(config, parts.0, parts.1, parts.2)?;
        Ok(PoolMemory { pool, payload: (payload, layout), states, place })
    }

    /// The pool.
    ///
    /// # Safety
    /// Nobody uses the pool, or a handle on one of its buffers, once this is dropped.
    pub unsafe fn pool(&self) -> &'static Pool {
        self.pool
    }
}

impl Drop for PoolMemory {
    fn drop(&mut self) {
        // SAFETY: allocated so by `new`; whoever has got the pool has promised not to use it any
        // more.
        unsafe {
            dealloc(self.payload.0.as_ptr(), self.payload.1);
            drop(Box::from_raw(self.states));
            drop(Box::from_raw(self.place));
        }
    }
}
