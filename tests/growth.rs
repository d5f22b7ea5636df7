//! Growth: what must be there for it, what moves along, and that it fails only where nothing fits.

use tierpool::{AllocError, Bytes, BytesMut, Config, Error, Pool};
use tierpool_testkit::{Heap, assert_all_home, fresh_pool};

/// Headroom that nobody asks for moves along, but is no reason to fail.
#[test]
fn growth_drops_headroom_if_no_tier_is_large() {
    static HEAP: Heap<true> = Heap::new();
    tierpool::pool! { static POOL = [64 x 4, 128 x 4], align = 16, fallback = &HEAP; }
    let stripped = |header: usize| {
        let mut buffer = POOL.zeroed(64).unwrap();
        buffer.advance(header).unwrap();
        buffer
    };
    // Rounded to the alignment, 17 bytes of headroom are 32.
    for (header, spare, headroom) in
        [(17, 49, 32), (17, 50, 0), (48, 64, 48), (48, 65, 0), (63, 64, 0)]
    {
        let mut buffer = stripped(header);
        buffer.reserve(spare).unwrap();
        assert!(buffer.is_pooled(), "{header} stripped, {spare} more");
        assert_eq!(buffer.headroom(), headroom, "{header} stripped, {spare} more");
        assert_eq!(buffer.footprint(), 128, "{header} stripped, {spare} more");
    }
    // What is asked for is kept, and so is all of it if it has to be the heap's in any case.
    let mut buffer = stripped(16);
    buffer.reserve_front(96).unwrap();
    assert!(!buffer.is_pooled());
    assert_eq!(buffer.headroom(), 96);
    drop(buffer);
    let mut buffer = stripped(32);
    buffer.reserve(97).unwrap();
    assert!(!buffer.is_pooled());
    assert_eq!(buffer.headroom(), 32);
    drop(buffer);
    assert_all_home(&POOL);
}

/// Headroom 200 and 50 bytes, for 300 more: 550 bytes with the headroom, 350 without it.
fn stripped(pool: &'static Pool) -> BytesMut {
    let mut buffer = pool.alloc_with_headroom(200, 50).unwrap();
    buffer.resize(50, 7).unwrap();
    buffer
}

#[test]
fn growth_drops_headroom_if_no_slot_is_free() {
    tierpool::pool! { static POOL = [256 x 2, 512 x 2, 1024 x 1]; }
    let held = POOL.alloc(1024).unwrap();
    let before = POOL.stats();
    let mut buffer = stripped(&POOL);
    buffer.reserve(300).unwrap();
    assert_eq!(buffer.headroom(), 0);
    assert_eq!(buffer.footprint(), 512);
    assert_eq!(&buffer[..], &[7; 50][..]);
    let after = POOL.stats();
    assert_eq!(after.requests(), before.requests() + 2, "one request, and it was served");
    assert_eq!(after.misses(), 0, "one request, and it was served");
    assert_eq!(after.tiers()[2].missed, 0, "the headroom has not been asked for");

    drop(held);
    let mut buffer = stripped(&POOL);
    buffer.reserve(300).unwrap();
    assert_eq!(buffer.headroom(), 200, "it moves along where a slot is free for it");
    assert_eq!(buffer.footprint(), 1024, "it moves along where a slot is free for it");
}

