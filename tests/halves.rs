//! Halves of a writable buffer: who has which room, who gets the slot, and what the other half may
//! not notice. The second part has the semantics that the tests of the crate `bytes` ask for.

use std::thread;

use tierpool::{AllocError, Bytes, BytesMut, Config, Pool, PoolCache, RangeError};
use tierpool_testkit::{Heap, assert_all_home, fresh_pool};

fn pool() -> &'static Pool {
    fresh_pool(&Config::new(&[(64, 4), (256, 4)])).unwrap()
}

/// The slots of the first tier in use.
fn in_use(pool: &Pool) -> usize {
    pool.stats().tiers()[0].in_use
}

fn buffer(pool: &'static Pool, bytes: &[u8]) -> BytesMut {
    pool.copy_from_slice(bytes).unwrap()
}

/// Headroom, bytes, and capacity.
fn room(buffer: &BytesMut) -> (usize, usize, usize) {
    (buffer.headroom(), buffer.len(), buffer.capacity())
}

// ---- room

#[test]
fn each_end_of_the_slot_has_one_owner() {
    let pool = pool();
    let mut whole = pool.alloc_with_headroom(8, 20).unwrap();
    whole.extend_from_slice(b"headbodytail").unwrap();
    let base = whole.as_ptr();
    let mut back = whole.split_off(4).unwrap();
    let mut middle = back.split_to(4).unwrap();
    let mut front = whole;
    assert_eq!((&front[..], &middle[..], &back[..]), (&b"head"[..], &b"body"[..], &b"tail"[..]));
    assert_eq!(room(&front), (8, 4, 4));
    assert_eq!(room(&middle), (0, 4, 4));
    assert_eq!(room(&back), (0, 4, 64 - 8 - 8));
    assert_eq!(middle.as_ptr(), base.wrapping_add(4));
    for half in [&front, &middle, &back] {
        assert!(half.is_pooled() && half.footprint() == 64);
    }
    assert!(middle.spare_capacity_mut().is_empty() && front.spare_capacity_mut().is_empty());
    back.spare_capacity_mut().iter_mut().for_each(|byte| _ = byte.write(0xAA));

    // What they have they use, and the others keep their bytes.
    front.prepend(b"in front").unwrap();
    back.extend_from_slice(&[b'!'; 44]).unwrap();
    middle.make_ascii_uppercase();
    assert_eq!((&front[..], &middle[..]), (&b"in fronthead"[..], &b"BODY"[..]));
    assert_eq!((room(&front), room(&back)), ((0, 12, 12), (0, 48, 48)));
    assert_eq!(in_use(pool), 1);
    drop((middle, back));
    drop(front);
    assert_all_home(pool);
}

#[test]
fn a_half_that_grows_moves_and_lets_go() {
    let pool = pool();
    let mut front = buffer(pool, b"headbody");
    let mut back = front.split_off(4).unwrap();
    front.extend_from_slice(b"er").unwrap();
    assert_eq!((in_use(pool), &front[..], &back[..]), (2, &b"header"[..], &b"body"[..]));
    assert_eq!(room(&front), (0, 6, 64));
    // The other one has the slot now, and takes it when it needs it.
    assert_eq!(room(&back), (0, 4, 60));
    back.prepend(b"more").unwrap();
    assert_eq!((&back[..], in_use(pool)), (&b"morebody"[..], 2));
    drop((front, back));

    // In front, too.
    let mut front = buffer(pool, b"headbody");
    let mut back = front.split_off(4).unwrap();
    back.prepend(b"<").unwrap();
    assert_eq!((&front[..], &back[..], in_use(pool)), (&b"head"[..], &b"<body"[..], 2));
    drop((front, back));
    assert_all_home(pool);
}

#[test]
fn a_half_that_cannot_grow_keeps_all() {
    let pool = fresh_pool(&Config::new(&[(64, 1)])).unwrap();
    let mut front = buffer(pool, b"headbody");
    let mut back = front.split_off(4).unwrap();
    assert_eq!(front.extend_from_slice(b"er"), Err(AllocError::Exhausted));
    assert_eq!(back.prepend(b"<"), Err(AllocError::Exhausted));
    assert_eq!(front.reserve(1), Err(AllocError::Exhausted));
    assert!(front.extend_in_place(b"e").is_err() && !front.try_reclaim(1));
    assert_eq!((&front[..], &back[..]), (&b"head"[..], &b"body"[..]));
    assert_eq!((room(&front), room(&back)), ((0, 4, 4), (0, 4, 60)));
    drop(back);
    front.extend_from_slice(b"er").unwrap();
    assert_eq!((&front[..], room(&front)), (&b"header"[..], (0, 6, 64)));
    drop(front);
    assert_all_home(pool);
}

