//! Tasks that wait for a buffer: their wakers in places, and a registration against the free that
//! ends the wait.

use std::alloc::Layout;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize as Plain, Ordering::Relaxed};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use loom::sync::atomic::AtomicU32;
use loom::thread;
use tierpool::__private::WakerCell;
use tierpool::{
    AllocWait, BytesMut, Config, Fallback, Pool, RecyclePool, RecycledWait, WaitError, Waiters,
};

use crate::fixture::{Fixture, SLOT, race};
use crate::model::{Model, bounded, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("waiter_is_not_lost", waiter_is_not_lost).narrow(),
    exhaustive("woken_waiter_finds_the_slot", woken_waiter_finds_the_slot).narrow(),
    exhaustive("waiter_dropped_against_its_wake", waiter_dropped_against_its_wake).narrow(),
    Model {
        threads: 2,
        ..bounded("new_waker_against_the_wake_of_the_old", new_waker_against_the_wake_of_the_old)
    }
    .narrow(),
    exhaustive("cancelled_waiter_takes_no_wake_along", cancelled_waiter_takes_no_wake_along)
        .narrow(),
    exhaustive("two_frees_wake_a_waiter_once", two_frees_wake_a_waiter_once).narrow(),
    exhaustive("memory_of_the_fallback_wakes", memory_of_the_fallback_wakes).narrow(),
    exhaustive("panic_in_a_poll_leaves_no_waker", panic_in_a_poll_leaves_no_waker).narrow(),
    Model { bound: Some(2), ..bounded("two_waiters_for_one_slot", two_waiters_for_one_slot) }
        .narrow(),
    exhaustive("object_waiter_is_not_lost", object_waiter_is_not_lost).narrow(),
    exhaustive("woken_object_waiter_sees_the_value", woken_object_waiter_sees_the_value).narrow(),
    exhaustive("cancelled_object_waiter", cancelled_object_waiter).narrow(),
    exhaustive("waker_place_from_owner_to_owner", waker_place_from_owner_to_owner),
    exhaustive("waker_is_seen_whole", waker_is_seen_whole),
    exhaustive("stale_waker_is_not_used", stale_waker_is_not_used),
    exhaustive("stale_waker_is_not_used_after_a_wrap", stale_waker_is_not_used_after_a_wrap),
    exhaustive("wake_after_a_store_is_not_lost", wake_after_a_store_is_not_lost),
];

// ---- tasks: numbers, whose wakers are counted, so that none is used after its end, dropped twice
// or forgotten

const TASKS: usize = 4;
/// How many wakers of a task there are, and how often it has been woken. Not loom's: they take part
/// in no race.
static WAKERS: [Plain; TASKS] = [const { Plain::new(0) }; TASKS];
static WOKEN: [Plain; TASKS] = [const { Plain::new(0) }; TASKS];

/// Wakers of even and of odd tasks have vtables of their own: a waker of words that do not belong
/// together is noticed.
struct Vtable<const PARITY: usize>;

impl<const PARITY: usize> Vtable<PARITY> {
    const VTABLE: RawWakerVTable = RawWakerVTable::new(
        |task| {
            WAKERS[Self::of(task)].fetch_add(1, Relaxed);
            RawWaker::new(task, &Self::VTABLE)
        },
        |task| {
            WOKEN[Self::of(task)].fetch_add(1, Relaxed);
            WAKERS[Self::of(task)].fetch_sub(1, Relaxed);
        },
        |task| {
            WOKEN[Self::of(task)].fetch_add(1, Relaxed);
        },
        |task| {
            WAKERS[Self::of(task)].fetch_sub(1, Relaxed);
        },
    );

    fn of(task: *const ()) -> usize {
        let task = task.addr();
        assert!(task % 2 == PARITY, "a waker of two halves");
        assert!(WAKERS[task].load(Relaxed) > 0, "a waker that is gone");
        task
    }
}

fn waker(task: usize) -> Waker {
    WAKERS[task].fetch_add(1, Relaxed);
    let vtable = if task % 2 == 0 { &Vtable::<0>::VTABLE } else { &Vtable::<1>::VTABLE };
    // SAFETY: the vtable's functions keep to the contract: they only count.
    unsafe { Waker::new(ptr::without_provenance(task), vtable) }
}

fn woken(task: usize) -> usize {
    WOKEN[task].load(Relaxed)
}

/// Every waker has been dropped, or has been used up by a wake.
fn close_wakers() {
    for task in 0..TASKS {
        assert_eq!(WAKERS[task].swap(0, Relaxed), 0, "wakers of task {task} forgotten");
        WOKEN[task].store(0, Relaxed);
    }
}

