//! The tagged stack, by its shortest way: raw slots, no check.

use loom::thread;
use tierpool::{Bytes, Config};

use crate::fixture::{Fixture, SLOT, buffer, cycle, give, leak, pool, race, take};
use crate::model::{Model, bounded, exhaustive, must_fail};

pub const MODELS: &[Model] = &[
    exhaustive("pop_against_pop", pop_against_pop).narrow(),
    exhaustive("pop_against_push", pop_against_push).narrow(),
    exhaustive("pop_against_push_over_a_gap", pop_against_push_over_a_gap).narrow(),
    exhaustive("push_against_push", push_against_push).narrow(),
    exhaustive("payload_handover", payload_handover).narrow(),
    exhaustive("two_slots_two_cycles", two_slots_two_cycles).narrow(),
    exhaustive("aba", aba).narrow(),
    Model { threads: 2, ..bounded("aba_after_four_pops", aba_after_four_pops) }.narrow(),
    exhaustive("into_exhaustion", into_exhaustion).narrow(),
    exhaustive("into_exhaustion_with_spill", into_exhaustion_with_spill).narrow(),
    bounded("link_of_an_older_push", link_of_an_older_push).narrow(),
    bounded("three_cycles_on_two_slots", three_cycles_on_two_slots).narrow(),
    must_fail("closing_check_sees_a_leaked_handle", closing_check_sees_a_leaked_handle).narrow(),
    must_fail("closing_check_sees_a_lost_slot", closing_check_sees_a_lost_slot).narrow(),
];

/// Both pops load the same head. Exposes a pop that does not compare: one slot for two owners.
fn pop_against_pop() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let (theirs, mine) = race(move || take(pool), || take(pool));
    assert!(mine.is_some() && theirs.is_some() && mine != theirs);
    [mine, theirs].into_iter().flatten().for_each(|slot| give(pool, slot));
    fixture.close();
}

/// A pop's load of head and link against a push's store of the link and its swap. Exposes a link
/// that is published late or not at all: a lost or a doubled slot.
fn pop_against_push() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let held = take(pool).unwrap();
    let (_, mine) = race(move || give(pool, held), || take(pool).unwrap());
    give(pool, mine);
    fixture.close();
}

/// As [`pop_against_push`], but the slot below the pushed one is not its neighbour, which is held.
/// Exposes a link that is written after the swap: what stood there before would lead to the
/// neighbour.
fn pop_against_push_over_a_gap() {
    let fixture = pool(3);
    let pool = fixture.pool;
    let (pushed, neighbour) = (take(pool).unwrap(), take(pool).unwrap());
    let (_, popped) = race(move || give(pool, pushed), || [take(pool), take(pool)]);
    assert!(!popped.contains(&Some(neighbour)), "one slot for two owners");
    popped.into_iter().flatten().for_each(|slot| give(pool, slot));
    give(pool, neighbour);
    fixture.close();
}

/// Two swaps of one head. Exposes a push that does not compare: a lost slot.
fn push_against_push() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let (a, b) = (take(pool).unwrap(), take(pool).unwrap());
    race(move || give(pool, a), || give(pool, b));
    fixture.close();
}

/// One slot goes from owner to owner: the write of the one, its push, the pop and the write of the
/// other. Exposes a push that does not release, and a pop that does not acquire.
fn payload_handover() {
    let fixture = pool(1);
    let pool = fixture.pool;
    race(move || cycle(pool), || cycle(pool));
    fixture.close();
}

/// A whole cycle against a whole cycle: slots trade places under both.
fn two_slots_two_cycles() {
    let fixture = pool(2);
    let pool = fixture.pool;
    race(move || cycle(pool), || cycle(pool));
    fixture.close();
}

/// One pop stalls between its loads and its swap; meanwhile two slots are popped and the first is
/// pushed back: the same slot on top, but another one below it. Exposes a missing tag, or one of 1
/// bit.
fn aba() {
    aba_on(pool(3));
}

