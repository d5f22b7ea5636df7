//! "Exhausted" over several lists: an answer about a moment at which none of them had a slot.

use loom::thread;
use tierpool::{Config, Pool};

use crate::fixture::{Fixture, SLOT, race};
use crate::model::{Model, bounded, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("exhaustion_at_an_instant", || exhaustion_at_an_instant(two_tiers())).narrow(),
    Model {
        threads: 2,
        ..bounded("exhaustion_at_an_instant_across_a_wrap", || {
            exhaustion_at_an_instant(before_wrap())
        })
    }
    .narrow(),
    // Five switches lead there and back twice.
    Model {
        threads: 2,
        bound: Some(5),
        ..bounded("exhaustion_there_and_back", exhaustion_there_and_back)
    }
    .narrow(),
    Model {
        bound: Some(2),
        ..bounded("exhaustion_by_way_of_another", exhaustion_by_way_of_another)
    }
    .narrow(),
    Model { threads: 2, ..bounded("exhaustion_when_it_is_true", exhaustion_when_it_is_true) }
        .narrow(),
];

const MOMENT: &str = "exhausted, but a slot was free at every moment";

/// A slot in each of two tiers, which both serve small requests.
fn two_tiers() -> Fixture {
    Fixture::new(&Config::new(&[(SLOT, 1), (2 * SLOT, 1)]).spill(1))
}

/// The same, whose tags wrap with the second pop.
fn before_wrap() -> Fixture {
    let fixture = two_tiers();
    fixture.pool.begin_before_flip(1, 2);
    fixture
}

/// A slot comes back, and the last one of the larger tier is taken. Exposes a walk that finds each
/// tier empty at a moment of its own: the smaller one before, the larger one after.
fn exhaustion_at_an_instant(fixture: Fixture) {
    let pool = fixture.pool;
    let small = pool.alloc(SLOT).unwrap();
    let (large, mine) = race(
        move || {
            drop(small);
            pool.alloc(2 * SLOT)
        },
        || pool.alloc(SLOT),
    );
    assert!(large.is_err() || mine.is_ok(), "{MOMENT}");
    drop((large, mine));
    fixture.close();
}

/// The other goes from the smaller tier to the larger and back. Exposes a second look that compares
/// nothing but whether the tiers are empty: they are, each time it looks.
fn exhaustion_there_and_back() {
    let fixture = two_tiers();
    let pool = fixture.pool;
    let small = pool.alloc(SLOT).unwrap();
    let (theirs, mine) = race(
        move || {
            let mut held = Some(small);
            // A buffer of the one size, then of the other, never two: who asks for a small one
            // finds one of them free.
            for size in [2 * SLOT, SLOT, 2 * SLOT] {
                drop(held.take());
                match pool.alloc(size) {
                    Ok(buffer) => held = Some(buffer),
                    Err(_) => break,
                }
            }
            held
        },
        || pool.alloc(SLOT),
    );
    assert!(mine.is_ok(), "{MOMENT}");
    drop((theirs, mine));
    fixture.close();
}

/// The slot comes back by one thread, and is handed on to another, which takes the larger one.
fn exhaustion_by_way_of_another() {
    let fixture = two_tiers();
    let pool = fixture.pool;
    let small = pool.alloc(SLOT).unwrap();
    let done = std::sync::Arc::new(loom::sync::atomic::AtomicBool::new(false));
    let said = done.clone();
    let one = thread::spawn(move || {
        drop(small);
        done.store(true, std::sync::atomic::Ordering::Release);
    });
    let two = thread::spawn(move || {
        if said.load(std::sync::atomic::Ordering::Acquire) {
            pool.alloc(2 * SLOT).ok()
        } else {
            None
        }
    });
    let mine = pool.alloc(SLOT);
    one.join().unwrap();
    let large = two.join().unwrap();
    assert!(large.is_none() || mine.is_ok(), "{MOMENT}");
    drop((large, mine));
    fixture.close();
}

/// Three requests for two slots. Exposes a walk that never ends, and a miss that is counted for
/// each walk.
fn exhaustion_when_it_is_true() {
    let fixture = two_tiers();
    let pool = fixture.pool;
    let small = pool.alloc(SLOT).unwrap();
    let ask = move |pool: &'static Pool| pool.alloc(SLOT);
    let (theirs, mine) = race(move || ask(pool), || ask(pool));
    assert!(theirs.is_ok() != mine.is_ok(), "one slot for two");
    let stats = pool.stats();
    assert_eq!(stats.hits(), 2);
    assert_eq!(stats.exhausted(), 1);
    assert_eq!(stats.tiers()[0].missed, 2);
    assert_eq!(stats.tiers()[1].missed, 1);
    drop((small, theirs, mine));
    fixture.close();
}