#[test]
fn the_last_half_has_the_whole_slot_again() {
    let pool = pool();
    // Either half, frozen or not, dropped or moved away.
    for (keep_front, frozen) in [(true, false), (true, true), (false, false), (false, true)] {
        let mut front = buffer(pool, b"headbody");
        let back = front.split_off(4).unwrap();
        let (mut kept, other) = if keep_front { (front, back) } else { (back, front) };
        assert!(!kept.try_reclaim(60));
        if frozen {
            let shared = other.freeze();
            let clone = shared.clone();
            drop(shared);
            assert!(!kept.try_reclaim(60));
            drop(clone);
        } else {
            drop(other);
        }
        assert!(kept.try_reclaim(60) && kept.headroom() == 0 && kept.capacity() == 64);
        assert_eq!(kept, if keep_front { "head" } else { "body" });
        kept.reserve_front(60).unwrap();
        assert_eq!((room(&kept), in_use(pool)), ((60, 4, 4), 1));
        kept.reset(3).unwrap();
        assert_eq!(room(&kept), (3, 0, 61));
    }
    assert_all_home(pool);
}

#[test]
fn what_a_half_cuts_off_is_nobodys() {
    let pool = pool();
    let mut front = buffer(pool, b"headbodytail");
    let back = front.split_off(8).unwrap();
    front.truncate(6);
    assert_eq!(room(&front), (0, 6, 6));
    front.clear();
    assert_eq!(room(&front), (0, 0, 0));
    let mut back = back;
    back.advance(2).unwrap();
    assert_eq!(room(&back), (0, 2, 64 - 10));
    back.truncate(1);
    assert_eq!(room(&back), (0, 1, 64 - 10));
    back.clear();
    assert_eq!(room(&back), (0, 0, 64 - 10));
    // Not joined over the gap. An empty one elsewhere is dropped, and one replaces an empty one.
    back.extend_from_slice(b"il").unwrap();
    front.unsplit(back).unwrap();
    assert_eq!((&front[..], room(&front)), (&b"il"[..], (0, 2, 64 - 10)));
    assert!(front.try_reclaim(62));
    drop(front);
    assert_all_home(pool);
}

#[test]
fn a_reset_needs_the_whole_slot() {
    let pool = pool();
    let mut front = buffer(pool, b"headbody");
    let mut back = front.split_off(4).unwrap();
    assert_eq!((front.reset(0), back.reset(8)), (Err(RangeError), Err(RangeError)));
    assert_eq!((&front[..], &back[..]), (&b"head"[..], &b"body"[..]));
    drop(front);
    back.reset(8).unwrap();
    assert_eq!(room(&back), (8, 0, 56));
    drop(back);
    assert_all_home(pool);
}

#[test]
fn a_raw_slot_is_a_whole_one() {
    let pool = pool();
    let mut front = buffer(pool, b"headbody");
    let back = front.split_off(4).unwrap();
    let front = front.into_raw().unwrap_err();
    let back = back.into_raw().unwrap_err();
    assert_eq!((&front[..], &back[..]), (&b"head"[..], &b"body"[..]));
    drop(front);
    let slot = back.into_raw().unwrap();
    assert_eq!(slot.len(), 64);
    // SAFETY: the slot is not used any more.
    unsafe { pool.deallocate(slot.cast()) }.unwrap();
    assert_all_home(pool);
}

// ---- parts without bytes

