//! Three tiers under one lock, a stack of free buffers each: the pool that one writes first. With a
//! spinlock (`spin::mutex::SpinMutex`) and with `std::sync::Mutex`; with a handle that is an `Arc`,
//! whose count is a heap allocation, and without.

use crate::opaque::opaque;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};

use spin::mutex::SpinMutex;

use super::{Candidate, Kind, LEN, SLOTS};

pub const SPIN: &str = "spinlock pool";
pub const SPIN_ARC: &str = "spinlock pool, Arc handles";
pub const MUTEX: &str = "mutex pool";
pub const MUTEX_ARC: &str = "mutex pool, Arc handles";

const SIZES: [usize; 3] = [256, 512, 1024];

/// A lock of either kind.
pub trait Lock<T>: Send + Sync + 'static {
    fn new(value: T) -> Self;
    fn with<R>(&self, job: impl FnOnce(&mut T) -> R) -> R;
}

impl<T: Send + 'static> Lock<T> for SpinMutex<T> {
    fn new(value: T) -> Self {
        SpinMutex::new(value)
    }

    #[inline(always)]
    fn with<R>(&self, job: impl FnOnce(&mut T) -> R) -> R {
        job(&mut self.lock())
    }
}

impl<T: Send + 'static> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Mutex::new(value)
    }

    #[inline(always)]
    fn with<R>(&self, job: impl FnOnce(&mut T) -> R) -> R {
        job(&mut self.lock().expect("nobody panics with the lock"))
    }
}

/// The free buffers of all tiers, under the lock.
pub struct Tiers([Vec<NonNull<u8>>; SIZES.len()]);

// SAFETY: the pointers are to memory that nobody else has.
unsafe impl Send for Tiers {}

impl Tiers {
    fn new(slots: usize) -> Tiers {
        Tiers(SIZES.map(|size| {
            let memory =
                NonNull::from(Box::leak(vec![0u8; size * slots].into_boxed_slice())).cast::<u8>();
            // SAFETY: within the memory.
            (0..slots).map(|slot| unsafe { memory.add(slot * size) }).collect()
        }))
    }
}

/// A buffer that goes back into its pool when it drops.
pub struct Buffer<L: Lock<Tiers>> {
    pub memory: NonNull<u8>,
    tier: u32,
    pub len: u32,
    pool: &'static Pool<L>,
}

// SAFETY: the memory is the buffer's alone until it drops.
unsafe impl<L: Lock<Tiers>> Send for Buffer<L> {}
// SAFETY: a shared buffer is only read.
unsafe impl<L: Lock<Tiers>> Sync for Buffer<L> {}

pub struct Pool<L: Lock<Tiers>>(L);

impl<L: Lock<Tiers>> Pool<L> {
    pub fn leak(slots: usize) -> &'static Pool<L> {
        Box::leak(Box::new(Pool(L::new(Tiers::new(slots)))))
    }

    #[inline(always)]
    pub fn alloc(&'static self, len: usize) -> Option<Buffer<L>> {
        let tier = SIZES.iter().position(|&size| len <= size)?;
        let memory = self.0.with(|tiers| tiers.0[tier].pop())?;
        Some(Buffer { memory, tier: tier as u32, len: 0, pool: self })
    }
}

impl<L: Lock<Tiers>> Drop for Buffer<L> {
    #[inline(always)]
    fn drop(&mut self) {
        self.pool.0.with(|tiers| tiers.0[self.tier as usize].push(self.memory));
    }
}

pub fn pairs() -> Vec<Candidate> {
    fn bare<L: Lock<Tiers>>(name: &'static str, pool: &'static Pool<L>) -> Candidate {
        Candidate::new(name, Kind::Locked, move |work| {
            work.repeat(|| drop(opaque(pool.alloc(LEN))))
        })
    }
    fn counted<L: Lock<Tiers>>(name: &'static str, pool: &'static Pool<L>) -> Candidate {
        Candidate::new(name, Kind::Locked, move |work| {
            work.repeat(|| drop(opaque(pool.alloc(LEN).map(Arc::new))))
        })
    }
    let (spin, mutex) = (Pool::<SpinMutex<Tiers>>::leak(SLOTS), Pool::<Mutex<Tiers>>::leak(SLOTS));
    vec![bare(SPIN, spin), counted(SPIN_ARC, spin), bare(MUTEX, mutex), counted(MUTEX_ARC, mutex)]
}
