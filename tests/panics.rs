//! Panics, wherever the user's code runs in between: in a thread that holds handles, in what a
//! handle is asked with or written by, in the pool's hook, in the fallback. No slot is lost, and
//! the pool goes on.

use std::alloc::Layout;
use std::cell::Cell;
use std::fmt::{self, Write};
use std::ops::{Bound, RangeBounds};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tierpool::{BytesMut, Config, Fallback, ObjectPool, Pool, PoolCache};
use tierpool_testkit::{Heap, assert_all_home, fresh_pool};

/// A panic without a message, so that the tests' output stays readable.
fn panic() -> ! {
    resume_unwind(Box::new("on purpose"))
}

/// Panics of `panic`, no others.
#[track_caller]
fn panics<T>(run: impl FnOnce() -> T) -> bool {
    match catch_unwind(AssertUnwindSafe(|| drop(run()))) {
        Ok(()) => false,
        Err(cause) => {
            assert_eq!(cause.downcast_ref(), Some(&"on purpose"));
            true
        }
    }
}

/// A panic in the drop of a waker, while a task gives up its wait.
#[cfg(feature = "wait")]
#[test]
fn a_waker_that_panics_in_drop_loses_no_place() {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Wake, Waker};

    struct Panics;
    impl Wake for Panics {
        fn wake(self: std::sync::Arc<Self>) {}
    }
    impl Drop for Panics {
        fn drop(&mut self) {
            panic()
        }
    }
    tierpool::pool! { static POOL = [64 x 1], waiters = 1; }
    let held = POOL.alloc(1).unwrap();
    let mut wait = Box::pin(POOL.alloc_wait(1));
    let waker = Waker::from(std::sync::Arc::new(Panics));
    assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    assert!(panics(|| drop(wait)));
    let mut next = pin!(POOL.alloc_wait(1));
    assert!(
        next.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(),
        "the place is free"
    );
    drop(held);
    assert!(next.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

/// A panic in a waker, on the way through all that are to be woken.
#[cfg(feature = "wait")]
#[test]
fn a_panicking_waker_does_not_stop_the_others() {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Wake, Waker};
    use tierpool_testkit::Count;

    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic()
        }
    }
    static HOOKED: AtomicUsize = AtomicUsize::new(0);
    fn hook(_: &'static Pool) {
        HOOKED.fetch_add(1, Relaxed);
    }
    tierpool::pool! { static POOL = [64 x 1], on_free = hook, waiters = 3; }
    let held = POOL.alloc(1).unwrap();
    let woken = Arc::<Count>::default();
    let wakers = [woken.clone().into(), Arc::new(Panics).into(), woken.clone().into()];
    let mut waits = [(); 3].map(|()| POOL.alloc_wait(1));
    for (wait, waker) in waits.iter_mut().zip(&wakers) {
        let waker: &Waker = waker;
        assert!(Pin::new(wait).poll(&mut Context::from_waker(waker)).is_pending());
    }
    assert!(panics(|| drop(held)));
    assert_eq!(woken.get(), 2);
    assert_eq!(HOOKED.load(Relaxed), 1);
    assert!(POOL.is_idle(), "the slot is back");
    drop(waits);
}

/// Does `work` in a process of its own, which must be stopped: it must neither come to its end nor
/// unwind. `own_name` is that of the calling test, `turn` tells its processes apart.
#[cfg(feature = "alloc")]
fn stops_the_program(own_name: &str, turn: u32, work: impl FnOnce()) {
    const CHILD: &str = "TIERPOOL_STOPS";
    if let Ok(mine) = std::env::var(CHILD) {
        if mine == turn.to_string() {
            println!("unwound: {}", panics(work));
            std::process::exit(0);
        }
        return;
    }
    let arguments = ["--exact", own_name, "--nocapture"];
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let child = child.args(arguments).env(CHILD, turn.to_string()).output().unwrap();
    let printed = String::from_utf8_lossy(&child.stdout);
    assert!(
        !child.status.success() && child.status.code() != Some(101) && !printed.contains("unwound"),
        "{printed}"
    );
}

/// No value is there yet, so no destructor is called; and the slot is free again.
#[test]
fn a_panic_while_a_value_is_made_loses_no_slot() {
    static POOL: ObjectPool<String, 1> = ObjectPool::new();
    assert!(panics(|| drop(POOL.alloc_with(|| panic()))));
    assert!(POOL.is_idle());
    assert!(panics(|| {
        let mut slot = POOL.alloc_uninit().unwrap();
        std::mem::MaybeUninit::write(&mut slot, String::new()); // has no memory that could leak
        panic()
    }));
    assert!(POOL.is_idle());
    assert_eq!(*POOL.alloc_with(|| String::from("made")).unwrap_or_else(|_| panic()), "made");
    assert!(POOL.is_idle());
}

