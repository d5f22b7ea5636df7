//! Caches: several slots with one swap, in both directions.

use tierpool::{BytesMut, Pool, PoolCache};

use crate::fixture::{Fixture, SLOT, buffer, cycle, give, pool, race, take};
use crate::model::{Model, bounded, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("chain_pop_against_push", chain_pop_against_push).narrow(),
    exhaustive("chain_pop_against_cycle", chain_pop_against_cycle).narrow(),
    exhaustive("chain_pop_against_chain_pop", chain_pop_against_chain_pop).narrow(),
    exhaustive("chain_pop_over_a_shared_slot", chain_pop_over_a_shared_slot).narrow(),
    exhaustive("chain_push_against_pop", chain_push_against_pop).narrow(),
    exhaustive("chain_push_against_push", chain_push_against_push).narrow(),
    exhaustive("aba_by_a_chain_pop", aba_by_a_chain_pop).narrow(),
    exhaustive("aba_of_a_chain_pop", aba_of_a_chain_pop).narrow(),
    exhaustive("recycle_against_drop", recycle_against_drop).narrow(),
    exhaustive("cached_slot_handover", cached_slot_handover).narrow(),
    bounded("two_caches_and_a_cycle_on_two_slots", two_caches_and_a_cycle_on_two_slots).narrow(),
];

/// Takes two slots with one swap.
type Cache = PoolCache<4, 4>;

/// A cache that has taken a batch, and a buffer of it.
fn filled(pool: &'static Pool) -> (Cache, Option<BytesMut>) {
    let mut cache = Cache::new(pool);
    let buffer = cache.alloc(SLOT).ok();
    (cache, buffer)
}

/// The walk over the links against a push on top. Exposes a link that is published late.
fn chain_pop_against_push() {
    let fixture = pool(3);
    let pool = fixture.pool;
    let (first, second) = (take(pool).unwrap(), take(pool).unwrap());
    let (_, (cache, mine)) = race(move || give(pool, first), || filled(pool));
    assert!(mine.is_some(), "a slot was free all the time");
    assert!(mine.is_none_or(|buffer| buffer.as_ptr().addr() != second), "one slot for two owners");
    give(pool, second);
    drop(cache);
    fixture.close();
}

/// The walk over the links against a pop and a push of the same slot.
fn chain_pop_against_cycle() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let (_, cache) = race(move || cycle(pool), || filled(pool));
    drop(cache);
    fixture.close();
}

/// Two walks over the same slots: one slot must not get into two caches.
fn chain_pop_against_chain_pop() {
    let fixture = pool(3);
    let pool = fixture.pool;
    let batch = move || {
        let (mut cache, first) = filled(pool);
        let second = if cache.cached() > 0 { cache.alloc(SLOT).ok() } else { None };
        [first, second]
    };
    let (theirs, mine) = race(batch, batch);
    let mut slots: Vec<_> =
        theirs.iter().chain(&mine).flatten().map(|buffer| buffer.as_ptr()).collect();
    assert_eq!(slots.len(), 3, "three slots for four requests");
    slots.sort();
    slots.dedup();
    assert_eq!(slots.len(), 3, "one slot for two owners");
    drop((theirs, mine));
    fixture.close();
}

/// While a walk stands on a slot, that is popped, and shared so often that its count, taken for a
/// link, leads out of the list. Exposes an index that is followed without being compared with the
/// number of slots.
fn chain_pop_over_a_shared_slot() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let handles = race(
        move || {
            // Three handles: a "link" of 2 from slot 0 leads to 3.
            let shared = pool.alloc(SLOT).map(BytesMut::freeze).ok();
            (shared.clone(), shared.clone(), shared)
        },
        || filled(pool),
    );
    drop(handles);
    fixture.close();
}

/// A chain that comes back against a pop. Exposes a chain whose links are published late, and one
/// that takes a slot along that has been popped.
fn chain_push_against_pop() {
    let fixture = pool(3);
    let pool = fixture.pool;
    let mut cache = Cache::new(pool);
    // In this order the chain leads from the second slot to the first.
    let buffers = [pool.alloc(SLOT).unwrap(), pool.alloc(SLOT).unwrap()];
    buffers.into_iter().for_each(|buffer| cache.recycle(buffer));
    let (_, slot) = race(move || drop(cache), || take(pool));
    give(pool, slot.unwrap());
    fixture.close();
}