/// [`aba`] on three free slots.
pub fn aba_on(fixture: Fixture) {
    let pool = fixture.pool;
    let (third, second) = race(
        move || take(pool),
        || {
            let (first, second) = (take(pool), take(pool));
            give(pool, first.unwrap());
            second
        },
    );
    assert!(second != third, "one slot for two owners");
    [second, third].into_iter().flatten().for_each(|slot| give(pool, slot));
    fixture.close();
}

/// As [`aba`], with four pops while the other stalls: a tag of 2 bits comes back to where it was.
/// Too long to explore without a bound.
fn aba_after_four_pops() {
    let fixture = pool(5);
    let pool = fixture.pool;
    let (last, held) = race(
        move || take(pool),
        || {
            let held = [(); 4].map(|()| take(pool));
            give(pool, held[0].unwrap());
            held
        },
    );
    assert!(!held[1..].contains(&last), "one slot for two owners");
    held[1..].iter().chain([&last]).flatten().for_each(|slot| give(pool, *slot));
    fixture.close();
}

/// Two requests for one slot. Exposes a pop that goes past the end of the list, or a miss that is
/// not counted.
fn into_exhaustion() {
    let fixture = pool(1);
    let pool = fixture.pool;
    let (theirs, mine) = race(move || take(pool), || take(pool));
    assert!(mine.is_some() != theirs.is_some(), "exactly one gets the slot");
    let stats = pool.stats();
    assert_eq!(stats.hits(), 1);
    assert_eq!(stats.exhausted(), 1);
    assert_eq!(stats.tiers()[0].missed, 1);
    [mine, theirs].into_iter().flatten().for_each(|slot| give(pool, slot));
    fixture.close();
}

/// As [`into_exhaustion`], with a larger tier to go to. Exposes a spill that gives up, or that
/// takes from the wrong tier.
fn into_exhaustion_with_spill() {
    let fixture = Fixture::new(&Config::new(&[(SLOT, 1), (2 * SLOT, 1)]).spill(1));
    let pool = fixture.pool;
    let (theirs, mine) = race(
        move || pool.alloc(SLOT).map(|buffer| buffer.capacity()),
        || pool.alloc(SLOT).map(|buffer| buffer.capacity()),
    );
    for capacity in [mine, theirs] {
        assert!(
            matches!(capacity, Ok(SLOT) | Ok(16)),
            "with two slots for two requests none may fail"
        );
    }
    fixture.close();
}

/// Two pushes, one above the other, by different threads; the third pops both, and reads the link
/// that the *older* push wrote through the head that the younger one wrote. Exposes a write to the
/// head that breaks the release sequence.
fn link_of_an_older_push() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let (a, b) = (take(pool).unwrap(), take(pool).unwrap());
    let one = thread::spawn(move || give(pool, a));
    let two = thread::spawn(move || give(pool, b));
    let popped = [take(pool), take(pool)];
    one.join().unwrap();
    two.join().unwrap();
    popped.into_iter().flatten().for_each(|slot| give(pool, slot));
    fixture.close();
}

/// Three threads, two slots: one of them comes too late at times.
fn three_cycles_on_two_slots() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let one = thread::spawn(move || cycle(pool));
    let two = thread::spawn(move || cycle(pool));
    cycle(pool);
    one.join().unwrap();
    two.join().unwrap();
    fixture.close();
}

/// A handle that is never dropped: what `close` is there for.
fn closing_check_sees_a_leaked_handle() {
    let fixture = pool(2);
    let shared = buffer(fixture.pool).freeze();
    let clone = Bytes::clone(&shared);
    thread::spawn(move || drop(clone)).join().unwrap();
    leak(shared);
    fixture.close();
}

/// A raw slot that is never given back: what `close` is there for.
fn closing_check_sees_a_lost_slot() {
    let fixture = pool(2);
    let pool = fixture.pool;
    thread::spawn(move || take(pool)).join().unwrap();
    cycle(pool);
    fixture.close();
}
