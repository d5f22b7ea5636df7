//! Waiting for a free slot: the sentinel on an empty list.

use std::sync::atomic::{AtomicU32 as Plain, Ordering::Relaxed};

use loom::sync::atomic::AtomicU32;
use loom::thread;
use tierpool::{Config, Pool};

use crate::fixture::{Fixture, SLOT, cycle, give, race, take};
use crate::model::{Model, bounded, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("wake_is_not_lost", wake_is_not_lost).narrow(),
    exhaustive("no_hook_without_a_waiter", no_hook_without_a_waiter).narrow(),
    exhaustive("arm_against_two_frees", arm_against_two_frees).narrow(),
    exhaustive("woken_waiter_sees_the_slot_done", woken_waiter_sees_the_slot_done).narrow(),
    bounded("both_waiters_are_seen", both_waiters_are_seen).narrow(),
];

loom::lazy_static! {
    /// A bit for each waiter, written (relaxed) before it arms.
    static ref WAITING: AtomicU32 = AtomicU32::new(0);
}
/// How often the hook has been called, and what it saw of `WAITING` then. Not loom's: they take
/// part in no race.
static CALLS: Plain = Plain::new(0);
static SEEN: Plain = Plain::new(0);

fn hook(_: &'static Pool) {
    CALLS.fetch_add(1, Relaxed);
    SEEN.fetch_or(WAITING.load(Relaxed), Relaxed);
}

fn fixture() -> Fixture {
    CALLS.store(0, Relaxed);
    SEEN.store(0, Relaxed);
    Fixture::new(&Config::new(&[(SLOT, 1)]).on_free(hook))
}

/// Notes that `waiter` waits, and arms. False: a slot has come back.
fn wait(pool: &'static Pool, waiter: u32) -> bool {
    WAITING.fetch_or(waiter, Relaxed);
    pool.arm_free_notify(SLOT)
}

/// The arming swap against the push: either the waiter finds the slot, or the hook is called, once,
/// and finds the waiter's note. Exposes a sentinel that is overwritten, and one that carries
/// nothing.
fn wake_is_not_lost() {
    let fixture = fixture();
    let pool = fixture.pool;
    let held = take(pool).unwrap();
    let other = thread::spawn(move || give(pool, held));
    let armed = wait(pool, 1);
    if !armed {
        cycle(pool);
    }
    other.join().unwrap();
    assert_eq!(CALLS.load(Relaxed), u32::from(armed), "called exactly when armed");
    assert_eq!(SEEN.load(Relaxed), u32::from(armed), "the hook sees who waits");
    fixture.close();
}

/// Pops and pushes over an empty list that nobody has armed. Exposes a hook that is called for
/// nothing.
fn no_hook_without_a_waiter() {
    let fixture = fixture();
    let pool = fixture.pool;
    race(move || cycle(pool), || cycle(pool));
    assert_eq!(CALLS.load(Relaxed), 0);
    fixture.close();
}

/// One arm, two frees, one of them behind a pop: the sentinel is used up by the first. Exposes a
/// sentinel that survives as the link of a slot.
fn arm_against_two_frees() {
    let fixture = fixture();
    let pool = fixture.pool;
    let held = take(pool).unwrap();
    let (_, armed) = race(
        move || {
            give(pool, held);
            cycle(pool);
        },
        || wait(pool, 1),
    );
    // The free of the cycle may have been the first after the arm.
    assert_eq!(CALLS.load(Relaxed), u32::from(armed), "called exactly when armed");
    cycle(pool);
    assert_eq!(CALLS.load(Relaxed), u32::from(armed), "and not again");
    fixture.close();
}

/// A push on a list that is armed already, against the pop of the woken. Exposes a push to a waiter
/// that does not carry the last owner's use of the slot along.
fn woken_waiter_sees_the_slot_done() {
    let fixture = fixture();
    let pool = fixture.pool;
    let held = take(pool).unwrap();
    assert!(wait(pool, 1));
    race(move || give(pool, held), || cycle(pool));
    fixture.close();
}

/// Two waiters arm one empty list. Exposes a second waiter who relies on the first one's sentinel,
/// and is not seen.
fn both_waiters_are_seen() {
    let fixture = fixture();
    let pool = fixture.pool;
    let held = take(pool).unwrap();
    let one = thread::spawn(move || if wait(pool, 1) { 1 } else { 0 });
    let two = thread::spawn(move || if wait(pool, 2) { 2 } else { 0 });
    give(pool, held);
    let armed = one.join().unwrap() | two.join().unwrap();
    assert_eq!(SEEN.load(Relaxed) & armed, armed, "the hook sees all who have armed");
    fixture.close();
}
