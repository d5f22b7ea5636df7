//! What the statistics say while the pool moves, and when it stands still.

use tierpool::Config;

use crate::fixture::{AT_ONCE, Fixture, SLOT, close_heap, cycle, give, pool, race, take};
use crate::model::{Model, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("statistics_at_quiescence", statistics_at_quiescence).narrow(),
    exhaustive("statistics_while_moving", statistics_while_moving).narrow(),
    exhaustive("a_reset_peak_keeps_the_links", a_reset_peak_keeps_the_links).narrow(),
    exhaustive("idle_means_done", idle_means_done).narrow(),
    exhaustive("idle_while_moving_means_done", idle_while_moving_means_done).narrow(),
    exhaustive("never_idle", never_idle).narrow(),
    exhaustive("never_idle_between_tiers", never_idle_between_tiers).narrow(),
    exhaustive("never_idle_by_way_of_the_fallback", never_idle_by_way_of_the_fallback).narrow(),
];

/// Two cycles, then the counts: each pop, the most at once, none in use.
fn statistics_at_quiescence() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let (_, held) = race(move || cycle(pool), || take(pool).unwrap());
    let tier = pool.stats().tiers()[0];
    assert_eq!(tier.served, 2);
    assert_eq!(tier.in_use, 1);
    assert!(tier.exact);
    assert!(tier.peak == 1 || tier.peak == 2);
    give(pool, held);
    assert_eq!(
        pool.stats().tiers()[0].peak,
        tier.peak,
        "a free slot that was used is not one that never was"
    );
    fixture.close();
}

/// A snapshot during a cycle: no figure that could not have been.
fn statistics_while_moving() {
    let fixture = pool(2);
    let pool = fixture.pool;
    race(
        move || cycle(pool),
        || {
            let stats = pool.stats();
            let tier = stats.tiers()[0];
            assert!(
                tier.served <= 1 && tier.peak <= 1 && tier.in_use <= 1 && stats.misses() == 0,
                "{tier:?}"
            );
        },
    );
    fixture.close();
}

/// A reset of the peak marks free slots, and the list stays what it was. Exposes a mark that takes
/// the link away. Without a race: loom does not know that a store comes behind a swap that did not
/// see it. `litmus` has the races of the mark.
fn a_reset_peak_keeps_the_links() {
    let fixture = pool(3);
    let pool = fixture.pool;
    let slots = [(); 3].map(|()| take(pool).unwrap());
    // In an order in which no link is that of a fresh list.
    slots.into_iter().for_each(|slot| give(pool, slot));
    let held = take(pool).unwrap();
    pool.reset_peak();
    assert_eq!(pool.stats().tiers()[0].peak, 1);
    let others = [(); 2].map(|()| take(pool).unwrap());
    assert!(take(pool).is_none(), "each slot is there once");
    assert_eq!(pool.stats().tiers()[0].peak, 3);
    others.into_iter().for_each(|slot| give(pool, slot));
    give(pool, held);
    fixture.close();
}

/// The push against `is_idle`: whoever finds the pool idle may write where the last holder has
/// read. Exposes a test that does not acquire.
fn idle_means_done() {
    let fixture = pool(1);
    let pool = fixture.pool;
    let seen = std::sync::Arc::new(loom::cell::UnsafeCell::new(0));
    let (held, cell) = (take(pool).unwrap(), seen.clone());
    race(
        move || {
            // The cell stands for what the holder does with the slot before it gives it back.
            cell.with(|_| ());
            give(pool, held);
        },
        || {
            if pool.is_idle() {
                seen.with_mut(|_| ());
            }
        },
    );
    fixture.close();
}

/// As above, while the list moves under the walk. Exposes a second look at the head that sees what
/// it was before, though the walk has followed younger links.
fn idle_while_moving_means_done() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let seen = std::sync::Arc::new(loom::cell::UnsafeCell::new(0));
    let other = take(pool).unwrap();
    let (held, cell) = (take(pool).unwrap(), seen.clone());
    give(pool, other);
    race(
        move || {
            let other = take(pool).unwrap();
            cell.with(|_| ());
            give(pool, held);
            give(pool, other);
        },
        || {
            if pool.is_idle() {
                seen.with_mut(|_| ());
            }
        },
    );
    fixture.close();
}

const NEVER: &str = "idle, but something has been held at every moment";

/// One of three slots is held at every moment, but never the same. Exposes the same as above, by
/// younger links that make a complete list of an older head.
fn never_idle() {
    never_idle_on(pool(3));
}

/// [`never_idle`] on three free slots.
pub fn never_idle_on(fixture: Fixture) {
    let pool = fixture.pool;
    let (first, second, third) = (take(pool).unwrap(), take(pool).unwrap(), take(pool).unwrap());
    give(pool, second);
    give(pool, first);
    let (held, ()) = race(
        move || {
            let (first, second) = (take(pool).unwrap(), take(pool).unwrap());
            give(pool, third);
            give(pool, second);
            first
        },
        || assert!(!pool.is_idle(), "{NEVER}"),
    );
    give(pool, held);
    fixture.close();
}

/// A buffer moves down a tier. Exposes tiers that are looked at once, each at a moment of its own.
fn never_idle_between_tiers() {
    let fixture = Fixture::new(&Config::new(&[(SLOT, 1), (2 * SLOT, 1)]));
    let pool = fixture.pool;
    let larger = pool.alloc(2 * SLOT).unwrap();
    let (held, ()) = race(
        move || {
            let smaller = pool.alloc(SLOT).unwrap();
            drop(larger);
            smaller
        },
        || assert!(!pool.is_idle(), "{NEVER}"),
    );
    drop(held);
    fixture.close();
}

/// A buffer moves from its slot to the fallback and back. Exposes a count of the fallback's buffers
/// that is taken before the walks, or after the second look.
fn never_idle_by_way_of_the_fallback() {
    let fixture = Fixture::new(&Config::new(&[(SLOT, 1)]).fallback(&AT_ONCE));
    let pool = fixture.pool;
    let slot = pool.alloc(SLOT).unwrap();
    let (held, ()) = race(
        move || {
            let large = pool.alloc(2 * SLOT).unwrap();
            drop(slot);
            let slot = pool.alloc(SLOT).unwrap();
            drop(large);
            slot
        },
        || assert!(!pool.is_idle(), "{NEVER}"),
    );
    drop(held);
    fixture.close();
    close_heap();
}