// ---- the holder

#[test]
fn what_a_panicking_thread_holds_comes_home() {
    static HEAP: Heap<false> = Heap::new();
    static OBJECTS: ObjectPool<String, 2> = ObjectPool::new();
    tierpool::pool! { static POOL = [64 x 8, 256 x 2], fallback = &HEAP, zero_on_free = true; }
    let stays = POOL.copy_from_slice(b"of another thread").unwrap().freeze();
    let copy = stays.clone();
    let holder = std::thread::spawn(move || {
        let mut cache = PoolCache::<4, 4>::new(&POOL);
        let buffer = cache.alloc(64).unwrap();
        let sticky = POOL.alloc_pooled(200).unwrap();
        let shared = POOL.zeroed(60).unwrap().freeze();
        let parts = [shared.slice(1..).unwrap(), shared.clone(), copy];
        let heap = POOL.zeroed(1000).unwrap();
        let object = OBJECTS.alloc(String::from("object"));
        assert!(heap.len() == 1000 && object.is_ok() && parts.len() == 3);
        drop((buffer, sticky));
        let _held = (POOL.alloc(1), heap, shared, parts, object, cache);
        panic()
    });
    assert!(holder.join().is_err());
    assert!(stays.is_unique() && stays == "of another thread");
    drop(stays);
    assert_all_home(&POOL);
    assert!(OBJECTS.is_idle());
    assert_eq!(HEAP.outstanding(), (0, 0));
    assert_eq!(HEAP.dirty(), 0);
}

#[test]
fn a_panic_in_an_argument_changes_no_handle() {
    struct Panics;
    impl RangeBounds<usize> for Panics {
        fn start_bound(&self) -> Bound<&usize> {
            Bound::Included(&1)
        }
        fn end_bound(&self) -> Bound<&usize> {
            panic()
        }
    }
    impl AsRef<[u8]> for Panics {
        fn as_ref(&self) -> &[u8] {
            panic()
        }
    }
    impl fmt::Display for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("so far")?;
            panic()
        }
    }
    tierpool::pool! { static POOL = default; }
    let mut buffer = POOL.copy_from_slice(b"kept, ").unwrap();
    assert!(panics(|| write!(buffer, "{Panics}")));
    assert_eq!(buffer, "kept, so far");
    let bytes = buffer.freeze();
    assert!(
        panics(|| bytes.slice(Panics)) && panics(|| bytes == Panics) && panics(|| bytes < Panics)
    );
    assert!(bytes.is_unique() && bytes == "kept, so far");
    drop(bytes);
    assert_all_home(&POOL);
}

// ---- the hook

thread_local! {
    /// Of one test: the hook runs where the slot is freed.
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

fn panicking_hook(_: &'static Pool) {
    CALLS.set(CALLS.get() + 1);
    panic()
}

/// A name, and a way to free a slot of a tier whose slots are all in use, with a hook that panics.
type Path = (&'static str, fn(&'static Pool, BytesMut));

const PATHS: [Path; 7] = [
    ("the drop of the owner", |_, buffer| drop(buffer)),
    ("the last drop", |_, buffer| drop([buffer.freeze()].map(|bytes| (bytes.clone(), bytes)))),
    ("a raw free", |pool, buffer| {
        // SAFETY: the slot is not used any more.
        unsafe { pool.deallocate(buffer.into_raw().unwrap().cast()) }.unwrap();
    }),
    ("a raw free by layout", |pool, buffer| {
        // SAFETY: the slot is of the tier that serves this layout, and is not used any more.
        unsafe {
            pool.deallocate_sized(buffer.into_raw().unwrap().cast(), Layout::new::<[u8; 64]>())
        };
    }),
    ("growth", |_, mut buffer| buffer.reserve(200).unwrap()),
    ("a move into a smaller slot", |_, buffer| {
        tierpool::pool! { static SMALL = [16 x 1]; }
        buffer.freeze().compact_in(&SMALL).unwrap();
    }),
    ("a full cache", |pool, buffer| {
        let mut cache = PoolCache::<1, 4>::new(pool);
        cache.recycle(buffer);
        cache.flush();
    }),
];