/// With `spill`, a slot of a larger tier has room for the headroom, too.
#[test]
fn headroom_moves_along_when_it_spills() {
    tierpool::pool! { static POOL = [256 x 2, 512 x 1, 1024 x 1, 2048 x 1], spill = 1; }
    let medium = POOL.alloc(1024).unwrap();
    let mut buffer = stripped(&POOL);
    buffer.reserve(300).unwrap();
    let missed = POOL.stats().tiers().iter().map(|tier| tier.missed).collect::<Vec<_>>();
    assert_eq!(buffer.headroom(), 200);
    assert_eq!(buffer.footprint(), 2048);
    assert_eq!(missed, vec![0, 0, 1, 0]);

    let mut next = stripped(&POOL);
    next.reserve(300).unwrap();
    assert_eq!(next.headroom(), 0);
    assert_eq!(next.footprint(), 512);
    assert_eq!(POOL.stats().exhausted(), 0);
    let mut last = stripped(&POOL);
    assert_eq!(last.reserve(300), Err(AllocError::Exhausted));
    assert_eq!(last.headroom(), 200, "one failed growth is one request");
    assert_eq!(POOL.stats().exhausted(), 1, "one failed growth is one request");
    drop(medium);
    last.reserve(300).unwrap();
    assert_eq!(last.headroom(), 200);
    assert_eq!(last.footprint(), 1024);
}

/// A slot without the headroom comes before a heap with it. In the heap there is room for both,
/// unless it says no.
#[test]
fn a_slot_without_headroom_comes_before_the_heap() {
    static HEAP: Heap<true> = Heap::new();
    tierpool::pool! { static POOL = [256 x 4, 512 x 1, 1024 x 1], fallback = &HEAP; }
    let held = POOL.alloc(1024).unwrap();
    let mut first = stripped(&POOL);
    first.reserve(300).unwrap();
    assert!(first.is_pooled());
    assert_eq!(first.headroom(), 0);

    let mut second = stripped(&POOL);
    second.reserve(300).unwrap();
    assert!(!second.is_pooled());
    assert_eq!(second.headroom(), 200);
    assert_eq!(&second[..], &[7; 50][..]);

    let mut third = stripped(&POOL);
    HEAP.refuse_one_after(0);
    third.reserve(300).unwrap();
    assert!(!third.is_pooled());
    assert_eq!(third.headroom(), 0);
    assert_eq!(&third[..], &[7; 50][..]);
    drop((held, first, second, third));
    assert_all_home(&POOL);
}

/// Headroom is rounded up to the alignment where it has to be made, and is enough where it is
/// there.
#[test]
fn existing_headroom_is_enough_when_unaligned() {
    tierpool::pool! { static POOL = [64 x 1], align = 64; }
    let mut buffer = POOL.zeroed(60).unwrap();
    buffer.advance(10).unwrap();
    let start = buffer.as_ptr();
    buffer.reserve_front(10).unwrap();
    let mut buffer = buffer.freeze().into_mut_in(&POOL, 10).unwrap();
    assert_eq!(buffer.as_ptr(), start);
    assert_eq!(buffer.headroom(), 10);
    assert_eq!(buffer.len(), 50);
    assert_eq!(buffer.reserve_front(11), Err(AllocError::Oversized));
    assert_eq!(buffer.freeze().into_mut_in(&POOL, 11).unwrap_err().error, AllocError::Oversized);
}

/// A buffer of `headroom` and `len` bytes in a slot of 16, in front of which only slots of the
/// sizes `free` are left.
fn with_free(
    free: &[usize],
    headroom: usize,
    len: usize,
) -> (&'static Pool, BytesMut, Vec<BytesMut>) {
    let pool = fresh_pool(&Config::new(&[(16, 2), (32, 1), (48, 1), (64, 1)])).unwrap();
    let mut buffer = pool.alloc_with_headroom(headroom, 16 - headroom).unwrap();
    buffer.resize(len, 7).unwrap();
    let held = [16, 32, 48, 64]
        .into_iter()
        .filter(|size| !free.contains(size))
        .map(|size| pool.alloc(size).unwrap());
    let held = held.collect();
    (pool, buffer, held)
}

