//! What the statistics say while the pool moves, and when it stands still.

use crate::fixture::{cycle, give, pool, race, take};
use crate::model::{Model, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("statistics_at_quiescence", statistics_at_quiescence),
    exhaustive("statistics_while_moving", statistics_while_moving),
    exhaustive("idle_means_done", idle_means_done),
];

/// Two cycles, then the counts: each pop, the most at once, none in use.
fn statistics_at_quiescence() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let (_, held) = race(move || cycle(pool), || take(pool).unwrap());
    let tier = pool.stats().tiers()[0];
    assert_eq!((tier.served, tier.in_use, tier.exact), (2, 1, true));
    assert!(tier.peak == 1 || tier.peak == 2);
    give(pool, held);
    assert_eq!(pool.stats().tiers()[0].peak, tier.peak, "a free slot that was used is not one that never was");
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
            assert!(tier.served <= 1 && tier.peak <= 1 && tier.in_use <= 1 && stats.misses() == 0, "{tier:?}");
        },
    );
    fixture.close();
}

/// The push against `is_idle`: whoever finds the pool idle may write where the last holder has read. Exposes a test
/// that does not acquire.
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