#[test]
fn a_hook_that_panics_loses_no_slot() {
    tierpool::pool! { static POOL = [64 x 2, 256 x 1], on_free = panicking_hook; }
    for (path, run) in PATHS {
        let other = POOL.copy_from_slice(b"stays").unwrap();
        let buffer = POOL.copy_from_slice(b"goes").unwrap();
        let before = CALLS.get();
        assert!(POOL.arm_free_notify(64));
        assert!(panics(|| run(&POOL, buffer)), "{path}");
        assert_eq!(CALLS.get() - before, 1, "{path}");
        assert_eq!(&other[..], &b"stays"[..], "{path}");
        drop(other);
        assert_all_home(&POOL);
    }
}

/// The slots of its other tiers go back, too.
#[test]
fn a_panicking_hook_in_a_cache_loses_no_slot() {
    tierpool::pool! { static POOL = [64 x 1, 256 x 2, 512 x 2], on_free = panicking_hook; }
    let mut cache = PoolCache::<2, 4>::new(&POOL);
    let held = [64, 256, 256, 512].map(|bytes| POOL.alloc(bytes).unwrap());
    held.into_iter().for_each(|buffer| cache.recycle(buffer));
    assert!(cache.cached() == 4 && POOL.arm_free_notify(64));
    assert!(panics(|| drop(cache)));
    assert_all_home(&POOL);
}

/// The old slot is freed after the copy has been made: it panics, and the copy's slot is not lost.
#[test]
fn a_panicking_hook_in_a_copy_loses_no_slot() {
    tierpool::pool! { static FULL = [64 x 1], on_free = panicking_hook; }
    tierpool::pool! { static COPIES = [64 x 1]; }
    let original = FULL.copy_from_slice(b"original").unwrap().freeze();
    assert!(FULL.arm_free_notify(64));
    assert!(panics(|| original.into_mut_in(&COPIES, 60)));
    assert_all_home(&FULL);
    assert_all_home(&COPIES);
}

/// An allocator must not unwind. In a process of its own, which the panic must stop.
#[cfg(feature = "alloc")]
#[test]
fn a_panicking_hook_in_an_allocator_aborts() {
    use std::alloc::{GlobalAlloc, System};
    let free = |pool: &'static Pool| {
        let (allocator, layout) =
            (tierpool::PoolGlobalAlloc::new(pool, System), Layout::new::<u64>());
        // SAFETY: allocated and freed once, with one layout.
        unsafe {
            let memory = allocator.alloc(layout);
            assert!(pool.arm_free_notify(8));
            allocator.dealloc(memory, layout);
        }
    };
    tierpool::pool! { static PANICKING = [8 x 1], on_free = panicking_hook; }
    stops_the_program("a_panicking_hook_in_an_allocator_aborts", 1, || free(&PANICKING));
    static CALLED: AtomicUsize = AtomicUsize::new(0);
    tierpool::pool! { static POOL = [8 x 1], on_free = called; }
    fn called(_: &'static Pool) {
        CALLED.fetch_add(1, Relaxed);
    }
    free(&POOL);
    assert_eq!(CALLED.load(Relaxed), 1, "a hook that does not panic does not stop it");
}

/// A global allocator must not unwind, so a sink of a recorder must not either.
#[cfg(all(feature = "record", feature = "alloc"))]
#[test]
fn a_panicking_sink_of_a_recorder_aborts() {
    use std::alloc::{GlobalAlloc, Layout, System};
    static HEAP: tierpool::TraceAlloc<System> = tierpool::TraceAlloc::new(System, |_| panic!());
    let name = "a_panicking_sink_of_a_recorder_aborts";
    // SAFETY: the size is not 0.
    stops_the_program(name, 1, || _ = unsafe { HEAP.alloc(Layout::new::<u64>()) });
    let block = std::ptr::without_provenance_mut(8);
    // SAFETY: the sink stops the program before the heap sees the block.
    stops_the_program(name, 2, || unsafe { HEAP.dealloc(block, Layout::new::<u64>()) });
}

/// A collection that moved would go on with the block that it has left.
#[cfg(feature = "allocator-api2-03")]
#[test]
fn a_panicking_hook_under_a_collection_aborts() {
    type Vec = allocator_api2_03::vec::Vec<u8, &'static Pool>;
    tierpool::pool! { static POOL = [64 x 1, 256 x 1], on_free = panicking_hook; }
    let moved = |capacity, work: fn(&mut Vec)| {
        move || {
            let mut bytes = Vec::with_capacity_in(capacity, &POOL);
            bytes.push(1);
            assert!(POOL.arm_free_notify(capacity));
            work(&mut bytes);
        }
    };
    let own_name = "a_panicking_hook_under_a_collection_aborts";
    stops_the_program(own_name, 1, moved(64, |bytes| bytes.reserve(100)));
    stops_the_program(own_name, 2, moved(256, |bytes| bytes.shrink_to_fit()));
    stops_the_program(own_name, 3, moved(64, |bytes| *bytes = Vec::new_in(&POOL)));
}