#[test]
fn an_empty_part_holds_a_slot_only_for_room() {
    let pool = pool();
    let mut whole = buffer(pool, b"head");
    let base = whole.as_ptr();
    // Nothing in front: the whole stays whole.
    let none = whole.split_to(0).unwrap();
    assert_eq!((none.footprint(), none.as_ptr(), room(&whole)), (0, base, (0, 4, 64)));
    // All of it: the front is empty, and the back has all room.
    let all = whole.split_off(0).unwrap();
    assert_eq!((whole.footprint(), room(&all)), (0, (0, 4, 64)));
    // They can grow in the pool.
    whole.extend_from_slice(b"again").unwrap();
    assert_eq!((in_use(pool), &whole[..]), (2, &b"again"[..]));

    // Behind the data there is room.
    let mut front = all;
    let rest = front.split_off(4).unwrap();
    assert_eq!((room(&front), room(&rest), rest.footprint()), ((0, 4, 4), (0, 0, 60), 64));
    assert_eq!(in_use(pool), 2);
    drop(front);
    assert_eq!(in_use(pool), 2);
    drop((whole, rest));

    // There is none.
    let mut full = pool.zeroed(64).unwrap();
    let rest = full.split_off(64).unwrap();
    assert_eq!(
        (room(&full), rest.footprint(), rest.as_ptr()),
        ((0, 64, 64), 0, full.as_ptr_range().end)
    );
    let taken = full.split();
    assert_eq!((room(&taken), full.footprint()), ((0, 64, 64), 0));
    drop(taken);
    assert_eq!(in_use(pool), 0);
    drop((full, rest, none));

    // A handle without a buffer.
    let mut nothing = Bytes::new().try_into_mut().unwrap();
    assert!(nothing.split_to(1).is_err() && nothing.split_off(1).is_err());
    let parts = (nothing.split_to(0).unwrap(), nothing.split_off(0).unwrap(), nothing.split());
    nothing.unsplit(parts.0).unwrap();
    assert_eq!((nothing.capacity(), parts.1.capacity(), parts.2.capacity()), (0, 0, 0));
    assert_all_home(pool);
}

#[test]
fn ranges_beyond_the_data_are_errors() {
    let pool = pool();
    let mut whole = buffer(pool, b"head");
    for at in [5, 64, 65, usize::MAX] {
        assert_eq!(whole.split_to(at).unwrap_err(), RangeError);
        assert_eq!(whole.split_off(at).unwrap_err(), RangeError);
    }
    assert_eq!((&whole[..], room(&whole)), (&b"head"[..], (0, 4, 64)));
    drop(whole);
    assert_all_home(pool);
}

// ---- frozen halves

#[test]
fn a_frozen_half_copies_while_the_other_writes() {
    let pool = pool();
    let mut writer = buffer(pool, b"headbody");
    let mut shared = writer.split_to(4).unwrap().freeze();
    assert!(!shared.is_unique());
    // The count says that another handle exists; it may be a clone.
    shared = shared.try_into_mut().unwrap_err();
    let before = shared.as_ptr();
    shared.make_mut().unwrap()[0] = b'H';
    assert_ne!(shared.as_ptr(), before);
    writer.make_ascii_uppercase();
    assert_eq!((&shared[..], &writer[..], in_use(pool)), (&b"Head"[..], &b"BODY"[..], 2));
    // The writer's half is alone, and has the slot.
    assert!(writer.try_reclaim(60));
    drop((shared, writer));

    // The other way round: the frozen one is alone.
    let mut writer = buffer(pool, b"headbody");
    let mut shared = writer.split_off(4).unwrap().freeze();
    let part = shared.slice(1..3).unwrap();
    drop(writer);
    assert!(!shared.is_unique());
    drop(part);
    assert!(shared.is_unique());
    let before = shared.as_ptr();
    shared.make_mut().unwrap()[0] = b'B';
    assert_eq!(shared.as_ptr(), before);
    let mut alone = shared.try_into_mut().unwrap();
    assert_eq!((&alone[..], room(&alone)), (&b"Body"[..], (4, 4, 60)));
    alone.prepend(b"HEAD").unwrap();
    assert_eq!((&alone[..], in_use(pool)), (&b"HEADBody"[..], 1));

    // In place for another pool, with headroom that lay in the other half.
    let tail = alone.split_off(6).unwrap();
    drop(alone);
    let out = tail.freeze().into_mut_in(pool, 5).unwrap();
    assert_eq!((&out[..], out.headroom() >= 5, in_use(pool)), (&b"dy"[..], true, 1));
    drop(out);
    assert_all_home(pool);
}