/// Whatever headroom and room a buffer has, and whichever slots are free: it grows if what it has,
/// and what was asked for, fit.
#[test]
fn growth_fails_only_where_no_free_slot_fits() {
    const SIZES: [usize; 4] = [16, 32, 48, 64];
    let asks = (0..16).flat_map(|set| {
        (0..=16).step_by(4).flat_map(move |headroom| {
            (0..=16 - headroom).step_by(4).map(move |len| (set, headroom, len))
        })
    });
    for (set, headroom, len) in asks {
        let free: Vec<usize> =
            (0..4).filter(|bit| set >> bit & 1 == 1).map(|bit| SIZES[bit]).collect();
        for asked in (0..=64).step_by(8) {
            // No `spill`: the smallest tier that fits has to have a slot.
            let fits = |wanted: usize| {
                SIZES
                    .into_iter()
                    .find(|&size| size >= wanted)
                    .is_some_and(|size| free.contains(&size))
            };
            let expected = asked <= 16 - len || fits(len + asked);
            let case = format!("{free:?} free, {len} bytes behind {headroom}, {asked} more");

            // With its headroom, it may find a slot that what was asked for alone would not have
            // been given.
            let (_, mut buffer, _held) = with_free(&free, headroom, len);
            let kept = fits(headroom + len + asked);
            assert_eq!(buffer.reserve(asked).is_ok(), expected || kept, "reserve: {case}");
            assert_eq!(buffer, vec![7; len], "{case}");

            let (_, mut buffer, _held) = with_free(&free, headroom, len);
            assert_eq!(buffer.reserve_front(asked).is_ok(), expected, "reserve_front: {case}");
            assert_eq!(buffer, vec![7; len], "{case}");

            let (pool, buffer, _held) = with_free(&free, headroom, len);
            assert_eq!(
                buffer.freeze().into_mut_in(pool, asked).is_ok(),
                expected,
                "into_mut_in: {case}"
            );

            let (pool, buffer, _held) = with_free(&free, headroom, len);
            let shared = buffer.freeze();
            assert_eq!(
                shared.clone().into_mut_in(pool, asked).is_ok(),
                fits(len + asked),
                "into_mut_in, shared: {case}"
            );
        }
    }
}

/// Growth beyond the largest tier asks for twice the size first; nobody has asked for that.
#[test]
fn one_failed_growth_is_one_request() {
    tierpool::pool! { static POOL = [64 x 1]; }
    let mut buffer = POOL.zeroed(64).unwrap();
    assert!(buffer.push(1).is_err());
    assert_eq!(POOL.stats().oversized(), 1);
    assert_eq!(POOL.stats().requests(), 2);
}

// ---- a part of the data once more

/// All ranges, in slots where the copy fits, where the data slide for it, and where they move.
#[test]
fn a_part_is_appended_as_by_a_vec() {
    tierpool::pool! { static POOL = [16 x 2, 32 x 2]; }
    for (headroom, len) in
        (0..12).flat_map(|headroom| (0..=16 - headroom).map(move |n| (headroom, n)))
    {
        for (from, to) in (0..=len).flat_map(|from| (from..=len).map(move |to| (from, to))) {
            let data: Vec<u8> = (0..len as u8).collect();
            let mut buffer = POOL.alloc_with_headroom(headroom, len).unwrap();
            buffer.extend_from_slice(&data).unwrap();
            let mut expected = data.clone();
            expected.extend_from_within(from..to);
            buffer.extend_from_within(from..to).unwrap();
            assert_eq!(buffer, expected, "{headroom} + {len}, {from}..{to}");
            let fits = headroom + len <= 16 && expected.len() <= 16;
            assert_eq!(buffer.footprint(), if fits { 16 } else { 32 });
        }
    }
    assert_all_home(&POOL);
}