// ---- the fallback

/// Panics at the call of the chosen kind, once.
struct Panicking<const FREE_NOW: bool> {
    heap: Heap<FREE_NOW>,
    at: AtomicUsize,
}

const NEVER: usize = 0;
const PAYLOAD: usize = 1;
const CONTROL: usize = 2;
const FREE_PAYLOAD: usize = 3;
const FREE_CONTROL: usize = 4;

impl<const FREE_NOW: bool> Panicking<FREE_NOW> {
    const fn new() -> Self {
        Panicking { heap: Heap::new(), at: AtomicUsize::new(NEVER) }
    }

    fn called(&self, kind: usize) {
        if self.at.load(Relaxed) == kind {
            self.at.store(NEVER, Relaxed);
            panic()
        }
    }
}

// SAFETY: passed on to a heap that keeps the promises.
unsafe impl<const FREE_NOW: bool> Fallback for Panicking<FREE_NOW> {
    fn free_in_interrupt(&self) -> bool {
        FREE_NOW
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.called(PAYLOAD);
        self.heap.allocate(layout)
    }

    unsafe fn deallocate(&self, payload: NonNull<u8>, layout: Layout) {
        self.called(FREE_PAYLOAD);
        // SAFETY: passed on.
        unsafe { self.heap.deallocate(payload, layout) }
    }

    fn control(&self) -> Option<&dyn Fallback> {
        // SAFETY: the same memory: `PanickingControl` is transparent.
        Some(unsafe { &*std::ptr::from_ref(self).cast::<PanickingControl<FREE_NOW>>() })
    }
}

/// Its control blocks.
#[repr(transparent)]
struct PanickingControl<const FREE_NOW: bool>(Panicking<FREE_NOW>);

impl<const FREE_NOW: bool> PanickingControl<FREE_NOW> {
    fn heap(&self) -> &dyn Fallback {
        self.0.heap.control().expect("apart")
    }
}

// SAFETY: as above.
unsafe impl<const FREE_NOW: bool> Fallback for PanickingControl<FREE_NOW> {
    fn free_in_interrupt(&self) -> bool {
        FREE_NOW
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.0.called(CONTROL);
        self.heap().allocate(layout)
    }

    unsafe fn deallocate(&self, control: NonNull<u8>, layout: Layout) {
        self.0.called(FREE_CONTROL);
        // SAFETY: passed on.
        unsafe { self.heap().deallocate(control, layout) }
    }
}

/// What a fallback has out when `kind` of its functions has panicked once, and all handles are
/// gone.
fn lost_to<const FREE_NOW: bool>(
    fallback: &'static Panicking<FREE_NOW>,
    kind: usize,
) -> (usize, usize) {
    let pool = fresh_pool(&Config::new(&[(16, 1)]).fallback(fallback)).unwrap();
    let large = [pool.zeroed(100).unwrap(), pool.zeroed(100).unwrap()];
    let mut small = pool.copy_from_slice(b"kept").unwrap();
    fallback.at.store(kind, Relaxed);
    let steps = [panics(|| small.reserve(100)), panics(|| drop(large)), panics(|| pool.reclaim())];
    assert_eq!(steps.iter().filter(|&&panicked| panicked).count(), 1, "{kind}: {steps:?}");
    assert!(small == "kept" && small.is_pooled() == steps[0]);
    drop(small);
    while pool.reclaim() > 0 {}
    // The pool goes on, and the slot is there.
    let lost = fallback.heap.outstanding();
    drop((pool.alloc_pooled(16).unwrap(), pool.zeroed(100).unwrap()));
    while pool.reclaim() > 0 {}
    assert_eq!(fallback.heap.outstanding(), lost);
    lost
}

/// Payloads and control blocks that are lost, as documented. No slot is, and nothing is freed
/// twice: the heap counts.
#[test]
fn a_panicking_fallback_loses_its_own_memory() {
    static NOW: [Panicking<true>; 4] = [const { Panicking::new() }; 4];
    static LATER: [Panicking<false>; 4] = [const { Panicking::new() }; 4];
    let lost = [PAYLOAD, CONTROL, FREE_PAYLOAD, FREE_CONTROL]
        .map(|kind| (lost_to(&NOW[kind - 1], kind), lost_to(&LATER[kind - 1], kind)));
    assert_eq!(lost[..2], [((0, 0), (0, 0)), ((1, 0), (1, 0))], "one that allocates");
    // The buffer that is being freed; with deferred frees, also the one behind it on the list.
    assert_eq!(lost[2..], [((1, 1), (2, 2)), ((0, 1), (1, 2))], "one that frees");
}
