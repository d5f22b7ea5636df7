//! Lanes: two free lists for one tier. A request steals from the other lane; a slot goes back to
//! its own.

use std::cell::Cell;

use tierpool::{AllocError, BytesMut, Config, Object, ObjectLanes, Pool, PoolCache};

use crate::fixture::{Fixture, SLOT, race};
use crate::model::{Model, bounded, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("lanes_stealing_against_a_free", stealing_against_a_free),
    exhaustive("lanes_stolen_slots_go_home", stolen_slots_go_home),
    exhaustive("lanes_exhausted_at_an_instant", exhausted_at_an_instant),
    // Five switches lead there and back twice.
    Model {
        threads: 2,
        bound: Some(5),
        ..bounded("lanes_exhausted_there_and_back", exhausted_there_and_back)
    },
    Model { threads: 2, ..bounded("lanes_exhausted_when_it_is_true", exhausted_when_it_is_true) },
    exhaustive("lanes_never_idle_between", never_idle_between),
    exhaustive("lanes_a_waiter_against_a_free", a_waiter_against_a_free),
    exhaustive("lanes_a_cache_gives_back_to_each", a_cache_gives_back_to_each),
    bounded("lanes_one_slot_for_two_thieves", one_slot_for_two_thieves),
    exhaustive("lanes_of_objects_at_an_instant", objects_exhausted_at_an_instant),
    Model {
        threads: 2,
        bound: Some(5),
        ..bounded("lanes_of_objects_there_and_back", objects_exhausted_there_and_back)
    },
    exhaustive("lanes_of_objects_never_idle", objects_never_idle_between),
];

loom::thread_local! {
    static LANE: Cell<usize> = Cell::new(0);
}

fn lane() -> usize {
    LANE.with(Cell::get)
}

/// This thread's requests begin in that lane from now on.
fn begin_in(lane: usize) {
    LANE.with(|mine| mine.set(lane));
}

/// `slots` slots in two lanes.
fn two_lanes(slots: usize) -> Fixture {
    Fixture::new(&Config::new(&[(SLOT, slots)]).lanes(2).lane(lane))
}

fn taken_in(pool: &'static Pool, lane: usize) -> BytesMut {
    begin_in(lane);
    pool.alloc(SLOT).unwrap()
}

/// One thread steals the last slot of the other's lane while that one frees into it. Both get one.
fn stealing_against_a_free() {
    let fixture = two_lanes(2);
    let pool = fixture.pool;
    let held = taken_in(pool, 1);
    let (theirs, mine) = race(
        move || {
            begin_in(1);
            drop(held);
            pool.alloc(SLOT)
        },
        || {
            begin_in(0);
            let own = pool.alloc(SLOT);
            (own, pool.alloc(SLOT))
        },
    );
    let served = [theirs.is_ok(), mine.0.is_ok(), mine.1.is_ok()];
    assert_eq!(
        served.iter().filter(|served| **served).count(),
        2,
        "two slots for three requests: {served:?}"
    );
    drop((theirs, mine));
    fixture.close();
}

/// Both threads begin in lane 0, which has one slot, so that one of them steals. `close` finds all
/// slots at home.
fn stolen_slots_go_home() {
    let fixture = two_lanes(2);
    let pool = fixture.pool;
    race(move || drop(pool.alloc(SLOT).unwrap()), || drop(pool.alloc(SLOT).unwrap()));
    fixture.close();
}

/// The other frees a slot of lane 0 and takes that of lane 1. Exposes a walk that finds each lane
/// empty at a moment of its own.
fn exhausted_at_an_instant() {
    let fixture = two_lanes(2);
    let pool = fixture.pool;
    let held = taken_in(pool, 0);
    let (theirs, mine) = race(
        move || {
            begin_in(1);
            drop(held);
            pool.alloc(SLOT)
        },
        || pool.alloc(SLOT),
    );
    assert!(theirs.is_ok() && mine.is_ok(), "two slots for two requests");
    drop((theirs, mine));
    fixture.close();
}

/// The other goes from lane to lane and back. Exposes a second look that compares nothing but
/// whether the lanes are empty.
fn exhausted_there_and_back() {
    let fixture = two_lanes(2);
    let pool = fixture.pool;
    let held = taken_in(pool, 0);
    let (theirs, mine) = race(
        move || {
            let mut held = Some(held);
            for lane in [1, 0, 1] {
                begin_in(lane);
                drop(held.take());
                held = pool.alloc(SLOT).ok();
            }
            held
        },
        || pool.alloc(SLOT),
    );
    assert!(mine.is_ok(), "exhausted, but a slot was free at every moment");
    drop((theirs, mine));
    fixture.close();
}

