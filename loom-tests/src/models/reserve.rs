//! The reserve, and the hook of a tier that runs dry.

use std::sync::atomic::{AtomicUsize as Plain, Ordering::Relaxed};

use tierpool::{Config, Pool};

use crate::fixture::{Fixture, SLOT, give, race, take};
use crate::model::{Model, bounded, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("reserved_slot_against_a_free", reserved_slot_against_a_free).narrow(),
    exhaustive("dry_is_told_once", dry_is_told_once).narrow(),
    Model { threads: 2, ..bounded("dry_again_is_told_again", dry_again_is_told_again) },
];

/// How often the hook has been called. Not loom's: it takes part in no race.
static CALLS: Plain = Plain::new(0);

fn low(_: &'static Pool, _: usize) {
    CALLS.fetch_add(1, Relaxed);
}

fn pool() -> Fixture {
    CALLS.store(0, Relaxed);
    Fixture::new(&Config::new(&[(SLOT, 1)]).reserve(&[1]).on_low(low))
}

/// A request for the reserve against a free of the plain slot: it gets a slot in any case, and no
/// slot has two owners.
fn reserved_slot_against_a_free() {
    let fixture = pool();
    let pool = fixture.pool;
    let held = pool.alloc(SLOT).expect("the plain slot");
    let (_, important) = race(move || drop(held), || pool.alloc_reserved(SLOT).expect("a slot"));
    let other = pool.alloc_reserved(SLOT).expect("the other slot");
    assert!(pool.alloc_reserved(SLOT).is_err());
    assert_ne!(important.as_ptr(), other.as_ptr());
    drop((important, other));
    fixture.close();
}

/// Two requests find the tier empty at once. Exposes a hook that both call.
fn dry_is_told_once() {
    let fixture = pool();
    let pool = fixture.pool;
    let held = pool.alloc(SLOT);
    let miss = move || assert!(take(pool).is_none());
    race(miss, miss);
    assert_eq!(CALLS.load(Relaxed), 1);
    drop(held);
    fixture.close();
}

/// The tier serves a request, and runs dry again, while another request finds it empty. Exposes a
/// late caller that takes the news back: the next one would tell it twice.
fn dry_again_is_told_again() {
    let fixture = pool();
    let pool = fixture.pool;
    let held = pool.alloc(SLOT).expect("the slot");
    let miss = move || take(pool).is_none();
    let (held, missed) = race(
        move || {
            drop(held);
            let held = pool.alloc(SLOT).ok();
            assert!(held.is_none() || miss());
            held
        },
        || match take(pool) {
            Some(slot) => {
                give(pool, slot);
                false
            }
            None => true,
        },
    );
    // If the slot was served to one thread alone, that one has told, and there is no news.
    let told = held.is_some() && missed;
    let calls = CALLS.load(Relaxed);
    let held = held.or_else(|| pool.alloc(SLOT).ok());
    assert!(held.is_some() && miss() && miss());
    let more = CALLS.load(Relaxed) - calls;
    assert!(more <= usize::from(!told), "one dry spell is told once");
    assert!(calls + more >= 1);
    drop(held);
    fixture.close();
}
