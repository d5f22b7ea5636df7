//! Copy-on-write: a holder that wants to write against the others.

use loom::thread;
use tierpool::Bytes;

use crate::fixture::{Fixture, buffer, pool, race};
use crate::model::{Model, bounded, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("make_mut_against_drop", make_mut_against_drop).narrow(),
    exhaustive("make_mut_by_both_with_room", make_mut_by_both_with_room).narrow(),
    exhaustive("make_mut_by_both_with_room_for_one", make_mut_by_both_with_room_for_one).narrow(),
    exhaustive("make_mut_by_both_when_exhausted", make_mut_by_both_when_exhausted).narrow(),
    exhaustive("try_into_mut_against_drop", try_into_mut_against_drop),
    exhaustive("try_into_mut_against_clone_then_drop", try_into_mut_against_clone_then_drop),
    exhaustive("into_mut_in_when_exhausted", into_mut_in_when_exhausted).narrow(),
    bounded("make_mut_by_two_of_three", make_mut_by_two_of_three).narrow(),
];

/// A fixture with `slots` slots, and two handles on one buffer.
fn shared(slots: usize) -> (Fixture, Bytes, Bytes) {
    let fixture = pool(slots);
    let one = buffer(fixture.pool).freeze();
    let two = one.clone();
    (fixture, one, two)
}

/// Writes, if there is room for a copy; reads what it has, if not. Gives back what it has then, so
/// that its drop need not be part of the race.
fn write_or_read(mut bytes: Bytes) -> Bytes {
    match bytes.make_mut() {
        Ok(data) => data[0] += 1,
        Err(_) => assert_eq!(bytes[0], 1),
    }
    bytes
}

/// Both holders write, or read.
fn both_write_or_read(slots: usize) {
    let (fixture, mine, theirs) = shared(slots);
    let other = thread::spawn(move || write_or_read(theirs));
    let mine = write_or_read(mine);
    drop((mine, other.join().unwrap()));
    fixture.close();
}

/// The test for uniqueness against the other holder's read and subtraction. Exposes a writer that
/// does not see the reader finished.
fn make_mut_against_drop() {
    let (fixture, mut mine, theirs) = shared(2);
    race(
        move || assert_eq!(theirs[0], 1),
        || {
            mine.make_mut().unwrap()[0] = 2;
            assert_eq!(mine[0], 2);
            drop(mine);
        },
    );
    fixture.close();
}

/// Both copy, or one copies and the other finds itself alone. Exposes two writers in one buffer.
fn make_mut_by_both_with_room() {
    both_write_or_read(3);
}

/// As above, with room for one copy.
fn make_mut_by_both_with_room_for_one() {
    both_write_or_read(2);
}

/// No room for a copy: an error, unless the other holder has gone meanwhile. Exposes a handle that
/// is damaged by the error.
fn make_mut_by_both_when_exhausted() {
    both_write_or_read(1);
}

/// The buffer itself, or the handle back; then written. Exposes a conversion that does not see the
/// reader finished.
fn try_into_mut_against_drop() {
    let (fixture, mine, theirs) = shared(1);
    race(
        move || assert_eq!(theirs[0], 1),
        || match mine.try_into_mut() {
            Ok(mut alone) => alone[0] = 2,
            Err(shared) => assert_eq!(shared[0], 1),
        },
    );
    fixture.close();
}

/// The other holder makes a third handle before it drops its own: the count goes up while it is
/// tested.
fn try_into_mut_against_clone_then_drop() {
    let (fixture, mine, theirs) = shared(1);
    race(
        move || {
            let third = theirs.clone();
            drop(theirs);
            assert_eq!(third[0], 1);
        },
        || match mine.try_into_mut() {
            Ok(mut alone) => alone[0] = 2,
            Err(shared) => assert_eq!(shared[0], 1),
        },
    );
    fixture.close();
}

/// The pool that is to pay is exhausted, until the other holder goes. Exposes a buffer lost on the
/// way back.
fn into_mut_in_when_exhausted() {
    let (fixture, mine, theirs) = shared(1);
    let pool = fixture.pool;
    race(
        move || assert_eq!(theirs[0], 1),
        || match mine.into_mut_in(pool, 0) {
            Ok(mut alone) => alone[0] = 2,
            Err(back) => assert_eq!(back.bytes[0], 1),
        },
    );
    fixture.close();
}

/// Two writers and a reader on one buffer.
fn make_mut_by_two_of_three() {
    let (fixture, mine, theirs) = shared(3);
    let third = mine.clone();
    let reader = thread::spawn(move || assert_eq!(third[0], 1));
    let writer = thread::spawn(move || write_or_read(theirs));
    let mine = write_or_read(mine);
    reader.join().unwrap();
    drop((mine, writer.join().unwrap()));
    fixture.close();
}