/// Three requests for two slots: one fails, and is counted once, though it looks at two lanes
/// twice.
fn exhausted_when_it_is_true() {
    let fixture = two_lanes(2);
    let pool = fixture.pool;
    let held = taken_in(pool, 0);
    let (theirs, mine) = race(move || pool.alloc(SLOT), || pool.alloc(SLOT));
    assert!(theirs.is_ok() != mine.is_ok(), "one slot for two");
    let stats = pool.stats();
    assert_eq!(stats.hits(), 2);
    assert_eq!(stats.exhausted(), 1);
    assert_eq!(stats.tiers()[0].missed, 1);
    drop((held, theirs, mine));
    fixture.close();
}

/// A buffer moves from lane to lane: never idle.
fn never_idle_between() {
    let fixture = two_lanes(2);
    let pool = fixture.pool;
    let held = taken_in(pool, 1);
    let (moved, ()) = race(
        move || {
            begin_in(0);
            let other = pool.alloc(SLOT).unwrap();
            drop(held);
            other
        },
        || assert!(!pool.is_idle(), "idle, but something has been held at every moment"),
    );
    drop(moved);
    fixture.close();
}

/// A waiter arms both lanes while a slot of the second one comes back: it is told, or finds the
/// slot.
fn a_waiter_against_a_free() {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static CALLS: AtomicU32 = AtomicU32::new(0);
    fn hook(_: &'static Pool) {
        CALLS.fetch_add(1, Relaxed);
    }
    CALLS.store(0, Relaxed);
    let fixture = Fixture::new(&Config::new(&[(SLOT, 2)]).lanes(2).lane(lane).on_free(hook));
    let pool = fixture.pool;
    let (kept, comes_back) = (taken_in(pool, 0), taken_in(pool, 1));
    let ((), armed) = race(move || drop(comes_back), || pool.arm_free_notify(SLOT));
    assert!(!armed || CALLS.load(Relaxed) == 1, "armed, and not called");
    drop(kept);
    fixture.close();
}

/// A cache holds slots of both lanes, and flushes them while another thread uses the pool.
fn a_cache_gives_back_to_each() {
    let fixture = two_lanes(2);
    let pool = fixture.pool;
    let mut cache = PoolCache::<2, 1>::new(pool);
    let both = (taken_in(pool, 0), taken_in(pool, 1));
    cache.recycle(both.0);
    cache.recycle(both.1);
    race(
        move || {
            begin_in(1);
            drop(pool.alloc(SLOT));
        },
        || cache.flush(),
    );
    drop(cache);
    fixture.close();
}

/// Three threads, two slots: at most one fails while one slot comes back.
fn one_slot_for_two_thieves() {
    let fixture = two_lanes(2);
    let pool = fixture.pool;
    let held = taken_in(pool, 0);
    let one = loom::thread::spawn(move || pool.alloc(SLOT));
    let two = loom::thread::spawn(move || pool.alloc(SLOT));
    drop(held);
    let (one, two) = (one.join().unwrap(), two.join().unwrap());
    assert!(one.is_ok() || two.is_ok());
    for result in [&one, &two] {
        assert!(
            result.is_ok() || result.as_ref().is_err_and(|error| *error == AllocError::Exhausted)
        );
    }
    drop((one, two));
    fixture.close();
}

/// Two lanes of one object each.
type Objects = ObjectLanes<u32, 1, 2>;

fn object(pool: &Objects, lane: usize) -> Option<Object<'_, u32, 1>> {
    pool.alloc(lane, 7).ok()
}

/// As `exhausted_at_an_instant`, with objects.
fn objects_exhausted_at_an_instant() {
    let pool: &'static Objects = Box::leak(Box::new(Objects::new()));
    let held = object(pool, 0);
    let (theirs, mine) = race(
        move || {
            drop(held);
            object(pool, 1)
        },
        || object(pool, 0),
    );
    assert!(theirs.is_some() && mine.is_some(), "two slots for two requests");
    drop((theirs, mine));
    assert!(pool.is_idle());
}

/// As `exhausted_there_and_back`, with objects. Also: a request that fails is one miss.
fn objects_exhausted_there_and_back() {
    let pool: &'static Objects = Box::leak(Box::new(Objects::new()));
    let held = object(pool, 0);
    let (theirs, mine) = race(
        move || {
            let mut held = held;
            for lane in [1, 0, 1] {
                drop(held.take());
                held = object(pool, lane);
            }
            held
        },
        || object(pool, 0),
    );
    assert!(mine.is_some(), "exhausted, but a slot was free at every moment");
    assert_eq!(pool.stats().missed, u32::from(theirs.is_none()).into());
    drop((theirs, mine));
    assert!(pool.is_idle());
}

/// As `never_idle_between`, with objects.
fn objects_never_idle_between() {
    let pool: &'static Objects = Box::leak(Box::new(Objects::new()));
    let held = object(pool, 1);
    let (moved, ()) = race(
        move || {
            let other = object(pool, 0);
            drop(held);
            other
        },
        || assert!(!pool.is_idle(), "idle, but something has been held at every moment"),
    );
    drop(moved);
}
