//! Halves of a writable buffer: what each writes, and who has the slot when the other is gone.

use loom::thread;
use tierpool::BytesMut;

use crate::fixture::{Fixture, SLOT, pool, race};
use crate::model::{Model, bounded, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("halves_written_by_two", halves_written_by_two),
    exhaustive("half_takes_the_slot", half_takes_the_slot),
    exhaustive("half_takes_the_slot_of_a_frozen_one", half_takes_the_slot_of_a_frozen_one),
    exhaustive("decoder_against_reader", decoder_against_reader),
    exhaustive("halves_last_drop_against_reuse", halves_last_drop_against_reuse).narrow(),
    exhaustive("half_split_against_drop", half_split_against_drop),
    exhaustive("frozen_half_taken_for_writing", frozen_half_taken_for_writing),
    exhaustive("halves_joined_against_drop", halves_joined_against_drop),
    bounded("last_drop_of_three_halves", last_drop_of_three_halves),
];

/// The only slot, split into two halves of two bytes each.
fn halves() -> (Fixture, BytesMut, BytesMut) {
    let fixture = pool(1);
    let mut front = fixture.pool.copy_from_slice(&[1, 1, 2, 2]).unwrap();
    let back = front.split_off(2).unwrap();
    (fixture, front, back)
}

/// Writes a half's bytes, and finds them so.
fn write(half: &mut BytesMut, byte: u8) {
    half.fill(byte);
    assert_eq!(*half, [byte; 2]);
}

/// Two contexts write their halves and drop them. Exposes halves that have a byte in common, a slot
/// that is freed twice or never, and a last one that does not see the other's writes finished.
fn halves_written_by_two() {
    let (fixture, mut front, mut back) = halves();
    race(
        move || write(&mut back, 4),
        || {
            write(&mut front, 3);
            drop(front);
        },
    );
    fixture.close();
}

/// One half is written and dropped, the other one asks for all room and writes it. Exposes a slot
/// that is taken too early, or without the other's writes.
fn half_takes_the_slot() {
    let (fixture, mut front, mut back) = halves();
    race(
        move || write(&mut front, 3),
        || {
            write(&mut back, 4);
            if back.try_reclaim(SLOT - 2) {
                back.extend_from_slice(&[5; SLOT - 2]).unwrap();
            }
            assert_eq!(back[..2], [4; 2]);
            drop(back);
        },
    );
    fixture.close();
}

/// The same, where the other half is read and not written.
fn half_takes_the_slot_of_a_frozen_one() {
    let (fixture, mut front, back) = halves();
    let back = back.freeze();
    race(
        move || assert_eq!(back, [2, 2]),
        || {
            write(&mut front, 3);
            if front.try_reclaim(SLOT - 2) {
                front.extend_from_slice(&[5; SLOT - 2]).unwrap();
            }
            assert_eq!(front[..2], [3; 2]);
            drop(front);
        },
    );
    fixture.close();
}

/// A decoder splits a frame off and gives it to a reader; it goes on in the room behind, and takes
/// the slot if the reader is through.
fn decoder_against_reader() {
    let fixture = pool(1);
    let mut received = fixture.pool.copy_from_slice(&[1, 1]).unwrap();
    let frame = received.split().freeze();
    race(
        move || assert_eq!(frame, [1, 1]),
        || {
            received.extend_in_place(&[2; SLOT - 2]).unwrap();
            received.clear();
            if received.try_reclaim(SLOT) {
                received.extend_in_place(&[3; SLOT]).unwrap();
            }
            drop(received);
        },
    );
    fixture.close();
}

/// The last drop of two halves, and the next owner of the slot, who writes.
fn halves_last_drop_against_reuse() {
    let (fixture, front, mut back) = halves();
    let pool = fixture.pool;
    race(
        move || write(&mut back, 4),
        || {
            drop(front);
            drop(pool.copy_from_slice(&[6]));
        },
    );
    fixture.close();
}

/// A half is split again while the other one is written and dropped. Exposes a reference that is
/// not counted.
fn half_split_against_drop() {
    let (fixture, mut front, mut back) = halves();
    race(
        move || {
            let last = back.split_off(1).unwrap();
            drop(back);
            assert_eq!(last, [2]);
        },
        || {
            write(&mut front, 3);
            drop(front);
        },
    );
    fixture.close();
}

/// A frozen half is taken for writing while the other is written and dropped. Exposes a conversion
/// that does not see the other half finished.
fn frozen_half_taken_for_writing() {
    let (fixture, front, mut back) = halves();
    let front = front.freeze();
    race(
        move || write(&mut back, 4),
        || match front.try_into_mut() {
            Ok(mut alone) => alone.extend_from_slice(&[5; SLOT - 2]).unwrap(),
            Err(shared) => assert_eq!(shared, [1, 1]),
        },
    );
    fixture.close();
}

/// Two halves are joined while a third is written and dropped.
fn halves_joined_against_drop() {
    let (fixture, mut front, mut back) = halves();
    let last = back.split_off(1).unwrap();
    race(
        move || {
            let mut last = last;
            last.fill(4);
        },
        || {
            front.unsplit(back).unwrap();
            front.fill(3);
            assert_eq!(front, [3; 3]);
            drop(front);
        },
    );
    fixture.close();
}

/// As [`halves_written_by_two`], with three: the last one must see *both* others finished.
fn last_drop_of_three_halves() {
    let (fixture, mut front, mut back) = halves();
    let mut middle = front.split_off(1).unwrap();
    let one = thread::spawn(move || write(&mut back, 4));
    let two = thread::spawn(move || middle.fill(5));
    front.fill(3);
    if front.try_reclaim(SLOT - 1) {
        front.extend_from_slice(&[6; SLOT - 1]).unwrap();
    }
    drop(front);
    one.join().unwrap();
    two.join().unwrap();
    fixture.close();
}