/// Frames of a stream: the decoder splits them off, receivers on another thread read and drop them,
/// and the decoder goes on in the same slot when they are through.
#[test]
fn a_decoder_lives_on_one_slot() {
    let pool = fresh_pool(&Config::new(&[(64, 1)])).unwrap();
    let rounds = if cfg!(miri) { 5 } else { 200 };
    let (to_reader, frames) = std::sync::mpsc::channel::<Bytes>();
    let reader = thread::spawn(move || {
        let mut sum = 0;
        for frame in frames {
            assert!(frame.iter().all(|&byte| byte == frame[0]) && frame.len() == 9);
            sum += usize::from(frame[0]);
        }
        sum
    });
    let mut received = pool.alloc(64).unwrap();
    for round in 0..rounds {
        while !received.try_reclaim(9) {
            thread::yield_now();
        }
        received.resize(9, round as u8).unwrap();
        to_reader.send(received.split().freeze()).unwrap();
    }
    drop(to_reader);
    assert_eq!(reader.join().unwrap(), (0..rounds).map(|round| usize::from(round as u8)).sum());
    drop(received);
    assert_eq!(pool.stats().requests(), 1);
    assert_all_home(pool);
}

// ---- joining

#[test]
fn halves_that_meet_become_one() {
    let pool = pool();
    let mut front = pool.alloc_with_headroom(4, 20).unwrap();
    front.extend_from_slice(b"headbodytail").unwrap();
    let mut middle = front.split_off(4).unwrap();
    let back = middle.split_off(4).unwrap();
    let back = front.unsplit(back).unwrap_err();
    assert_eq!((&front[..], &back[..]), (&b"head"[..], &b"tail"[..]));
    let front = back_to_front(middle, front);
    let mut front = front;
    front.unsplit(back).unwrap();
    assert_eq!((&front[..], room(&front)), (&b"headbodytail"[..], (4, 12, 60)));
    // It is whole: it can be raw, without another look at the count.
    let slot = front.into_raw().unwrap();
    // SAFETY: the slot is not used any more.
    unsafe { pool.deallocate(slot.cast()) }.unwrap();
    assert_all_home(pool);
}

/// Joins the middle to the front, after a try the wrong way round.
fn back_to_front(mut middle: BytesMut, front: BytesMut) -> BytesMut {
    let mut front = middle.unsplit(front).unwrap_err();
    front.unsplit(middle).unwrap();
    assert_eq!((&front[..], room(&front)), (&b"headbody"[..], (4, 8, 8)));
    front
}

#[test]
fn only_halves_of_one_slot_are_joined() {
    let pool = fresh_pool(&Config::new(&[(4, 2)])).unwrap();
    // Neighbours in memory, and no halves.
    let (one, two) = (buffer(pool, b"aaaa"), buffer(pool, b"bbbb"));
    let (mut low, high) = if one.as_ptr() < two.as_ptr() { (one, two) } else { (two, one) };
    assert_eq!(low.as_ptr_range().end, high.as_ptr());
    let high = low.unsplit(high).unwrap_err();
    // The last bytes of one slot and the first ones of the next.
    let (mut low, mut high) = (low, high);
    let (low_front, mut low_back) = (low.split_to(2).unwrap(), low);
    let (high_front, high_back) = (high.split_to(2).unwrap(), high);
    let high_front = low_back.unsplit(high_front).unwrap_err();
    drop((low_front, low_back, high_front, high_back));
    assert_all_home(pool);
}

#[test]
fn an_empty_half_gives_its_room_back() {
    let pool = pool();
    let mut front = buffer(pool, b"head");
    let rest = front.split_off(4).unwrap();
    assert_eq!(front.capacity(), 4);
    front.unsplit(rest).unwrap();
    assert_eq!(room(&front), (0, 4, 64));
    // An emptied front takes the back with all that lies before.
    let back = front.split_off(2).unwrap();
    front.advance(2).unwrap();
    front.unsplit(back).unwrap();
    assert_eq!((&front[..], room(&front)), (&b"ad"[..], (2, 2, 62)));
    // The other way round it has nothing to give.
    let mut back = front.split_off(2).unwrap();
    front.advance(2).unwrap();
    back.unsplit(front).unwrap();
    assert_eq!(room(&back), (0, 0, 60));
    back.extend_from_slice(&[7; 60]).unwrap();
    assert_eq!(in_use(pool), 1);
    drop(back);
    assert_all_home(pool);
}

// ---- other buffers and flags

