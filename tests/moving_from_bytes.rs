//! What `moving_from_bytes` calls the same, held against the crate `bytes` itself: both do the
//! same, side by side.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use tierpool::{Bytes, BytesMut, Config, Pool, RangeError};
use tierpool_testkit::{Choices, Random, assert_all_home, fresh_pool};

fn pool() -> &'static Pool {
    fresh_pool(&Config::new(&[(64, 200), (256, 50)])).unwrap()
}

/// One handle of either crate on the same bytes, and where those lay when both were made.
struct Pair {
    ours: Bytes,
    theirs: ::bytes::Bytes,
    bases: (usize, usize),
}

impl Pair {
    /// Each in a buffer of its own crate.
    fn new(pool: &'static Pool, bytes: &[u8]) -> Pair {
        let (ours, theirs) =
            (pool.copy_from_slice(bytes).unwrap().freeze(), ::bytes::Bytes::copy_from_slice(bytes));
        Pair::made(ours, theirs)
    }

    /// Their addresses count from here.
    fn made(ours: Bytes, theirs: ::bytes::Bytes) -> Pair {
        let bases = (ours.as_ptr().addr(), theirs.as_ptr().addr());
        Pair { ours, theirs, bases }
    }

    fn with(&self, ours: Bytes, theirs: ::bytes::Bytes) -> Pair {
        Pair { ours, theirs, bases: self.bases }
    }

    /// The same bytes, at the same distance from where they began, with the same claim to be the
    /// only handle.
    #[track_caller]
    fn check(&self) {
        assert_eq!(self.ours, self.theirs[..]);
        let places = (
            self.ours.as_ptr().addr().wrapping_sub(self.bases.0),
            self.theirs.as_ptr().addr().wrapping_sub(self.bases.1),
        );
        assert_eq!(places.0, places.1, "the place of {:?}", self.theirs);
        assert_eq!(
            self.ours.is_unique(),
            self.theirs.is_unique(),
            "the only handle on {:?}",
            self.theirs
        );
    }
}

/// The same call on ours and on theirs.
macro_rules! both {
    ($ours:expr, $theirs:expr, $method:ident($($argument:expr)?)) => {{
        $ours.$method($($argument)?);
        $theirs.$method($($argument)?);
    }};
}

/// A pair whose bytes are static ones.
fn flash() -> Pair {
    static FLASH: [u8; 50] = [b'f'; 50];
    Pair::made(Bytes::from_static(&FLASH), ::bytes::Bytes::from_static(&FLASH))
}

// ---- text, order, hash

/// Every byte alone, and all in a row.
fn samples() -> Vec<Vec<u8>> {
    let all: Vec<u8> = (0..=255).collect();
    all.iter().map(|&byte| vec![byte]).chain([all.clone(), vec![]]).collect()
}

#[test]
fn prints_as_bytes_does() {
    let pool = fresh_pool(&Config::new(&[(256, 10)])).unwrap();
    for sample in samples() {
        let (ours, theirs) =
            (pool.copy_from_slice(&sample).unwrap(), ::bytes::BytesMut::from(&sample[..]));
        macro_rules! same {
            ($($format:literal)*) => {
                $(
                    assert_eq!(format!($format, ours), format!($format, theirs));
                    let shared = (pool.copy_from_slice(&sample).unwrap().freeze(), theirs.clone().freeze());
                    assert_eq!(format!($format, shared.0), format!($format, shared.1));
                )*
            };
        }
        same!("{:?}" "{:#?}" "{:9?}" "{:x}" "{:#x}" "{:09x}" "{:X}" "{:#X}" "{:<9X}");
    }
}