#[test]
fn a_part_that_is_refused_changes_nothing() {
    tierpool::pool! { static POOL = [16 x 2]; }
    let mut buffer = POOL.copy_from_slice(b"0123456789").unwrap();
    let (place, requests) = (buffer.as_ptr(), POOL.stats().requests());
    #[expect(clippy::reversed_empty_ranges)]
    let wrong = [0..11, 11..11, 6..5, 3..usize::MAX];
    for range in wrong {
        assert_eq!(buffer.extend_from_within(range), Err(Error::OutOfRange));
    }
    assert_eq!(buffer.extend_from_within(..=usize::MAX), Err(Error::OutOfRange));
    assert_eq!(POOL.stats().requests(), requests, "it asks for no room");
    assert_eq!(buffer.extend_from_within(3..), Err(Error::Oversized));
    assert_eq!((buffer.as_ptr(), &buffer[..]), (place, &b"0123456789"[..]));
    buffer.extend_from_within(..=5).unwrap();
    assert_eq!(buffer, "0123456789012345");

    let mut nowhere = Bytes::new().try_into_mut().unwrap();
    assert_eq!(nowhere.extend_from_within(..), Ok(()));
    assert_eq!(nowhere.extend_from_within(..1), Err(Error::OutOfRange));
}

// ---- in place, or not at all

#[test]
fn reclaiming_makes_room_in_place_or_says_no() {
    tierpool::pool! { static POOL = [64 x 2, 1024 x 2]; }
    let mut buffer = POOL.alloc_with_headroom(20, 40).unwrap();
    buffer.extend_from_slice(b"0123456789").unwrap();
    let base = buffer.as_ptr().addr() - 20;
    assert!(buffer.try_reclaim(34) && buffer.headroom() == 20, "there was room: nothing moves");
    assert!(
        !buffer.try_reclaim(55) && buffer.headroom() == 20,
        "nothing moves where it would not help"
    );
    assert!(buffer.try_reclaim(54));
    assert_eq!(buffer.as_ptr().addr(), base);
    assert_eq!(buffer.capacity(), 64);
    assert_eq!(&buffer[..], &b"0123456789"[..]);
    assert!(!buffer.try_reclaim(usize::MAX) && buffer.try_reclaim(0));
    assert_eq!(POOL.stats().requests(), 1, "it asks the pool for nothing");

    let mut nowhere = Bytes::new().try_into_mut().unwrap();
    assert!(nowhere.try_reclaim(0) && !nowhere.try_reclaim(1));
}

#[test]
fn reclaiming_asks_the_fallback_for_nothing() {
    static HEAP: Heap<true> = Heap::new();
    tierpool::pool! { static POOL = [64 x 1], fallback = &HEAP; }
    let mut buffer = POOL.zeroed(100).unwrap();
    assert!(!buffer.is_pooled());
    let (taken, requests) = (HEAP.outstanding(), POOL.stats().requests());
    buffer[90..].fill(7);
    buffer.advance(80).unwrap();
    let spare = buffer.footprint() - buffer.len();
    assert!(!buffer.try_reclaim(spare + 1) && buffer.headroom() == 80);
    assert!(buffer.try_reclaim(spare) && buffer.headroom() == 0);
    assert_eq!(&buffer[..], &[[0; 10], [7; 10]].concat());
    assert_eq!((HEAP.outstanding(), POOL.stats().requests()), (taken, requests));
}

/// What the error says must be possible where it is said.
#[test]
fn a_buffer_of_no_pool_grows_as_its_error_says() {
    use std::fmt::Write;
    tierpool::pool! { static POOL = default; }
    let nowhere = || Bytes::new().try_into_mut().unwrap();
    assert!(
        AllocError::NoPool.to_string().contains("`_in`")
            && AllocError::NoPool.to_string().contains("`reserve_in`")
    );

    let mut pushed = nowhere();
    assert_eq!(pushed.push(b'a'), Err(AllocError::NoPool));
    pushed.reserve_in(&POOL, 1).unwrap();
    pushed.push(b'a').unwrap();
    pushed.push(b'b').unwrap();
    assert_eq!(pushed, "ab");

    // A trait has no `_in` form.
    let mut written = nowhere();
    assert!(write!(written, "rssi={}", -71).is_err());
    written.reserve_in(&POOL, 1).unwrap();
    write!(written, "rssi={}", -71).unwrap();
    assert_eq!(written, "rssi=-71");
}