#[test]
fn halves_of_a_fallback_buffer() {
    static NOW: Heap<true> = Heap::new();
    static LATER: Heap<false> = Heap::new();
    let config = Config::new(&[(16, 1)]);
    for pool in
        [fresh_pool(&config.fallback(&NOW)).unwrap(), fresh_pool(&config.fallback(&LATER)).unwrap()]
    {
        let mut front = pool.alloc_with_headroom(8, 92).unwrap();
        front.extend_from_slice(b"headbody").unwrap();
        let whole = front.footprint();
        let mut back = front.split_off(4).unwrap();
        assert!(!front.is_pooled() && whole >= 100);
        assert_eq!((room(&front), room(&back)), ((8, 4, 4), (0, 4, whole - 12)));
        front.prepend(b"in front").unwrap();
        back.extend_from_slice(b" and more").unwrap();
        assert_eq!((&front[..], &back[..]), (&b"in fronthead"[..], &b"body and more"[..]));
        let mut back = back.into_raw().unwrap_err();
        assert!(back.reset(0).is_err());
        let shared = front.freeze();
        drop(shared.clone());
        assert!(!back.try_reclaim(whole - 13));
        drop(shared);
        assert!(back.try_reclaim(whole - 13));
        assert_eq!((&back[..], room(&back)), (&b"body and more"[..], (0, 13, whole)));
        assert_eq!(pool.stats().fallback_live(), 1);
        let rest = back.split_off(4).unwrap();
        back.unsplit(rest).unwrap();
        assert_eq!(room(&back), (0, 13, whole));
        drop(back);
        assert_all_home(pool);
    }
    assert_eq!((NOW.outstanding(), LATER.outstanding()), ((0, 0), (0, 0)));
}

#[test]
fn halves_of_a_pool_only_buffer_stay_so() {
    static HEAP: Heap<true> = Heap::new();
    let pool = fresh_pool(&Config::new(&[(16, 1)]).fallback(&HEAP)).unwrap();
    let mut front = pool.alloc_pooled(16).unwrap();
    front.extend_from_slice(b"headbody").unwrap();
    let mut back = front.split_off(4).unwrap();
    for half in [&mut front, &mut back] {
        assert_eq!(half.reserve(17), Err(AllocError::Oversized));
        assert_eq!(half.reserve_front(9), Err(AllocError::Exhausted));
    }
    let mut shared = front.freeze();
    assert_eq!(shared.make_mut(), Err(AllocError::Exhausted));
    drop(shared);
    assert_eq!(back.reserve(17), Err(AllocError::Oversized));
    back.reserve(12).unwrap();
    // A part without a buffer cannot say that it is so, and belongs to no pool.
    let mut none = back.split_to(0).unwrap();
    assert_eq!(none.reserve(1), Err(AllocError::NoPool));
    drop(back);
    assert_all_home(pool);
}

#[test]
fn the_last_half_wipes_the_whole_slot() {
    for pooled in [false, true] {
        let pool = fresh_pool(&Config::new(&[(16, 1)]).zero_on_free(true)).unwrap();
        for front_last in [false, true] {
            let mut front = if pooled { pool.alloc_pooled(16) } else { pool.alloc(16) }.unwrap();
            front.resize(16, 0xEE).unwrap();
            let back = front.split_off(7).unwrap();
            let (first, last) = if front_last { (back, front) } else { (front, back) };
            drop(first);
            assert!(last.iter().all(|&byte| byte == 0xEE), "wiped too early");
            drop(last);
            let mut next = pool.alloc(16).unwrap();
            // SAFETY: all bytes of the slot have been written.
            unsafe { next.set_len(16) };
            assert_eq!(next, [0; 16]);
        }
        assert_all_home(pool);
    }
}

#[cfg(feature = "zeroize")]
#[test]
fn a_half_wipes_its_own_bytes_alone() {
    use zeroize::Zeroize;
    let pool = fresh_pool(&Config::new(&[(16, 1)])).unwrap();
    let mut front = pool.alloc(16).unwrap();
    front.resize(16, 0xEE).unwrap();
    let mut back = front.split_off(8).unwrap();
    back.truncate(4);
    back.zeroize();
    assert_eq!((&front[..], back.len(), back.capacity()), (&[0xEE; 8][..], 0, 8));
    // SAFETY: they were written: by `resize`, and then with zeros.
    unsafe { back.set_len(8) };
    assert_eq!(back, [0; 8]);
    front.zeroize();
    assert_eq!(back, [0; 8]);
    back.fill(0xEE);
    drop(front);
    // The last one has all of the slot.
    back.truncate(1);
    back.zeroize();
    back.reset(0).unwrap();
    // SAFETY: as above.
    unsafe { back.set_len(16) };
    assert_eq!(back, [0; 16]);
    drop(back);
    assert_all_home(pool);
}