#[test]
fn compares_as_bytes_does() {
    let pool = pool();
    let values: [&'static [u8]; 5] = [b"", b"a", b"ab", b"b", &[0xFF]];
    for left in values {
        let (ours, theirs) = (pool.copy_from_slice(left).unwrap(), ::bytes::BytesMut::from(left));
        let (shared, their_shared) = (Bytes::from_static(left), ::bytes::Bytes::from_static(left));
        for right in values {
            let (other, their_other) =
                (pool.copy_from_slice(right).unwrap(), ::bytes::BytesMut::from(right));
            let expected = left.partial_cmp(right);
            assert_eq!(ours.cmp(&other), left.cmp(right));
            assert_eq!(theirs.cmp(&their_other), left.cmp(right));
            // What is on the right, and a slice on either side.
            macro_rules! same {
                ($($right:expr),*) => { $( assert_eq!(
                    [
                        (ours.partial_cmp($right), ours == *$right), (shared.partial_cmp($right), shared == *$right),
                        (theirs.partial_cmp($right), theirs == *$right), (their_shared.partial_cmp($right), their_shared == *$right),
                    ],
                    [(expected, left == right); 4],
                ); )* };
            }
            same!(right, &right, &right.to_vec());
            if let Ok(text) = std::str::from_utf8(right) {
                same!(text, &text, &text.to_owned());
            }
            assert_eq!(left.partial_cmp(&other), left.partial_cmp(&their_other));
            assert_eq!(*left == other, *left == their_other);
            let (other, their_other) = (other.freeze(), their_other.freeze());
            assert_eq!(left.partial_cmp(&other), left.partial_cmp(&their_other));
            assert_eq!(*left == other, *left == their_other);
        }
    }
}

#[test]
fn hashes_as_bytes_does() {
    fn hash(value: &impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    }
    for sample in samples() {
        let pair = Pair::new(fresh_pool(&Config::new(&[(256, 4)])).unwrap(), &sample);
        assert_eq!(hash(&pair.ours), hash(&pair.theirs));
        assert_eq!(
            hash(&pair.ours.into_mut().unwrap()),
            hash(&::bytes::BytesMut::from(pair.theirs))
        );
    }
}

/// Lengths of constants are constants.
#[test]
fn lengths_are_known_at_compile_time() {
    static FLASH: (Bytes, ::bytes::Bytes) =
        (Bytes::from_static(b"flash"), ::bytes::Bytes::from_static(b"flash"));
    static LENGTHS: [usize; 2] = [FLASH.0.len(), FLASH.1.len()];
    static EMPTY: [bool; 2] = [FLASH.0.is_empty(), FLASH.1.is_empty()];
    assert_eq!(LENGTHS, [5; 2]);
    assert_eq!(EMPTY, [false; 2]);
}

// ---- parts

#[test]
fn an_empty_part_is_where_it_was_cut() {
    let pool = pool();
    for pair in [Pair::new(pool, &[7; 50]), flash()] {
        let start = pair.ours.as_ptr();
        for at in 0..=50 {
            let part = pair.with(pair.ours.slice(at..at).unwrap(), pair.theirs.slice(at..at));
            part.check();
            assert_eq!(part.ours.footprint(), 0);
            assert!(!part.ours.is_pooled());
            part.with(part.ours.slice(..).unwrap(), part.theirs.slice(..)).check();
            part.with(part.ours.clone(), part.theirs.clone()).check();
            // `bytes` forgets where an empty `slice_ref` was.
            assert_eq!(
                pair.ours.slice_ref(&pair.ours[at..at]).unwrap().as_ptr(),
                start.wrapping_add(at)
            );
            assert_eq!(pair.ours.slice_clamped(at, 0).as_ptr(), start.wrapping_add(at));
        }
        assert_eq!(pair.ours.slice_clamped(usize::MAX, 9).as_ptr(), start.wrapping_add(50));
        assert!(pair.ours.slice_ref(&[]).unwrap().is_empty(), "an empty part of anything");
    }
    assert_all_home(pool);
}

#[test]
fn an_empty_half_is_where_it_was_cut() {
    let pool = pool();
    for at in [0, 20, 50] {
        for mut pair in [Pair::new(pool, &[7; 50]), flash()] {
            let back = (pair.ours.split_off(at).unwrap(), pair.theirs.split_off(at));
            pair.check();
            pair.with(back.0, back.1).check();
        }
        for mut pair in [Pair::new(pool, &[7; 50]), flash()] {
            let front = (pair.ours.split_to(at).unwrap(), pair.theirs.split_to(at));
            pair.check();
            pair.with(front.0, front.1).check();
        }
    }
    // Of no bytes that still hold their buffer, the part that is taken off the front holds it.
    let (mut ours, mut theirs) =
        (pool.zeroed(9).unwrap().freeze(), ::bytes::Bytes::from(vec![0; 9]));
    ours.advance(9).unwrap();
    ::bytes::Buf::advance(&mut theirs, 9);
    let back = (ours.split_off(0).unwrap(), theirs.split_off(0));
    assert_eq!(ours.is_unique(), theirs.is_unique());
    assert_eq!(back.0.is_unique(), back.1.is_unique());
    let front = (ours.split_to(0).unwrap(), theirs.split_to(0));
    assert_eq!(ours.is_unique(), theirs.is_unique());
    assert_eq!(front.0.is_unique(), front.1.is_unique());
    drop((ours, back.0, front.0));
    assert_all_home(pool);
}

/// An empty part of a shared buffer may be taken for writing, and holds nothing then either.
#[test]
fn an_empty_part_pins_nothing_and_can_grow() {
    let pool = pool();
    let whole = pool.copy_from_slice(b"whole").unwrap().freeze();
    let mut part = whole.slice(2..2).unwrap().try_into_mut().unwrap();
    assert!(whole.is_unique() && part.is_empty() && part.iter_mut().next().is_none());
    assert_eq!(part.capacity(), 0);
    assert_eq!(part.headroom(), 0);
    assert_eq!(part.spare_capacity_mut().len(), 0);
    part.extend_from_slice(b"its own").unwrap();
    part.prepend(b"in ").unwrap();
    assert_eq!(&part[..], &b"in its own"[..]);
    assert_eq!(&whole[..], &b"whole"[..]);
    drop((part, whole));
    assert_all_home(pool);
}

#[test]
fn cutting_all_off_lets_go_of_the_buffer() {
    let pool = pool();
    let clear = |pair: &mut Pair| both!(pair.ours, pair.theirs, clear());
    let truncate = |pair: &mut Pair| both!(pair.ours, pair.theirs, truncate(0));
    for cut in [clear as fn(&mut Pair), truncate] {
        let mut pair = Pair::new(pool, &[7; 50]);
        let other = pair.with(pair.ours.clone(), pair.theirs.clone());
        pair.check();
        other.check();
        cut(&mut pair);
        pair.check();
        other.check();
        assert_eq!(pair.ours.footprint(), 0);
        assert!(other.ours.is_unique());
        let mut last = other;
        cut(&mut last);
        last.check();
        assert_all_home(pool);
        // What was emptied from the front holds on to it.
        let mut pair = Pair::new(pool, &[7; 50]);
        pair.ours.advance(50).unwrap();
        ::bytes::Buf::advance(&mut pair.theirs, 50);
        pair.check();
        both!(pair.ours, pair.theirs, truncate(9));
        pair.check();
        cut(&mut pair);
        pair.check();
        assert_all_home(pool);
    }
}

// ---- at random

fn range(random: &mut Random, len: usize) -> Range<usize> {
    let start = random.below(len + 1);
    start..start + random.below(len - start + 1)
}

/// All that `Bytes` has in common, in any order. What `bytes` panics for is asked of ours alone.
#[test]
fn any_sequence_on_shared_bytes_gives_the_same() {
    let rounds = if cfg!(miri) { 3 } else { 300 };
    for seed in 0..rounds {
        let (pool, mut random) = (pool(), Random::new(seed));
        let mut pairs =
            vec![Pair::new(pool, &tierpool_testkit::canary(seed, 1 + random.below(59))), flash()];
        for _ in 0..100 {
            if pairs.is_empty() || pairs.len() > 40 {
                pairs =
                    vec![Pair::new(pool, &tierpool_testkit::canary(seed, 1 + random.below(59)))];
            }
            let mut pair = pairs.swap_remove(random.below(pairs.len()));
            let (len, part) = (pair.ours.len(), range(&mut random, pair.ours.len()));
            let at = part.start;
            match random.below(12) {
                0 => pairs.push(pair.with(pair.ours.clone(), pair.theirs.clone())),
                1 => pairs.push(
                    pair.with(pair.ours.slice(part.clone()).unwrap(), pair.theirs.slice(part)),
                ),
                2 => pairs.push(pair.with(pair.ours.slice(at..).unwrap(), pair.theirs.slice(at..))),
                3 if !part.is_empty() => {
                    let ours = pair.ours.slice_ref(&pair.ours[part.clone()]).unwrap();
                    pairs.push(pair.with(ours, pair.theirs.slice_ref(&pair.theirs[part])));
                }
                4 => {
                    let front = (pair.ours.split_to(at).unwrap(), pair.theirs.split_to(at));
                    pairs.push(pair.with(front.0, front.1));
                }
                5 => {
                    let back = (pair.ours.split_off(at).unwrap(), pair.theirs.split_off(at));
                    pairs.push(pair.with(back.0, back.1));
                }
                6 => both!(pair.ours, pair.theirs, truncate(at)),
                7 => both!(pair.ours, pair.theirs, clear()),
                8 => {
                    pair.ours.advance(at).unwrap();
                    ::bytes::Buf::advance(&mut pair.theirs, at);
                }
                9 => continue, // dropped
                10 if len > 0 => match (pair.ours.try_into_mut(), pair.theirs.try_into_mut()) {
                    (Ok(ours), Ok(theirs)) => {
                        pair =
                            Pair { ours: ours.freeze(), theirs: theirs.freeze(), bases: pair.bases }
                    }
                    (Err(ours), Err(theirs)) => pair = Pair { ours, theirs, bases: pair.bases },
                    (ours, theirs) => panic!("{ours:?} {theirs:?}"),
                },
                11 if !pair.ours.is_pooled() => {} // ours would have to name a pool
                11 => {
                    let (mut ours, mut theirs) =
                        (pair.ours.into_mut().unwrap(), ::bytes::BytesMut::from(pair.theirs));
                    both!(ours, theirs, reverse());
                    pair = Pair::made(ours.freeze(), theirs.freeze());
                }
                _ => {}
            }
            assert_eq!(pair.ours.slice(..pair.ours.len() + 1), Err(RangeError));
            pairs.push(pair);
            pairs.iter().for_each(Pair::check);
        }
        drop(pairs);
        assert_all_home(pool);
    }
}

/// All that `BytesMut` has in common, in any order.
#[test]
fn any_sequence_on_a_buffer_gives_the_same() {
    let rounds = if cfg!(miri) { 3 } else { 300 };
    for seed in 0..rounds {
        let (pool, mut random) = (pool(), Random::new(seed));
        let (mut ours, mut theirs): (BytesMut, _) =
            (pool.alloc(64).unwrap(), ::bytes::BytesMut::with_capacity(64));
        for _ in 0..100 {
            let (len, some) = (ours.len(), tierpool_testkit::canary(seed, random.below(20)));
            let at = random.below(len + 1);
            match random.below(12) {
                0 if len < 200 => {
                    ours.extend_from_slice(&some).unwrap();
                    theirs.extend_from_slice(&some);
                }
                1 => both!(ours, theirs, truncate(at)),
                2 => both!(ours, theirs, clear()),
                3 => {
                    let to = random.below(200);
                    ours.resize(to, 7).unwrap();
                    theirs.resize(to, 7);
                }
                4 if len < 200 => {
                    ours.reserve(30).unwrap();
                    theirs.reserve(30);
                    assert!(ours.capacity() - len >= 30 && theirs.capacity() - len >= 30);
                    ours.spare_capacity_mut()[0].write(9);
                    theirs.spare_capacity_mut()[0].write(9);
                    // SAFETY: one more byte, just written.
                    unsafe { both!(ours, theirs, set_len(len + 1)) }
                }
                5 => {
                    ours.advance(at).unwrap();
                    ::bytes::Buf::advance(&mut theirs, at);
                }
                6 if len < 200 => write!(ours, "{at}").and(write!(theirs, "{at}")).unwrap(),
                7 => both!(ours, theirs, reverse()),
                8 => {
                    let pair = Pair::made(ours.freeze(), theirs.freeze());
                    pair.check();
                    (ours, theirs) = (pair.ours.into_mut().unwrap(), pair.theirs.into());
                }
                9 => {
                    // Neither loses a byte; which rooms can be reclaimed depends on the sizes of
                    // the buffers.
                    for (reclaimed, capacity) in [
                        (ours.try_reclaim(at), ours.capacity()),
                        (theirs.try_reclaim(at), theirs.capacity()),
                    ] {
                        assert!(if reclaimed { capacity - len >= at } else { capacity - len < at });
                    }
                }
                10 if len < 200 => {
                    let to = at + random.below((len - at).min(20) + 1);
                    ours.extend_from_within(at..to).unwrap();
                    theirs.extend_from_within(at..to);
                }
                _ => assert_eq!(format!("{ours:?} {ours:x}"), format!("{theirs:?} {theirs:x}")),
            }
            assert_eq!(&ours[..], &theirs[..]);
            assert_eq!(ours.is_empty(), theirs.is_empty());
            assert!(ours == theirs && ours.capacity() >= ours.len());
        }
        drop(ours);
        assert_all_home(pool);
    }
}

/// Buffers that are split, written and joined in any order. Where `bytes` copies to join two, so
/// does the caller here.
#[test]
fn any_sequence_on_halves_gives_the_same() {
    let rounds = if cfg!(miri) { 3 } else { 300 };
    for seed in 0..rounds {
        let (pool, mut random) = (pool(), Random::new(seed));
        let mut halves: Vec<(BytesMut, ::bytes::BytesMut)> = Vec::new();
        for step in 0..100_u64 {
            if halves.is_empty() || halves.len() > 20 {
                let bytes = tierpool_testkit::canary(seed, 1 + random.below(59));
                halves.truncate(10);
                halves.push((
                    pool.copy_from_slice(&bytes).unwrap(),
                    ::bytes::BytesMut::from(&bytes[..]),
                ));
            }
            let (mut ours, mut theirs) = halves.swap_remove(random.below(halves.len()));
            let at = random.below(ours.len() + 1);
            match random.below(10) {
                0 | 1 => halves.push((ours.split_to(at).unwrap(), theirs.split_to(at))),
                2 | 3 => halves.push((ours.split_off(at).unwrap(), theirs.split_off(at))),
                4 => halves.push((ours.split(), theirs.split())),
                5 if !halves.is_empty() => {
                    // The one that follows, if it is there.
                    let end = theirs.as_ptr_range().end;
                    let next = halves.iter().position(|(_, other)| other.as_ptr() == end);
                    let (more, their_more) = halves.swap_remove(next.unwrap_or(0));
                    theirs.unsplit(their_more);
                    if let Err(more) = ours.unsplit(more) {
                        ours.extend_from_slice(&more).unwrap();
                    }
                }
                6 => {
                    let more = tierpool_testkit::canary(step, random.below(20));
                    ours.extend_from_slice(&more).unwrap();
                    theirs.extend_from_slice(&more);
                }
                7 => {
                    ours.advance(at).unwrap();
                    ::bytes::Buf::advance(&mut theirs, at);
                }
                8 => both!(ours, theirs, truncate(at)),
                _ => both!(ours, theirs, fill(step as u8)),
            }
            if ours.len() < 150 {
                halves.push((ours, theirs));
            }
            halves.iter().for_each(|(ours, theirs)| assert_eq!(ours[..], theirs[..]));
        }
        drop(halves);
        assert_all_home(pool);
    }
}

#[cfg(feature = "bytes")]
#[test]
fn reads_and_writes_as_bytes_does() {
    use ::bytes::{Buf, BufMut};

    fn read(buf: &mut impl Buf, random: &mut Random) -> Vec<u8> {
        let len = random.below(buf.remaining() + 1);
        match random.below(4) {
            0 => buf.copy_to_bytes(len).to_vec(),
            1 => {
                let mut bytes = vec![0; len];
                buf.copy_to_slice(&mut bytes);
                bytes
            }
            2 => buf.try_get_u16().map_or(vec![], |number| number.to_be_bytes().to_vec()),
            _ => {
                buf.advance(len);
                buf.chunk().to_vec()
            }
        }
    }
    fn write(buf: &mut impl BufMut, random: &mut Random) {
        match random.below(4) {
            0 => buf.put_u32(random.u64() as u32),
            1 => buf.put_bytes(3, random.below(5)),
            2 => buf.put(&b"a chunk"[..]),
            _ => buf.put_slice(b"a slice"),
        }
    }
    for seed in 0..100 {
        let pool = pool();
        let random = || Random::new(seed);
        let (mut ours, mut theirs) = (pool.alloc(256).unwrap(), ::bytes::BytesMut::new());
        let (mut mine, mut its) = (random(), random());
        for _ in 0..20 {
            write(&mut ours, &mut mine);
            write(&mut theirs, &mut its);
            assert_eq!(&ours[..], &theirs[..]);
            assert_eq!(
                read(&mut pool.copy_from_slice(&ours).unwrap(), &mut mine),
                read(&mut theirs.clone(), &mut its)
            );
        }
        for _ in 0..3 {
            assert_eq!(read(&mut ours, &mut mine), read(&mut theirs, &mut its));
            assert_eq!(ours.remaining(), theirs.remaining());
        }
        let (mut ours, mut theirs) = (ours.freeze(), theirs.freeze());
        while ours.has_remaining() {
            assert_eq!(read(&mut ours, &mut mine), read(&mut theirs, &mut its));
            assert_eq!(ours.remaining(), theirs.remaining());
        }
        assert!(!theirs.has_remaining());
    }
}

// ---- auto traits

#[test]
fn handles_and_pools_may_cross_a_caught_panic() {
    use std::panic::{RefUnwindSafe, UnwindSafe, catch_unwind};
    fn may<T: UnwindSafe + RefUnwindSafe>() {}
    may::<(::bytes::Bytes, ::bytes::BytesMut)>();
    may::<(Bytes, BytesMut, Pool, &'static Pool)>();
    may::<(Config<'static>, tierpool::PoolCache<4, 4>, tierpool::IntoMutError)>();
    may::<(tierpool::ObjectPool<u8, 4>, tierpool::Object<'static, u8, 4>)>();
    may::<tierpool::SharedObject<'static, u8, 4>>();
    may::<(tierpool::RecyclePool<u8, 4>, tierpool::Recycled<'static, u8, 4>)>();
    #[cfg(feature = "wait")]
    may::<(tierpool::AllocWait, tierpool::Waiters<4>)>();
    #[cfg(feature = "alloc")]
    may::<tierpool::PoolGlobalAlloc<std::alloc::System>>();

    tierpool::pool! { static POOL = default; }
    let shared = POOL.copy_from_slice(b"kept").unwrap().freeze();
    assert!(
        catch_unwind(|| if shared.len() == 4 {
            std::panic::resume_unwind(Box::new(()))
        })
        .is_err()
    );
    assert_eq!(shared, "kept");
}
