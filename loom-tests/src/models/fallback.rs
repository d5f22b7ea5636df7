//! Buffers of the fallback, and the list of those that wait to be freed.

use loom::thread;
use tierpool::__private::Listed;
use tierpool::{Bytes, Config};

use crate::fixture::{self, DEFERS, Fixture, SLOT, close_heap, race, read_and_drop_by_two};
use crate::model::{Model, bounded, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("fallback_shared_by_two", fallback_shared_by_two),
    exhaustive("fallback_freed_at_once", fallback_freed_at_once),
    exhaustive("fallback_last_drop_seen_when_idle", fallback_last_drop_seen_when_idle),
    exhaustive("deferred_push_against_drain", deferred_push_against_drain),
    bounded("deferred_two_pushes_against_drain", deferred_two_pushes_against_drain),
    exhaustive("listed_buffers_share_no_entry", listed_buffers_share_no_entry),
];

const DEFERRED: Config<'static> = Config::new(&[(SLOT, 1)]).fallback(&DEFERS);
const AT_ONCE: Config<'static> = Config::new(&[(SLOT, 1)]).fallback(&fixture::AT_ONCE);

/// A buffer that no tier fits, so that it comes from the fallback.
fn large(fixture: &Fixture) -> Bytes {
    let mut large = fixture.pool.alloc(10 * SLOT).unwrap();
    large.push(1).unwrap();
    assert!(!large.is_pooled());
    large.freeze()
}

fn drop_by_two(config: &Config<'_>) {
    let fixture = Fixture::new(config);
    let mine = large(&fixture);
    read_and_drop_by_two(mine);
    fixture.close();
    close_heap();
}

/// The count in the control block; the last of two puts the block on the deferred list, once.
fn fallback_shared_by_two() {
    drop_by_two(&DEFERRED);
}

/// As above, with a fallback that may free anywhere: freed by the last drop, once.
fn fallback_freed_at_once() {
    drop_by_two(&AT_ONCE);
}

/// The decrement of the live count against `is_idle`: whoever finds the pool idle may write where
/// the buffer's last holder has read. Exposes a decrement that does not release, and a test that
/// does not acquire.
fn fallback_last_drop_seen_when_idle() {
    let fixture = Fixture::new(&AT_ONCE);
    let seen = std::sync::Arc::new(loom::cell::UnsafeCell::new(0));
    let (held, cell) = (large(&fixture), seen.clone());
    race(
        move || {
            // The cell stands for what the holder does with the buffer before it drops it.
            cell.with(|_| ());
            drop(held);
        },
        || {
            if fixture.pool.is_idle() {
                seen.with_mut(|_| ());
            }
        },
    );
    fixture.close();
    close_heap();
}

/// A push on the deferred list against the swap that takes the whole list. Exposes a block that is
/// lost, and a link or a payload that is not published.
fn deferred_push_against_drain() {
    let fixture = Fixture::new(&DEFERRED);
    let (one, two) = (large(&fixture), large(&fixture));
    drop(one);
    let (_, drained) = race(move || drop(two), || fixture.pool.reclaim());
    assert_eq!(drained + fixture.pool.reclaim(), 2);
    fixture.close();
    close_heap();
}

/// Two pushes against a drain.
fn deferred_two_pushes_against_drain() {
    let fixture = Fixture::new(&DEFERRED);
    let (one, two) = (large(&fixture), large(&fixture));
    let one = thread::spawn(move || drop(one));
    let two = thread::spawn(move || drop(two));
    let drained = fixture.pool.reclaim();
    one.join().unwrap();
    two.join().unwrap();
    assert_eq!(drained + fixture.pool.reclaim(), 2);
    fixture.close();
    close_heap();
}

/// Two buffers enter the list of those that are held, while a third one is struck out. Exposes two
/// buffers in one entry: the first drop would strike out both.
fn listed_buffers_share_no_entry() {
    let list = std::sync::Arc::new(Listed::<3>::new());
    list.enter(1).unwrap();
    let in_turn = |list: std::sync::Arc<Listed<3>>| {
        let entry = list.enter(2).unwrap();
        assert!(list.entered() >= 2, "mine, and that from before");
        entry.strike_out();
    };
    let theirs = list.clone();
    race(move || in_turn(theirs), || in_turn(list.clone()));
    assert_eq!(list.entered(), 1, "that from before");
}
