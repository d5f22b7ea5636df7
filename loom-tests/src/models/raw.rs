//! The raw layer: frees that race for one slot.

use loom::thread;

use crate::fixture::{cycle, give, pointer, pool, race, take};
use crate::model::{Model, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("double_free_by_two", double_free_by_two),
    exhaustive("double_free_against_reuse", double_free_against_reuse).narrow(),
    exhaustive("free_against_from_raw", free_against_from_raw),
];

/// Two frees of one slot that nobody reuses: exactly one succeeds. Exposes a check that is not one
/// with the claim.
fn double_free_by_two() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let slot = take(pool).unwrap();
    // SAFETY: the double free is what is tested; one of them owns the slot.
    let free = move || unsafe { pool.deallocate(pointer(slot)) }.is_ok();
    let other = thread::spawn(free);
    let mine = free();
    assert!(mine != other.join().unwrap(), "exactly one free succeeds");
    fixture.close();
}

/// A late second free while others pop and push. Exposes a check that writes: it would overwrite a
/// link.
fn double_free_against_reuse() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let (first, second) = (take(pool).unwrap(), take(pool).unwrap());
    give(pool, first);
    race(move || cycle(pool), || give(pool, second));
    // SAFETY: the double free is what is tested.
    assert!(unsafe { pool.deallocate(pointer(first)) }.is_err());
    fixture.close();
}

/// A free against the conversion into a handle: one of them gets the slot. Exposes a slot with two
/// owners.
fn free_against_from_raw() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let slot = take(pool).unwrap();
    // SAFETY: that two claim it is what is tested; one of them owns the slot.
    let other = thread::spawn(move || unsafe { pool.deallocate(pointer(slot)) }.is_ok());
    // SAFETY: the same.
    let mine = unsafe { pool.from_raw(pointer(slot)) }.map(drop).is_ok();
    assert!(mine != other.join().unwrap(), "exactly one claim succeeds");
    fixture.close();
}