type Polled = Poll<Result<BytesMut, WaitError>>;

fn poll(future: &mut AllocWait, task: usize) -> Polled {
    Pin::new(future).poll(&mut Context::from_waker(&waker(task)))
}

fn pending(pool: &'static Pool, task: usize) -> AllocWait {
    let mut future = pool.alloc_wait(SLOT);
    assert!(poll(&mut future, task).is_pending());
    future
}

/// A pool with two places to wait, which `body` leaves idle.
fn with_pool(tiers: &[(usize, usize)], body: impl FnOnce(&'static Pool)) {
    with_pool_of(Config::new(tiers).spill(1), body);
}

fn with_pool_of(config: Config<'_>, body: impl FnOnce(&'static Pool)) {
    let waiters = Box::into_raw(Box::new(Waiters::<2>::new()));
    // SAFETY: lives until the pool is closed.
    let fixture = Fixture::new(&config.waiters(unsafe { &*waiters }));
    body(fixture.pool);
    fixture.close();
    // SAFETY: made above; the pool and all who waited are gone.
    drop(unsafe { Box::from_raw(waiters) });
    close_wakers();
}

/// A place for one waker, which `body` leaves free.
fn with_cell(body: impl FnOnce(&'static WakerCell)) {
    with(WakerCell::new(), body);
}

fn with(cell: WakerCell, body: impl FnOnce(&'static WakerCell)) {
    let cell = Box::into_raw(Box::new(cell));
    // SAFETY: lives until all threads are joined.
    body(unsafe { &*cell });
    // SAFETY: made above, and used no more.
    drop(unsafe { Box::from_raw(cell) });
    close_wakers();
}

/// What has been pending has been woken, and gets its buffer.
fn finish(mut future: AllocWait, polled: Polled, task: usize) {
    if polled.is_pending() {
        assert!(woken(task) > 0, "a slot is free, and the task sleeps");
        assert!(poll(&mut future, task).is_ready(), "a slot is free");
    }
}

/// The whole first poll against the free of the only slot. Exposes a registration that comes after
/// the arming.
fn waiter_is_not_lost() {
    with_pool(&[(SLOT, 1)], |pool| {
        let held = pool.alloc(SLOT);
        let mut future = pool.alloc_wait(SLOT);
        let (_, polled) = race(move || drop(held), || poll(&mut future, 0));
        finish(future, polled, 0);
    });
}

/// A waiter polls while it is being woken: either its waker is in its place, or it gets the slot at
/// once. Exposes a taken waker that does not tell of the free behind it.
fn woken_waiter_finds_the_slot() {
    with_pool(&[(SLOT, 1)], |pool| {
        let held = pool.alloc(SLOT);
        let mut future = pending(pool, 0);
        let (_, polled) = race(move || drop(held), || poll(&mut future, 0));
        let stats = pool.stats();
        assert_eq!(stats.tiers()[0].missed, 1, "only the first poll has tried in vain");
        assert_eq!(stats.retries(), 0, "only the first poll has tried in vain");
        finish(future, polled, 0);
    });
}

/// Whoever is first has the waker to itself. Exposes a waker that both have.
fn waiter_dropped_against_its_wake() {
    with_pool(&[(SLOT, 1)], |pool| {
        let held = pool.alloc(SLOT);
        let future = pending(pool, 0);
        race(move || drop(held), || drop(future));
        assert!(woken(0) <= 1);
    });
}

/// A waiter moves to another task while the old one is being woken. Exposes a new waker that is not
/// woken, and has not seen the slot either. Too long to explore without a bound.
fn new_waker_against_the_wake_of_the_old() {
    with_pool(&[(SLOT, 1)], |pool| {
        let held = pool.alloc(SLOT);
        let mut future = pending(pool, 0);
        let (_, polled) = race(move || drop(held), || poll(&mut future, 1));
        finish(future, polled, 1);
    });
}

/// One of two waiters is dropped, before, while or after it is woken. Exposes a wake-up that goes
/// with it.
fn cancelled_waiter_takes_no_wake_along() {
    with_pool(&[(SLOT, 1)], |pool| {
        let held = pool.alloc(SLOT);
        let (cancelled, other) = (pending(pool, 0), pending(pool, 1));
        race(move || drop(held), || drop(cancelled));
        finish(other, Poll::Pending, 1);
    });
}

/// A waiter that two tiers may serve, and a free in each. Exposes a waker that two takers have.
fn two_frees_wake_a_waiter_once() {
    with_pool(&[(SLOT, 1), (2 * SLOT, 1)], |pool| {
        let (small, large) = (pool.alloc(SLOT), pool.alloc(2 * SLOT));
        let future = pending(pool, 0);
        race(move || drop(small), || drop(large));
        assert_eq!(woken(0), 1);
        finish(future, Poll::Pending, 0);
    });
}

/// A heap of one block, whose frees are deferred.
struct OneBlock;

static BLOCKS_TAKEN: Plain = Plain::new(0);

// SAFETY: the block is one of the global allocator's, with the layout that was asked for.
unsafe impl Fallback for OneBlock {
    fn free_in_interrupt(&self) -> bool {
        false
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        if BLOCKS_TAKEN.swap(1, Relaxed) > 0 {
            return None;
        }
        // SAFETY: a buffer has bytes.
        NonNull::new(unsafe { std::alloc::alloc(layout) })
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        BLOCKS_TAKEN.store(0, Relaxed);
        // SAFETY: allocated above.
        unsafe { std::alloc::dealloc(memory.as_ptr(), layout) }
    }
}

/// The first poll against the last drop of the only buffer of the fallback, whose memory is then on
/// the deferred list. Exposes a waiter that sleeps beside it: one that does not ask once more after
/// it has armed, one that does not see the list, and a drop that does not see the waker.
fn memory_of_the_fallback_wakes() {
    with_pool_of(Config::new(&[(SLOT, 1)]).fallback(&OneBlock), |pool| {
        let (slot, buffer) = (pool.alloc(SLOT), pool.alloc(SLOT));
        assert!(buffer.as_ref().is_ok_and(|buffer| !buffer.is_pooled()));
        let mut future = pool.alloc_wait(SLOT);
        let (_, polled) = race(move || drop(buffer), || poll(&mut future, 0));
        finish(future, polled, 0);
        drop(slot);
        pool.reclaim();
        assert_eq!(BLOCKS_TAKEN.load(Relaxed), 0);
    });
}

/// Refuses its first request, and panics at the second.
struct PanicsLater;

static REQUESTS: Plain = Plain::new(0);

// SAFETY: it hands out nothing.
unsafe impl Fallback for PanicsLater {
    fn free_in_interrupt(&self) -> bool {
        true
    }

    fn allocate(&self, _: Layout) -> Option<NonNull<u8>> {
        if REQUESTS.fetch_add(1, Relaxed) > 0 {
            resume_unwind(Box::new("on purpose"));
        }
        None
    }

    unsafe fn deallocate(&self, _: NonNull<u8>, _: Layout) {
        unreachable!("nothing was handed out")
    }
}

/// The slot comes back between the first try of a poll and the arming, and is gone before the
/// second try, in which the fallback panics. Exposes a waker that stays registered though no tier
/// is armed: later polls would take it for a wait.
fn panic_in_a_poll_leaves_no_waker() {
    REQUESTS.store(0, Relaxed);
    with_pool_of(Config::new(&[(SLOT, 1)]).fallback(&PanicsLater), |pool| {
        let held = pool.alloc_pooled(SLOT);
        let mut future = pool.alloc_wait(SLOT);
        let theirs = move || {
            drop(held);
            pool.alloc_pooled(SLOT)
        };
        let (held, polled) =
            race(theirs, || catch_unwind(AssertUnwindSafe(|| poll(&mut future, 0))));
        drop(held);
        match polled {
            Ok(polled) => finish(future, polled, 0),
            Err(_) => {
                assert!(poll(&mut future, 0).is_ready(), "a slot is free, and the task sleeps")
            }
        }
    });
}

/// Two waiters come while the slot comes back. Exposes one that sleeps beside a free slot.
fn two_waiters_for_one_slot() {
    with_pool(&[(SLOT, 1)], |pool| {
        let held = pool.alloc(SLOT);
        let wait = move |task| {
            let mut future = pool.alloc_wait(SLOT);
            let polled = poll(&mut future, task);
            (future, polled.map(drop))
        };
        let one = thread::spawn(move || wait(0));
        let two = thread::spawn(move || wait(1));
        drop(held);
        let joined = [one.join().unwrap(), two.join().unwrap()];
        for (task, (future, polled)) in joined.into_iter().enumerate() {
            if polled.is_pending() {
                finish(future, Poll::Pending, task);
            }
        }
    });
}

/// A pool of one number, which keeps its value, and two places to wait. `body` leaves it idle.
fn with_number(body: impl FnOnce(&'static Number)) {
    let pool = Box::into_raw(Box::new(Number::with_waiters([0])));
    // SAFETY: lives until the end of this function, when all threads are joined.
    body(unsafe { &*pool });
    // SAFETY: made above; all who waited are gone.
    let pool = unsafe { Box::from_raw(pool) };
    assert!(pool.is_idle(), "a slot lost or freed twice");
    drop(pool);
    close_wakers();
}

type Number = RecyclePool<u32, 1, 2>;

fn poll_number(future: &mut RecycledWait<'static, u32, 1, 2>, task: usize) -> Option<u32> {
    match Pin::new(future).poll(&mut Context::from_waker(&waker(task))) {
        Poll::Ready(value) => Some(*value.expect("there are places")),
        Poll::Pending => None,
    }
}

/// The whole first poll against the free of the only object. Exposes a list that is not armed, or
/// too early, and a free that wakes nobody.
fn object_waiter_is_not_lost() {
    with_number(|pool| {
        let mut held = pool.request().unwrap();
        let mut future = pool.request_wait();
        let write_and_free = move || {
            *held = 7;
            drop(held);
        };
        let (_, polled) = race(write_and_free, || poll_number(&mut future, 0));
        let value = polled.or_else(|| {
            assert!(woken(0) > 0, "a slot is free, and the task sleeps");
            poll_number(&mut future, 0)
        });
        assert_eq!(value, Some(7));
    });
}

/// A waiter polls while the free wakes it. Exposes a waiter that gets the slot, and not what its last
/// owner wrote.
fn woken_object_waiter_sees_the_value() {
    with_number(|pool| {
        let mut held = pool.request().unwrap();
        let mut future = pool.request_wait();
        assert_eq!(poll_number(&mut future, 0), None);
        let write_and_free = move || {
            *held = 7;
            drop(held);
        };
        let (_, polled) = race(write_and_free, || poll_number(&mut future, 0));
        assert_eq!(polled.or_else(|| poll_number(&mut future, 0)), Some(7));
        assert_eq!(pool.stats().missed, 1, "a wait is one miss");
    });
}

/// As `cancelled_waiter_takes_no_wake_along`, for objects.
fn cancelled_object_waiter() {
    with_number(|pool| {
        let held = pool.request().unwrap();
        let [mut cancelled, mut other] = [pool.request_wait(), pool.request_wait()];
        assert_eq!((poll_number(&mut cancelled, 0), poll_number(&mut other, 1)), (None, None));
        race(move || drop(held), || drop(cancelled));
        assert_eq!(woken(1), 1, "a slot is free, and the task sleeps");
        assert_eq!(poll_number(&mut other, 1), Some(0));
    });
}

/// Two tasks, one place. Exposes a place with two owners, and one whose next owner writes before
/// the last is done.
fn waker_place_from_owner_to_owner() {
    with_cell(|cell| {
        let own = move |task| {
            if let Some(mut place) = cell.claim() {
                place.register(&waker(task));
            }
        };
        race(move || own(0), || own(1));
        assert!(cell.claim().is_some(), "the place is free");
    });
}

/// A taker that nothing has told of the registration. Exposes one that sees the state before the
/// words.
fn waker_is_seen_whole() {
    with_cell(|cell| {
        let mut place = cell.claim().unwrap();
        race(move || cell.wake(), || place.register(&waker(1)));
    });
}

/// A taker that reads the words of one registration, and swaps when the next one is there. Exposes
/// a missing ticket.
fn stale_waker_is_not_used() {
    with_cell(taker_against_the_next_registration);
}

/// The same where the ticket begins anew. Exposes a ticket that carries into the bits beside it.
fn stale_waker_is_not_used_after_a_wrap() {
    with(WakerCell::before_wrap(2), taker_against_the_next_registration);
}

fn taker_against_the_next_registration(cell: &'static WakerCell) {
    let mut place = cell.claim().unwrap();
    place.register(&waker(0));
    race(move || cell.wake(), || place.register(&waker(1)));
    assert!(woken(0) + woken(1) <= 1);
    drop(place);
}

/// News in a word that is only stored and loaded: of two that write first and look then, one sees
/// the other. Exposes a registration, or a wake, that is no full step of that order.
fn wake_after_a_store_is_not_lost() {
    with_cell(|cell| {
        let news: &'static AtomicU32 = Box::leak(Box::new(AtomicU32::new(0)));
        let mut place = cell.claim().unwrap();
        let (_, seen) = race(
            move || {
                news.store(1, Relaxed);
                cell.wake_after_store();
            },
            || {
                place.register(&waker(0));
                news.load(Relaxed) == 1
            },
        );
        assert!(seen || woken(0) == 1);
        // SAFETY: leaked above, and used no more.
        drop(unsafe { Box::from_raw(ptr::from_ref(news).cast_mut()) });
    });
}
