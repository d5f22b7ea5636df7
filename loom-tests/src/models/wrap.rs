//! Counters that begin near the place where they wrap, or where their top bits flip.
//!
//! | counter | here |
//! |---|---|
//! | 64-bit counts, in two words | `count_*`, `counts_*` |
//! | a head's tag, and its flips | `served_*`, `counts_*`, and models of the free list from a tag of all ones |
//! | the ticket of a waker | `stale_waker_is_not_used_after_a_wrap`, in `wait.rs` |
//! | handles of a buffer | `clones_at_the_end_of_the_count`: it traps instead |
//!
//! The other counts (buffers of the fallback that live, slots of a cache) are of things that take
//! memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use loom::thread;
use tierpool::__private::{Counter, state_of};
use tierpool::{Config, PoolCache};

use super::{cache, free_list, statistics};
use crate::fixture::{Fixture, SLOT, buffer, cycle, give, leak, pool, race, take};
use crate::model::{Model, bounded, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("count_across_a_flip", || count_across(0)),
    exhaustive("count_across_a_wrap", || count_across(1)),
    bounded("count_by_two_across_a_wrap", count_by_two_across_a_wrap),
    exhaustive("served_across_a_flip", || served_across(0)).narrow(),
    exhaustive("served_across_a_wrap", || served_across(1)).narrow(),
    exhaustive("counts_at_quiescence_across_a_wrap", counts_at_quiescence_across_a_wrap).narrow(),
    Model { threads: 2, ..bounded("aba_across_a_wrap", || free_list::aba_on(before_wrap(3, 1))) }
        .narrow(),
    Model {
        threads: 2,
        ..bounded("aba_of_a_chain_pop_across_a_wrap", || {
            cache::aba_of_a_chain_pop_on(before_wrap(3, 1))
        })
    }
    .narrow(),
    exhaustive("slot_handover_across_a_wrap", slot_handover_across_a_wrap).narrow(),
    exhaustive("never_idle_across_a_wrap", || statistics::never_idle_on(before_wrap(3, 4)))
        .narrow(),
    exhaustive("clones_at_the_end_of_the_count", clones_at_the_end_of_the_count),
];

/// A pool whose tag goes from all ones to zero with pop number `left`.
fn before_wrap(slots: usize, left: u32) -> Fixture {
    let fixture = pool(slots);
    fixture.pool.begin_before_flip(1, left);
    fixture
}

/// One event, the one that flips the top bit, and one who reads twice. Exposes a flip that is seen
/// counted by who does not see the word that flipped: half a turn too many.
fn count_across(flips: u32) {
    let counter = Arc::new(Counter::new());
    counter.begin_before_flip(flips, 1);
    let before = counter.get();
    let bumped = counter.clone();
    let (_, seen) = race(move || bumped.bump(), || [counter.get(), counter.get()]);
    assert!(
        seen[0] >= before && seen[0] <= seen[1] && seen[1] <= before + 1,
        "before {before}, seen {seen:?}"
    );
    assert_eq!(counter.get(), before + 1);
}

/// Two who count, one of them to the flip; either may be the one.
fn count_by_two_across_a_wrap() {
    let counter = Arc::new(Counter::new());
    counter.begin_before_flip(1, 2);
    let before = counter.get();
    let [one, two] = [(); 2].map(|()| {
        let counter = counter.clone();
        thread::spawn(move || counter.bump())
    });
    let seen = counter.get();
    assert!((before..=before + 2).contains(&seen), "before {before}, seen {seen}");
    one.join().unwrap();
    two.join().unwrap();
    assert_eq!(counter.get(), before + 2);
}

/// The same for a tag, and the requests that it counts.
fn served_across(flips: u32) {
    let fixture = pool(1);
    let pool = fixture.pool;
    pool.begin_before_flip(flips, 1);
    let before = pool.served();
    let (held, seen) = race(move || take(pool), || pool.served());
    assert!(seen == before || seen == before + 1, "before {before}, seen {seen}");
    assert_eq!(pool.served(), before + 1);
    give(pool, held.unwrap());
    fixture.close();
}

/// Every count of a pool passes its wrap while two work. Exposes a flip that is not counted, or
/// twice.
fn counts_at_quiescence_across_a_wrap() {
    let fixture = Fixture::new(&Config::new(&[(SLOT, 1)]));
    let pool = fixture.pool;
    let held = take(pool).unwrap();
    pool.begin_before_flip(1, 2);
    let before = pool.stats();
    race(
        move || {
            assert!(take(pool).is_none() && pool.alloc(2 * SLOT).is_err());
            give(pool, held);
        },
        || assert!(pool.alloc(2 * SLOT).is_err()),
    );
    let mut cache = PoolCache::<2, 1>::new(pool);
    for _ in 0..2 {
        cycle(pool);
    }
    for _ in 0..4 {
        // The first comes from the list.
        let buffer = cache.alloc(SLOT).unwrap();
        cache.recycle(buffer);
    }
    drop(cache);
    assert!(take(pool).is_some_and(|slot| {
        let missed = take(pool).is_none();
        give(pool, slot);
        missed
    }));
    let after = pool.stats();
    let tiers = (after.tiers()[0], before.tiers()[0]);
    assert_eq!(tiers.0.served, tiers.1.served + 4);
    assert_eq!(tiers.0.missed, tiers.1.missed + 2);
    assert_eq!(after.exhausted(), before.exhausted() + 2);
    assert_eq!(after.oversized(), before.oversized() + 2);
    assert_eq!(after.from_caches(), before.from_caches() + 3);
    fixture.close();
}

/// A slot goes from owner to owner by a pop that takes the tag from all ones to zero.
fn slot_handover_across_a_wrap() {
    let fixture = before_wrap(1, 2);
    let pool = fixture.pool;
    race(move || cycle(pool), || cycle(pool));
    fixture.close();
}

/// Two clones where the count allows one more. Exposes a count that goes on into the flags.
fn clones_at_the_end_of_the_count() {
    let fixture = pool(1);
    let mine = buffer(fixture.pool).freeze();
    let theirs = mine.clone();
    drop(theirs);
    let state = state_of(&mine);
    let clones =
        |handle: &tierpool::Bytes| catch_unwind(AssertUnwindSafe(|| leak(handle.clone()))).is_ok();
    let theirs = mine.clone();
    // One less than the first that is refused.
    state.set_handles(1 << 27);
    let (one, other) = race(
        move || {
            let cloned = clones(&theirs);
            leak(theirs);
            cloned
        },
        || clones(&mine),
    );
    assert!(one != other, "exactly one clone");
    state.set_handles(1);
    drop(mine);
    fixture.close();
}