#[test]
fn a_cache_keeps_the_slot_of_the_last_half() {
    let pool = fresh_pool(&Config::new(&[(64, 2)])).unwrap();
    let mut cache = PoolCache::<2, 1>::new(pool);
    for wipes in [false, true] {
        let mut front = if wipes { pool.alloc_pooled(64) } else { pool.alloc(64) }.unwrap();
        front.extend_from_slice(b"headbody").unwrap();
        let back = front.split_off(4).unwrap();
        cache.recycle(front);
        assert_eq!(cache.cached(), 0, "the other half lives");
        assert_eq!(back, "body");
        cache.recycle(back);
        assert_eq!(cache.cached(), 1);
        let next = cache.alloc(64).unwrap();
        assert_eq!(room(&next), (0, 0, 64));
        drop(next);
        cache.flush();
    }
    assert_all_home(pool);
}

/// With `align`, a half begins where it was cut. A headroom that is asked for is rounded, in the
/// slot if it is whole again, else in another one.
#[test]
fn headroom_of_halves_in_an_aligned_pool() {
    let pool = fresh_pool(&Config::new(&[(64, 4)]).align(16)).unwrap();
    let mut front = buffer(pool, b"headbody");
    let mut back = front.split_off(4).unwrap();
    let mut other = back.split_off(2).unwrap();
    other.reserve_front(1).unwrap();
    assert_eq!((other.headroom(), other.as_ptr().addr() % 16, in_use(pool)), (16, 0, 2));
    drop(front);
    back.reserve_front(1).unwrap();
    assert_eq!((&back[..], in_use(pool), back.headroom()), (&b"bo"[..], 2, 4));
    assert_eq!(other, "dy");
    drop((back, other));
    assert_all_home(pool);
}

/// Other crates' traits write the room of a half, and no byte beyond it.
#[cfg(all(feature = "bytes", feature = "std", feature = "embedded-io-07"))]
#[test]
fn traits_write_only_the_room_of_a_half() {
    use ::bytes::{Buf, BufMut};
    let pool = fresh_pool(&Config::new(&[(16, 1)])).unwrap();
    let mut front = buffer(pool, b"headbody");
    let mut back = front.split_off(4).unwrap();
    assert_eq!((front.remaining_mut(), front.chunk_mut().len(), back.remaining_mut()), (0, 0, 8));
    back.put_slice(b"1234");
    assert_eq!(std::io::Write::write(&mut back, b"5678").unwrap(), 4);
    assert!(std::io::Write::write(&mut back, b"9").is_err());
    assert!(embedded_io_07::Write::write(&mut front, b"9").is_err());
    assert_eq!((&front[..], &back[..]), (&b"head"[..], &b"body12345678"[..]));
    assert_eq!(back.get_u32(), u32::from_be_bytes(*b"body"));
    let mut read = [0; 3];
    assert_eq!(std::io::Read::read(&mut front, &mut read).unwrap(), 3);
    assert_eq!((&read, &front[..], room(&front)), (b"hea", &b"d"[..], (3, 1, 1)));
    assert_eq!((format!("{back:?}"), room(&back)), ("b\"12345678\"".into(), (0, 8, 8)));
    assert!(front.iter().chain(&back).eq(b"d12345678"));
    drop((front, back));
    assert_all_home(pool);
}

// ---- across threads

/// Two threads write their halves of one slot; whoever is last takes it.
#[test]
fn two_threads_write_their_halves() {
    let pool = fresh_pool(&Config::new(&[(64, 1)])).unwrap();
    for round in 0..if cfg!(miri) { 3 } else { 200_u8 } {
        let mut front = pool.zeroed(32).unwrap();
        let back = front.split_off(16).unwrap();
        let work = |mut half: BytesMut, byte: u8| {
            move || {
                half.fill(byte);
                assert_eq!(half, [byte; 16]);
                if half.try_reclaim(48) {
                    half.resize(64, !byte).unwrap();
                    assert_eq!(half[..16], [byte; 16]);
                }
            }
        };
        let other = thread::spawn(work(back, round));
        work(front, !round)();
        other.join().unwrap();
        assert_all_home(pool);
    }
}

// ---- what the tests of `bytes` ask for, by their names

fn with(pool: &'static Pool, capacity: usize, bytes: &[u8]) -> BytesMut {
    let mut buffer = pool.alloc(capacity).unwrap();
    buffer.extend_from_slice(bytes).unwrap();
    buffer
}

const LONG: &[u8] = b"mary had a little lamb, little lamb, little lamb";

