//! Waiting for an object: every way to free one wakes, nobody sleeps on, and places come back.

#![cfg(feature = "wait")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::thread;
use tierpool::{Object, ObjectPool, ObjectWait, RecyclePool, WaitError};
use tierpool_testkit::{Task, block_on};

type One<T> = ObjectPool<T, 1, 2>;

fn task<T>(pool: &One<T>) -> Task<ObjectWait<'_, T, 1, 2>> {
    Task::new(pool.alloc_wait())
}

#[test]
fn no_wait_where_a_slot_is_free() {
    let pool = One::<u32>::with_waiters();
    let Poll::Ready(Ok(slot)) = task(&pool).poll() else { panic!("a slot is free") };
    assert_eq!(*slot.write(7), 7);
    assert_eq!(pool.stats().missed, 0);
}

#[test]
fn as_many_wait_as_the_type_says() {
    let pool = One::<u32>::with_waiters();
    let held = pool.alloc(1).unwrap();
    let [mut first, mut second, mut third] = [(); 3].map(|()| task(&pool));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert!(matches!(third.poll(), Poll::Ready(Err(WaitError::TooManyWaiters))));
    drop(first);
    assert!(third.poll().is_pending(), "a dropped waiter leaves its place");
    drop(held);
    let Poll::Ready(Ok(held)) = second.poll() else { panic!("the slot is free") };
    assert!(task(&pool).poll().is_pending(), "and so does one that has its slot");
    drop(held);

    let none = ObjectPool::<u32, 1>::new();
    let _held = none.alloc(1).unwrap();
    let mut late = Task::new(none.alloc_wait());
    assert!(matches!(late.poll(), Poll::Ready(Err(WaitError::TooManyWaiters))));
}

#[test]
fn a_freed_object_wakes_all_and_losers_wait_on() {
    let pool = One::<u32>::with_waiters();
    let held = pool.alloc(1).unwrap();
    let mut tasks = [(); 2].map(|()| task(&pool));
    assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
    drop(held);
    assert_eq!(tasks.each_ref().map(Task::woken), [1, 1]);
    let Poll::Ready(held) = tasks[1].poll() else { panic!("whoever polls first gets the slot") };
    assert!(tasks[0].poll().is_pending());
    drop(held);
    assert_eq!(tasks.each_ref().map(Task::woken), [2, 1]);
    assert!(tasks[0].poll().is_ready());
    assert!(pool.is_idle());
}

/// Gives an object back in some way.
type Free = fn(Object<'_, Noisy, 1, 2>);

/// Panics in its destructor, if it is told so.
struct Noisy(bool);

impl Drop for Noisy {
    fn drop(&mut self) {
        if self.0 {
            std::panic::resume_unwind(Box::new("on purpose"));
        }
    }
}

#[test]
fn every_way_to_free_an_object_wakes() {
    const WAYS: [(&str, Free); 5] = [
        ("drop", |object| drop(object)),
        ("into_inner", |object| drop(object.into_inner())),
        ("last of two", |object| {
            let shared = object.share();
            drop(shared.clone());
            drop(shared);
        }),
        ("try_unwrap", |object| drop(object.share().try_unwrap())),
        ("a panic", |mut object| {
            object.0 = true;
            assert!(catch_unwind(AssertUnwindSafe(|| drop(object))).is_err());
        }),
    ];
    for (name, free) in WAYS {
        let pool = One::<Noisy>::with_waiters();
        let held = pool.alloc(Noisy(false)).ok().unwrap();
        let mut waiting = task(&pool);
        assert!(waiting.poll().is_pending(), "{name}");
        free(held);
        assert_eq!(waiting.woken(), 1, "{name}");
        assert!(waiting.poll().is_ready(), "{name}");
    }

    // A slot without a value.
    let pool = One::<Noisy>::with_waiters();
    let held = pool.alloc_uninit();
    let mut waiting = task(&pool);
    assert!(waiting.poll().is_pending());
    drop(held);
    assert_eq!(waiting.woken(), 1);
}

#[test]
fn one_handle_of_two_wakes_nobody() {
    let pool = One::<u32>::with_waiters();
    let shared = pool.alloc(1).unwrap().share();
    let other = shared.clone();
    let mut waiting = task(&pool);
    assert!(waiting.poll().is_pending());
    drop(other);
    assert_eq!(waiting.woken(), 0);
    drop(shared);
    assert_eq!(waiting.woken(), 1);
}

#[test]
fn a_cancelled_wait_takes_no_wake_up_along() {
    let pool = One::<u32>::with_waiters();
    let held = pool.alloc(1).unwrap();
    let (mut cancelled, mut other) = (task(&pool), task(&pool));
    assert!(cancelled.poll().is_pending() && other.poll().is_pending());
    drop(held);
    drop(cancelled);
    assert_eq!(other.woken(), 1);
    assert!(other.poll().is_ready());
}

#[test]
#[cfg_attr(
    miri,
    ignore = "compares the addresses of tables of wakers, of which Miri makes several"
)]
fn a_wait_for_an_object_is_one_miss() {
    let pool = One::<u32>::with_waiters();
    let held = pool.alloc(1).unwrap();
    let mut waiting = task(&pool);
    assert!((0..5).all(|_| waiting.poll().is_pending()));
    drop(held);
    let taken = pool.alloc(2);
    assert!(waiting.poll().is_pending(), "another one was faster");
    drop(taken);
    assert!(waiting.poll().is_ready());
    let stats = pool.stats();
    assert_eq!((stats.missed, stats.served), (1, 3));
}

#[test]
fn a_recycled_value_comes_as_it_was_left() {
    let pool = RecyclePool::<u32, 1, 1>::with_waiters([7]);
    let mut held = pool.request().unwrap();
    let mut waiting = Task::new(pool.request_wait());
    assert!(waiting.poll().is_pending());
    *held = 8;
    drop(held);
    assert_eq!(waiting.woken(), 1);
    let Poll::Ready(Ok(value)) = waiting.poll() else { panic!("the slot is free") };
    assert_eq!(*value, 8);
    let mut late = Task::new(pool.request_wait());
    assert!(late.poll().is_pending(), "the first one has left the place");
}

/// Four threads, two objects: a wake-up that is lost makes this hang.
#[test]
fn threads_that_wait_for_objects_all_get_one() {
    const ROUNDS: u32 = if cfg!(miri) { 20 } else { 5_000 };
    static POOL: RecyclePool<u32, 2, 4> = RecyclePool::with_waiters([0; 2]);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    *block_on(POOL.request_wait()).unwrap() += 1;
                }
            });
        }
    });
    let values = [POOL.request().unwrap(), POOL.request().unwrap()];
    assert_eq!(values.iter().map(|value| **value).sum::<u32>(), 4 * ROUNDS);
}

#[cfg(feature = "track")]
#[test]
fn who_waited_for_an_object_holds_it() {
    let pool = One::<u32>::with_waiters();
    let held = pool.alloc(1).unwrap();
    let line = line!() + 1;
    let mut waiting = Task::new(pool.alloc_wait());
    assert!(waiting.poll().is_pending());
    drop(held);
    let Poll::Ready(Ok(_slot)) = waiting.poll() else { panic!("the slot is free") };
    let holder = pool.held().next().unwrap().holder.to_string();
    assert_eq!(holder, format!("{}:{line}", file!()));
}
