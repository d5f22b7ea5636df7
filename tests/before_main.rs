//! A pool is a constant: it can be used before `main`, where a C++ pool may not have been
//! constructed yet, and after it.
//!
//! The function below runs before `main`, from the table of constructors that the C runtime walks
//! through.
#![cfg(target_os = "linux")]

use std::sync::Mutex;
use tierpool::{AllocError, Bytes, ObjectPool, PoolCache};

static HEAP: tierpool_testkit::Heap<false> = tierpool_testkit::Heap::new();
tierpool::pool! { static POOL = [64 x 2, 256 x 1], spill = 1, fallback = &HEAP, zero_on_free = true; }
static OBJECTS: ObjectPool<u32, 1> = ObjectPool::new();

/// What has been made before `main`.
static EARLY: Mutex<Vec<Bytes>> = Mutex::new(Vec::new());

#[used]
// SAFETY: the section holds pointers to functions such as this one, which needs nothing of Rust's
// runtime.
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = {
    extern "C" fn run() {
        let fill = |n: u8, len| POOL.copy_from_slice(&vec![n; len]).map(|buffer| buffer.freeze());
        let mut cache = PoolCache::<2, 4>::new(&POOL);
        let cached = cache.alloc(64).map(|buffer| cache.recycle(buffer));
        drop(cache);
        let object = OBJECTS.alloc(1).map(|object| *object);
        let made = [fill(1, 64), fill(2, 64), fill(3, 64), fill(4, 1000)];
        if cached.is_ok() && object == Ok(1) && made.iter().all(Result::is_ok) {
            EARLY.lock().unwrap().extend(made.into_iter().flatten());
        }
    }
    run
};

#[test]
fn buffers_made_before_main_come_home() {
    let early = std::mem::take(&mut *EARLY.lock().unwrap());
    let lengths: Vec<_> = early.iter().map(|bytes| (bytes.len(), bytes.is_pooled())).collect();
    assert_eq!(lengths, [(64, true), (64, true), (64, true), (1000, false)]);
    assert!((1..).zip(&early).all(|(n, bytes)| bytes.iter().all(|&byte| byte == n)));
    assert_eq!(POOL.alloc_pooled(1).unwrap_err(), AllocError::Exhausted);
    drop(early);
    tierpool_testkit::assert_all_home(&POOL);
    assert_eq!(HEAP.outstanding(), (0, 0));
    assert_eq!(HEAP.dirty(), 0);
    assert!(OBJECTS.is_idle());
}
