//! Shared handles: the reference count against itself.

use loom::thread;

use crate::fixture::{buffer, pool, race, read_and_drop_by_two};
use crate::model::{Model, bounded, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("clone_against_drop", clone_against_drop),
    exhaustive("last_drop_of_two", last_drop_of_two),
    exhaustive("last_drop_against_reuse", last_drop_against_reuse).narrow(),
    exhaustive("halves_of_a_split", halves_of_a_split),
    exhaustive("handle_cycle_against_cycle", handle_cycle_against_cycle).narrow(),
    exhaustive("sticky_wiped_last_drop", sticky_wiped_last_drop),
    bounded("last_drop_of_three", last_drop_of_three),
];

/// The addition of a clone against the loads and the subtraction of a drop. Exposes a count that
/// loses a handle.
fn clone_against_drop() {
    let fixture = pool(1);
    let mine = buffer(fixture.pool).freeze();
    let theirs = mine.clone();
    race(
        move || {
            let third = theirs.clone();
            drop(theirs);
            assert_eq!(third[0], 1);
        },
        || {
            assert_eq!(mine[0], 1);
            drop(mine);
        },
    );
    fixture.close();
}

/// Two holders read and drop: both may find the count at two, one may find it at one. Exposes a
/// buffer that is freed twice or never, and a last holder that does not see the other's read
/// finished.
fn last_drop_of_two() {
    let fixture = pool(1);
    let mine = buffer(fixture.pool).freeze();
    read_and_drop_by_two(mine);
    fixture.close();
}

/// The last drop of two holders, and the next owner of the slot, who writes. Exposes a push that
/// does not carry the *other* holder's read along.
fn last_drop_against_reuse() {
    let fixture = pool(1);
    let pool = fixture.pool;
    let mine = buffer(pool).freeze();
    let theirs = mine.clone();
    race(
        move || assert_eq!(theirs[0], 1),
        || {
            drop(mine);
            drop(pool.copy_from_slice(&[2]));
        },
    );
    fixture.close();
}

/// Two parts of one buffer: the same count, by different addresses. Exposes a part that frees by
/// its own address.
fn halves_of_a_split() {
    let fixture = pool(1);
    let mut front = fixture.pool.copy_from_slice(b"headbody").unwrap().freeze();
    let back = front.split_off(4).unwrap();
    race(
        move || assert_eq!(back, "body"),
        || {
            assert_eq!(front, "head");
            drop(front);
        },
    );
    fixture.close();
}

/// Both allocate, fill, freeze, read and drop. Exposes what lies between the free list and the
/// handles.
fn handle_cycle_against_cycle() {
    let fixture = pool(2);
    let pool = fixture.pool;
    let once = move || assert_eq!(buffer(pool).freeze()[0], 1);
    race(once, || once());
    fixture.close();
}

/// A sticky buffer that is wiped: both flags send the drop down the outlined path. Exposes a flag
/// that is lost in the count.
fn sticky_wiped_last_drop() {
    let fixture =
        crate::fixture::Fixture::new(&tierpool::Config::new(&[(8, 1)]).zero_on_free(true));
    let mut mine = fixture.pool.alloc_pooled(1).unwrap();
    mine.push(1).unwrap();
    let mine = mine.freeze();
    let theirs = mine.clone();
    race(move || assert_eq!(theirs[0], 1), || drop(mine));
    fixture.close();
}

/// As [`last_drop_of_two`], with three: the last holder must see *both* others finished.
fn last_drop_of_three() {
    let fixture = pool(1);
    let mine = buffer(fixture.pool).freeze();
    let (one, two) = (mine.clone(), mine.clone());
    let one = thread::spawn(move || assert_eq!(one[0], 1));
    let two = thread::spawn(move || assert_eq!(two[0], 1));
    drop(mine);
    one.join().unwrap();
    two.join().unwrap();
    fixture.close();
}