#[test]
fn split_off() {
    let pool = pool();
    let mut hello = buffer(pool, b"helloworld");
    let world = hello.split_off(5).unwrap();
    assert_eq!((&hello[..], &world[..]), (&b"hello"[..], &b"world"[..]));
}

#[test]
fn split_off_to_loop() {
    let pool = pool();
    let text = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for i in (0..=text.len()).step_by(if cfg!(miri) { 13 } else { 1 }) {
        for frozen in [false, true] {
            let mut front = buffer(pool, text);
            let off = front.split_off(i).unwrap();
            assert_eq!((front.len(), off.len()), (i, text.len() - i));
            let both = if frozen {
                [front.freeze(), off.freeze()].concat()
            } else {
                [front, off].concat()
            };
            assert_eq!(both, text);

            let mut back = buffer(pool, text);
            let off = back.split_to(i).unwrap();
            assert_eq!((back.len(), off.len()), (text.len() - i, i));
            let both =
                if frozen { [off.freeze(), back.freeze()].concat() } else { [off, back].concat() };
            assert_eq!(both, text);
        }
    }
    assert_all_home(pool);
}

#[test]
fn freeze_after_split_to() {
    let pool = pool();
    for (at, advance) in [(1, 0), (2, 1)] {
        let mut back = buffer(pool, b"abcdefgh");
        let mut front = back.split_to(at).unwrap();
        front.advance(advance).unwrap();
        assert_eq!(front.freeze(), b"abcdefgh"[advance..at]);
        assert_eq!(back.freeze(), b"abcdefgh"[at..]);
    }
    assert_all_home(pool);
}

#[test]
fn freeze_after_split_off() {
    let pool = pool();
    let mut front = buffer(pool, b"abcdefgh");
    let back = front.split_off(1).unwrap();
    assert_eq!((front.freeze(), back.freeze()), (b"a"[..].into(), b"bcdefgh"[..].into()));
    assert_all_home(pool);
}

#[test]
fn freeze_after_truncate_arc() {
    let pool = pool();
    let mut back = buffer(pool, b"abcdefgh");
    let mut front = back.split_to(7).unwrap();
    front.truncate(6);
    assert_eq!((&front.freeze()[..], &back[..]), (&b"abcdef"[..], &b"h"[..]));
    drop(back);
    assert_all_home(pool);
}

#[test]
fn reserve_convert() {
    let pool = pool();
    let mut back = buffer(pool, LONG);
    let front = back.split_to(30).unwrap();
    back.reserve(128).unwrap();
    assert!(back.capacity() >= back.len() + 128);
    assert_eq!([front, back].concat(), LONG);
}

#[test]
fn reserve_in_arc_unique_finds_the_slot() {
    let pool = pool();
    let mut front = buffer(pool, LONG);
    for _ in 0..10 {
        drop(front.split_off(LONG.len() / 2).unwrap());
        assert_eq!(front.capacity(), LONG.len() / 2);
        front.reserve(64 - LONG.len() / 2).unwrap();
        assert_eq!((front.capacity(), pool.stats().requests()), (64, 1));
        front.resize(LONG.len(), b'.').unwrap();
    }
}

#[test]
fn reserve_in_arc_nonunique_moves() {
    let pool = pool();
    let mut rest = with(pool, 64, b"first");
    let first = rest.split();
    assert_eq!(rest.capacity(), 59);
    rest.reserve(65).unwrap();
    assert_eq!((rest.capacity(), in_use(pool), &first[..]), (256, 1, &b"first"[..]));
}

#[test]
fn reserve_shared_reuse() {
    let pool = pool();
    let mut line = with(pool, 64, b"Hello, World!");
    drop(line.split());
    line.extend_from_slice(b"!123ex123,sadchELLO,_wORLD!").unwrap();
    drop(line.split_off(9).unwrap());
    assert_eq!(line, "!123ex123");
    line.reserve(55).unwrap();
    assert_eq!((&line[..], line.capacity(), in_use(pool)), (&b"!123ex123"[..], 64, 1));
}

#[test]
fn try_reclaim_arc() {
    let pool = fresh_pool(&Config::new(&[(7, 1)])).unwrap();
    let mut line = with(pool, 7, b"abc");
    let x = line.split().freeze();
    line.extend_from_slice(b"def").unwrap();
    assert!(!line.try_reclaim(usize::MAX));
    let y = line.split().freeze();
    let z = y.clone();
    assert!(!line.try_reclaim(7));
    drop((x, z));
    assert!(!line.try_reclaim(7));
    drop(y);
    assert!(line.try_reclaim(7));
    assert_eq!((line.capacity(), line.len()), (7, 0));
    line.extend_in_place(b"abcdefg").unwrap();
    assert!(!line.try_reclaim(7));
    line.advance(4).unwrap();
    assert!(line.try_reclaim(4));
    line.advance(3).unwrap();
    assert!(line.try_reclaim(7));
}