/// A chain and a slot come back at once. Exposes a push of a chain that does not compare: slots
/// lost.
fn chain_push_against_push() {
    let fixture = pool(3);
    let pool = fixture.pool;
    let slot = take(pool).unwrap();
    let (cache, buffer) = filled(pool);
    drop(cache);
    race(move || give(pool, slot), || drop(buffer));
    let (cache, buffer) = filled(pool);
    let slot = take(pool).unwrap();
    race(move || give(pool, slot), || drop(cache));
    drop(buffer);
    fixture.close();
}

/// A single pop stalls between its loads and its swap; meanwhile a chain of two is popped and its
/// first slot pushed back. Exposes a chain pop that leaves the tag where it was.
fn aba_by_a_chain_pop() {
    let fixture = pool(3);
    let pool = fixture.pool;
    let (single, (cache, second)) = race(
        move || pool.alloc(SLOT).ok(),
        || {
            let (mut cache, first) = filled(pool);
            let second = cache.alloc(SLOT).ok();
            drop(first);
            (cache, second)
        },
    );
    let address = |buffer: &Option<BytesMut>| buffer.as_ref().map(|buffer| buffer.as_ptr().addr());
    assert!(single.is_none() || address(&single) != address(&second), "one slot for two owners");
    drop((single, cache, second));
    fixture.close();
}

/// A walk stalls after the first link; meanwhile two slots are popped one by one and the first is
/// pushed back. Exposes a chain pop that goes by anything but the whole head.
fn aba_of_a_chain_pop() {
    aba_of_a_chain_pop_on(pool(3));
}

/// [`aba_of_a_chain_pop`] on three free slots.
pub fn aba_of_a_chain_pop_on(fixture: Fixture) {
    let pool = fixture.pool;
    let ((cache, taken), second) = race(
        move || {
            let (mut cache, first) = filled(pool);
            let second = if cache.cached() > 0 { cache.alloc(SLOT).ok() } else { None };
            (
                cache,
                [first, second].map(|buffer| buffer.map(|buffer| (buffer.as_ptr().addr(), buffer))),
            )
        },
        || {
            let (first, second) = (take(pool), take(pool));
            if let Some(first) = first {
                give(pool, first);
            }
            second
        },
    );
    for (address, _) in taken.iter().flatten() {
        assert!(Some(*address) != second, "one slot for two owners");
    }
    drop((cache, taken));
    if let Some(second) = second {
        give(pool, second);
    }
    fixture.close();
}

/// One holder reads and drops; the other recycles, takes the slot out of the cache and writes.
/// Exposes a cache that takes a slot without having seen the other holder's last read.
fn recycle_against_drop() {
    let fixture = pool(1);
    let pool = fixture.pool;
    let mine = buffer(pool).freeze();
    let theirs = mine.clone();
    race(
        move || {
            assert_eq!(theirs[0], 1);
            drop(theirs);
        },
        || {
            let mut cache = Cache::new(pool);
            cache.recycle(mine);
            if cache.cached() == 1 {
                cache.alloc(SLOT).unwrap().push(2).unwrap();
            }
        },
    );
    fixture.close();
}

/// What one has written comes home to a cache and from there to the other's, who writes. Exposes a
/// chain that is pushed without a release, or popped without an acquire.
fn cached_slot_handover() {
    let fixture = pool(1);
    let pool = fixture.pool;
    let (mut cache, mine) = filled(pool);
    race(
        move || {
            cache.recycle(mine.unwrap());
            drop(cache);
        },
        || {
            if let (cache, Some(mut buffer)) = filled(pool) {
                buffer.push(2).unwrap();
                drop(cache);
            }
        },
    );
    fixture.close();
}

/// Two batches and a single slot from two slots, all given back.
fn two_caches_and_a_cycle_on_two_slots() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let third = loom::thread::spawn(move || cycle(pool));
    let caches = race(move || filled(pool), || filled(pool));
    third.join().unwrap();
    drop(caches);
    fixture.close();
}