#[test]
fn unsplit_basic() {
    let pool = pool();
    let mut front = with(pool, 64, b"aaabbbcccddd");
    let back = front.split_off(6).unwrap();
    assert_eq!((&front[..], &back[..]), (&b"aaabbb"[..], &b"cccddd"[..]));
    front.unsplit(back).unwrap();
    assert_eq!(front, "aaabbbcccddd");
}

#[test]
fn unsplit_empty_other_and_empty_self() {
    let pool = pool();
    let empty = || Bytes::new().into_mut().unwrap();
    let mut front = with(pool, 64, b"aaabbbcccddd");
    front.unsplit(empty()).unwrap();
    assert_eq!(front, "aaabbbcccddd");
    let mut nothing = empty();
    nothing.unsplit(front).unwrap();
    assert_eq!((&nothing[..], nothing.capacity()), (&b"aaabbbcccddd"[..], 64));
}

#[test]
fn unsplit_other_keeps_capacity() {
    let pool = pool();
    let mut front = with(pool, 64, b"aabb");
    let mut other = front.split_off(4).unwrap();
    other.extend_from_slice(b"ccddee").unwrap();
    front.unsplit(other).unwrap();
    assert_eq!((&front[..], front.capacity()), (&b"aabbccddee"[..], 64));
    let empty = front.split_off(10).unwrap();
    front.unsplit(empty).unwrap();
    assert_eq!(front.capacity(), 64);
}

/// `bytes` copies them. Here the caller has them, and copies them if it wants to.
#[test]
fn unsplit_different_or_not_contiguous() {
    let pool = pool();
    let mut one = with(pool, 64, b"aaaabbbbeeee");
    drop(one.split_off(8).unwrap());
    let mut two = with(pool, 64, b"ccccddddeeee");
    drop(two.split_off(8).unwrap());
    let two = one.unsplit(two).unwrap_err();
    one.extend_from_slice(&two).unwrap();
    assert_eq!(one, "aaaabbbbccccdddd");

    let mut front = with(pool, 64, b"aaaabbbbeeeeccccdddd");
    let mut middle = front.split_off(8).unwrap();
    let back = middle.split_off(4).unwrap();
    let back = front.unsplit(back).unwrap_err();
    front.extend_from_slice(&back).unwrap();
    assert_eq!((&front[..], &middle[..]), (&b"aaaabbbbccccdddd"[..], &b"eeee"[..]));
}

#[test]
fn unsplit_two_split_offs() {
    let pool = pool();
    let mut front = with(pool, 64, b"aaaabbbbccccdddd");
    let mut middle = front.split_off(8).unwrap();
    let back = middle.split_off(4).unwrap();
    middle.unsplit(back).unwrap();
    front.unsplit(middle).unwrap();
    assert_eq!((&front[..], front.capacity()), (&b"aaaabbbbccccdddd"[..], 64));
    assert_eq!(pool.stats().requests(), 1);
}

#[test]
fn split_boundary_capacities() {
    let pool = pool();
    let mut front = with(pool, 64, b"0123456789");
    for at in [0, 5, 10] {
        let back = front.split_off(at).unwrap();
        assert_eq!((front.len(), back.len()), (at, 10 - at));
        assert_eq!(back.capacity(), 64 - at);
        if at == 0 {
            front = back;
        } else {
            front.unsplit(back).unwrap();
        }
        assert_eq!((&front[..], front.capacity()), (&b"0123456789"[..], 64));
    }
}

#[test]
fn a_shared_half_becomes_writable_when_alone() {
    let pool = pool();
    let mut back = with(pool, 64, LONG);
    let front = back.split_to(8).unwrap().freeze();
    let middle = back.split_to(8).unwrap().freeze();
    let (front, middle) = (front.try_into_mut().unwrap_err(), middle);
    drop((back, middle));
    let mut front = front.try_into_mut().unwrap();
    assert_eq!((&front[..], room(&front)), (&LONG[..8], (0, 8, 64)));
    front.push(b'!').unwrap();
    assert_eq!(pool.stats().requests(), 1);
}
