//! Chains of buffers that read as one: single cases, and random sequences of everything beside
//! plain vectors.

use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use tierpool::{AllocError, Bytes, Chain, ChainMut, Config, Error, Pool, RangeError};
use tierpool_testkit::model::chains::{Op, World};
use tierpool_testkit::{Heap, Pattern, assert_all_home, canary, fresh_pool};

fn pool(tiers: &[(usize, usize)]) -> &'static Pool {
    fresh_pool(&Config::new(tiers)).unwrap()
}

fn part(pool: &'static Pool, text: &str) -> Bytes {
    pool.copy_from_slice(text.as_bytes()).unwrap().freeze()
}

/// A chain with a part for each word.
fn chain<const N: usize>(pool: &'static Pool, parts: &[&str]) -> Chain<N> {
    let mut chain = Chain::new();
    parts.iter().for_each(|text| chain.push_back(part(pool, text)).unwrap());
    chain
}

fn in_use(pool: &Pool) -> Vec<usize> {
    pool.stats().tiers().iter().map(|tier| tier.in_use).collect()
}

fn capacities<const N: usize>(chain: &ChainMut<N>) -> Vec<usize> {
    chain.parts().iter().map(|part| part.capacity()).collect()
}

// ---- parts come and go

#[test]
fn a_full_chain_gives_the_part_back() {
    let pool = pool(&[(8, 3)]);
    let mut full = chain::<2>(pool, &["ab", "cd"]);
    let more = part(pool, "ef");
    let place = more.as_ptr();
    let back = full.push_back(more).unwrap_err();
    assert_eq!(back.bytes.as_ptr(), place);
    let back = full.push_front(back.bytes).unwrap_err();
    assert_eq!((full.parts().len(), back.bytes.as_ptr()), (2, place));
    assert_eq!(full, "abcd");
    assert_eq!(Error::from(back), Error::ChainFull);
    full.pop_front();
    full.push_back(part(pool, "gh")).unwrap();
    assert_eq!(full, "cdgh");
    drop(full);
    assert_all_home(pool);
}

#[test]
fn empty_parts_take_no_place_and_no_slot() {
    let pool = pool(&[(8, 3)]);
    let mut full = chain::<1>(pool, &["ab"]);
    let mut held = part(pool, "x");
    held.advance(1).unwrap(); // empty, but it still holds its slot
    full.push_back(held.clone()).unwrap();
    full.push_front(held).unwrap();
    assert_eq!((full.parts().len(), in_use(pool)), (1, vec![1]));
    assert!(Chain::<3>::from(Bytes::new()).parts().is_empty());
}

/// From every place that the parts may have moved to.
#[test]
fn parts_find_a_place_at_either_end() {
    const PARTS: usize = 4;
    for front in 0..=PARTS {
        for popped in 0..=PARTS {
            let (mut chain, mut model) = (Chain::<PARTS>::new(), std::collections::VecDeque::new());
            let byte = |n: usize| Bytes::from_static(&b"0123456789"[n..n + 1]);
            for n in 0..front {
                chain.push_front(byte(n)).unwrap();
                model.push_front(b'0' + n as u8);
            }
            for n in front..PARTS {
                chain.push_back(byte(n)).unwrap();
                model.push_back(b'0' + n as u8);
            }
            assert!(chain.push_back(byte(9)).is_err() && chain.push_front(byte(9)).is_err());
            for _ in 0..popped {
                assert_eq!(chain.pop_front().unwrap(), [model.pop_front().unwrap()]);
            }
            for n in 4..4 + popped {
                if n % 2 == 0 {
                    chain.push_front(byte(n)).unwrap();
                    model.push_front(b'0' + n as u8);
                } else {
                    chain.push_back(byte(n)).unwrap();
                    model.push_back(b'0' + n as u8);
                }
                assert_eq!(chain, model.make_contiguous());
            }
            assert!(chain.push_back(byte(9)).is_err());
        }
    }
}

#[test]
fn a_header_goes_in_front_without_a_copy() {
    let pool = pool(&[(8, 2), (64, 1)]);
    let payload = part(pool, "a payload that is shared");
    for header in ["to a: ", "to b: "] {
        let mut packet = Chain::<2>::from(payload.clone());
        packet.push_front(part(pool, header)).unwrap();
        assert_eq!(packet, format!("{header}a payload that is shared"));
        assert_eq!(packet.parts()[1].as_ptr(), payload.as_ptr());
    }
    assert!(payload.is_unique());
    assert_eq!(in_use(pool), [0, 1]);
}

// ---- ranges

#[test]
fn what_is_read_goes_back_part_by_part() {
    let pool = pool(&[(4, 3)]);
    let mut chain = chain::<3>(pool, &["abcd", "efgh", "ijkl"]);
    chain.advance(3).unwrap();
    assert_eq!(in_use(pool), [3]);
    chain.advance(1).unwrap();
    assert_eq!(in_use(pool), [2]);
    let mut five = [0; 5];
    chain.copy_to_slice(&mut five).unwrap();
    assert_eq!((&five, in_use(pool)), (b"efghi", vec![1]));
    assert_eq!(chain.copy_to_slice(&mut [0; 4]), Err(RangeError));
    assert_eq!(chain.advance(4), Err(RangeError));
    assert_eq!(chain, "jkl");
    chain.truncate(1);
    chain.truncate(9);
    assert_eq!(chain, "j");
    chain.truncate(0);
    assert!(chain.is_empty() && chain.parts().is_empty());
    assert_all_home(pool);
}

#[test]
fn a_part_that_is_cut_belongs_to_both() {
    let pool = pool(&[(4, 3)]);
    let mut rest = chain::<3>(pool, &["abcd", "efgh", "ijkl"]);
    let front = rest.split_to(6).unwrap();
    let unique = |chain: &Chain<3>| -> Vec<bool> {
        chain.parts().iter().map(|part| part.is_unique()).collect()
    };
    assert_eq!((unique(&front), unique(&rest)), (vec![true, false], vec![false, true]));
    drop(front);
    assert_eq!((unique(&rest), in_use(pool)), (vec![true, true], vec![2]));
    assert_eq!(rest.split_to(2).unwrap(), "gh");
    assert_eq!(unique(&rest), [true]);
    assert_eq!(rest.split_to(5), Err(RangeError));
    assert_eq!(rest, "ijkl");
}

#[test]
fn ranges_beyond_the_end_are_errors() {
    let chain = chain::<2>(pool(&[(4, 2)]), &["abcd", "efgh"]);
    assert_eq!(chain.slice(3..=4).unwrap(), "de");
    assert_eq!(chain.slice(..).unwrap(), chain);
    assert_eq!(chain.slice(8..).unwrap(), "");
    assert_eq!(chain.slice(4..8).unwrap().parts().len(), 1);
    #[expect(clippy::reversed_empty_ranges)]
    let reversed = chain.slice(5..4);
    assert_eq!(reversed, Err(RangeError));
    assert_eq!(chain.slice(..=usize::MAX), Err(RangeError));
    assert_eq!(chain.slice(9..9), Err(RangeError));
}

// ---- one piece

#[test]
fn only_several_parts_are_copied_into_one() {
    let pool = pool(&[(4, 3), (16, 1)]);
    let mut two = chain::<3>(pool, &["abcd", "efgh"]);
    let held = pool.alloc(16).unwrap();
    assert_eq!(two.linearize(pool), Err(AllocError::Exhausted));
    assert_eq!(two.parts().len(), 2);
    assert_eq!(two, "abcdefgh");
    drop(held);
    assert_eq!(two.linearize(pool).unwrap(), b"abcdefgh");
    assert_eq!((two.parts().len(), in_use(pool)), (1, vec![0, 1]));
    let place = two.parts()[0].as_ptr();
    assert_eq!(two.linearize(pool).unwrap().as_ptr(), place);
    assert_eq!(Chain::<1>::new().linearize(pool).unwrap(), b"");
    // All places are free again.
    two.push_front(part(pool, "x")).unwrap();
    two.push_back(part(pool, "y")).unwrap();
    assert_eq!(two, "xabcdefghy");
}

#[test]
fn a_pool_only_part_never_reaches_the_heap() {
    static HEAP: Heap<true> = Heap::new();
    let pool = fresh_pool(&Config::new(&[(4, 2)]).fallback(&HEAP)).unwrap();
    let mut sticky = pool.alloc_pooled(4).unwrap();
    sticky.extend_from_slice(b"abcd").unwrap();
    let mut chain = Chain::<2>::from(sticky);
    chain.push_back("ef".into()).unwrap();
    assert_eq!(chain.linearize(pool), Err(AllocError::Oversized));
    chain.pop_front();
    chain.push_back("gh".into()).unwrap();
    assert_eq!(chain.linearize(pool).unwrap(), b"efgh");
}

// ---- chains to fill

#[test]
fn a_chain_takes_few_slots() {
    let pool = pool(&[(16, 4), (64, 2), (256, 2)]);
    let cases: &[(usize, &[usize])] = &[
        (0, &[]),
        (1, &[16]),
        (17, &[64]),
        (256, &[256]),
        (257, &[256, 16]),
        (300, &[256, 64]),
        (512, &[256, 256]),
        (513, &[256, 256, 16]),
        (580, &[256, 256, 64, 16]),
        (640, &[256, 256, 64, 64]),
    ];
    for (len, expected) in cases {
        let chain = pool.alloc_chain::<4>(*len).unwrap();
        assert_eq!(&capacities(&chain), expected, "{len} bytes");
        assert!(chain.is_empty() && chain.capacity() >= *len);
    }
    // No slot that fits is free: smaller ones.
    let _held = [pool.alloc(256).unwrap(), pool.alloc(256).unwrap()];
    assert_eq!(capacities(&pool.alloc_chain::<4>(100).unwrap()), [64, 64]);
    assert_eq!(capacities(&pool.alloc_chain::<4>(160).unwrap()), [64, 64, 16, 16]);
    assert_eq!(pool.alloc_chain::<4>(161).unwrap_err(), AllocError::Exhausted);
    assert_eq!(pool.alloc_chain::<6>(192).map(|chain| chain.parts().len()), Ok(6));
}

#[test]
fn larger_slots_serve_as_far_as_spill_allows() {
    let of = |spill| fresh_pool(&Config::new(&[(8, 1), (16, 1), (32, 1)]).spill(spill)).unwrap();
    for spill in 0..=2 {
        let pool = of(spill);
        let _held = pool.alloc(8).unwrap();
        let first = pool.alloc_chain::<2>(5);
        assert_eq!(first.as_ref().ok().map(capacities), (spill > 0).then(|| vec![16]));
        let second = pool.alloc_chain::<2>(5);
        assert_eq!(
            second.as_ref().ok().map(capacities),
            match spill {
                0 | 1 => None,
                _ => Some(vec![32]),
            }
        );
    }
}

#[test]
fn a_refused_chain_keeps_nothing() {
    let pool = pool(&[(8, 4), (32, 2)]);
    assert_eq!(pool.alloc_chain::<3>(97).unwrap_err(), AllocError::ChainFull);
    assert_eq!(pool.stats().requests(), 0, "the pool was not asked");
    assert_eq!(pool.alloc_chain::<0>(1).unwrap_err(), AllocError::ChainFull);
    assert_eq!(pool.alloc_chain::<3>(96).unwrap_err(), AllocError::Exhausted);
    assert_eq!(pool.alloc_chain::<9>(usize::MAX).unwrap_err(), AllocError::ChainFull);
    let stats = pool.stats();
    assert_eq!((stats.hits(), stats.exhausted()), (3, 1));
    assert_all_home(pool);
    assert_eq!(pool.alloc_chain::<3>(72).unwrap().parts().len(), 3);
}

#[test]
fn writing_fills_and_goes_on_in_another_slot() {
    let pool = pool(&[(8, 2), (32, 3)]);
    let mut chain = pool.alloc_chain::<4>(32).unwrap();
    let text = canary(1, 100);
    chain.extend_from_slice(&text[..30]).unwrap();
    let place = chain.parts()[0].as_ptr();
    chain.extend_from_slice(&text[30..33]).unwrap();
    assert_eq!(capacities(&chain), [32, 32], "the next slot is as large as the last");
    assert_eq!(chain.parts()[0].as_ptr(), place);
    // 31 bytes are left, and slots of 32 and 8.
    chain.extend_from_slice(&text[33..100]).unwrap();
    assert_eq!(capacities(&chain), [32, 32, 32, 8]);
    assert_eq!((chain.len(), chain.capacity()), (100, 104));
    assert_eq!(chain.extend_from_slice(&[0; 5]), Err(AllocError::ChainFull));
    chain.extend_from_slice(&[0; 4]).unwrap();
    assert_eq!(chain.freeze(), [&text[..], &[0; 4]].concat());
    assert_all_home(pool);
}

#[test]
fn a_refused_write_changes_nothing() {
    let pool = pool(&[(8, 3)]);
    let mut chain = pool.alloc_chain::<4>(0).unwrap();
    chain.extend_from_slice(b"0123456789").unwrap();
    assert_eq!(in_use(pool), [2]);
    assert_eq!(chain.extend_from_slice(&[1; 15]), Err(AllocError::Exhausted));
    assert_eq!((chain.parts().len(), in_use(pool)), (2, vec![2]));
    write!(chain, "{}", 12345).unwrap();
    assert!(write!(chain, "{}", u64::MAX).is_err());
    assert_eq!(chain.freeze(), "012345678912345");
    assert_all_home(pool);
}

#[test]
fn slots_that_stay_empty_go_back() {
    let pool = pool(&[(8, 4)]);
    let mut chain = pool.alloc_chain::<4>(32).unwrap();
    chain.extend_from_slice(b"0123456789").unwrap();
    let chain: Chain<4> = chain.into();
    assert_eq!((chain.parts().len(), in_use(pool)), (2, vec![2]));
    drop(pool.alloc_chain::<2>(16).unwrap());
    drop(chain);
    assert_all_home(pool);
}

/// As a driver fills them; what comes then goes behind the last part that has bytes.
#[test]
fn parts_are_filled_in_place() {
    let pool = pool(&[(8, 4)]);
    let mut chain = pool.alloc_chain::<4>(24).unwrap();
    chain.parts_mut()[0].extend_from_slice(b"abc").unwrap();
    chain.parts_mut()[1].extend_from_slice(b"def").unwrap();
    assert_eq!((chain.len(), chain.capacity()), (6, 6 + 5 + 8));
    chain.extend_from_slice(b"0123456789").unwrap();
    assert_eq!(format!("{chain:?}"), "b\"abcdef0123456789\"");
    assert_eq!(chain.parts().iter().map(|part| part.len()).collect::<Vec<_>>(), [3, 8, 5]);
    assert_eq!(chain.freeze(), "abcdef0123456789");
}

#[test]
fn a_chain_never_reaches_the_heap() {
    static HEAP: Heap<true> = Heap::new();
    let pool = fresh_pool(&Config::new(&[(8, 1)]).fallback(&HEAP)).unwrap();
    let mut chain = pool.alloc_chain::<2>(8).unwrap();
    chain.extend_from_slice(&[7; 8]).unwrap();
    assert_eq!(chain.extend_from_slice(&[7]), Err(AllocError::Exhausted));
    assert_eq!(HEAP.outstanding(), (0, 0));
}

#[test]
fn slots_of_a_pool_that_wipes_are_wiped() {
    let pool = fresh_pool(&Config::new(&[(8, 2)]).zero_on_free(true)).unwrap();
    let mut chain = pool.alloc_chain::<2>(16).unwrap();
    chain.extend_from_slice(&[7; 16]).unwrap();
    drop(chain.freeze());
    for slot in [pool.alloc(8).unwrap(), pool.alloc(8).unwrap()].iter_mut() {
        // SAFETY: memory of a test's pool is zero at first, and was written since.
        unsafe { slot.set_len(8) };
        assert_eq!(*slot, [0; 8]);
    }
}

#[cfg(feature = "lanes")]
#[test]
fn a_chain_takes_slots_of_all_lanes() {
    let config = Config::new(&[(8, 4), (16, 4)]).lanes(2).lane(tierpool::thread_lane);
    let pool = fresh_pool(&config).unwrap();
    let chain = pool.alloc_chain::<8>(96).unwrap();
    assert_eq!((chain.parts().len(), in_use(pool)), (8, vec![4, 4]));
    let missed: Vec<_> = pool.stats().tiers().iter().map(|tier| tier.missed).collect();
    assert_eq!(missed, [0, 3], "an empty lane is no miss");
    drop(chain);
    let three = pool.alloc_chain::<3>(48).unwrap();
    assert_eq!((three.parts().len(), in_use(pool)), (3, vec![0, 3]));
    drop(three);
    assert_all_home(pool);
}

#[cfg(feature = "reserve")]
#[test]
fn a_chain_that_runs_dry_calls_the_hook() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn low(_: &'static Pool, bytes: usize) {
        CALLS.fetch_add(1, Relaxed);
        assert_eq!(bytes, 16, "the hook panics for the smaller tier");
    }
    let pool = fresh_pool(&Config::new(&[(8, 2), (16, 2)]).reserve(&[1, 1]).on_low(low)).unwrap();
    let mut chain = pool.alloc_chain::<4>(48).unwrap();
    assert_eq!((CALLS.load(Relaxed), capacities(&chain)), (1, vec![16, 16, 8, 8]));
    chain.extend_from_slice(&[1; 48]).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| pool.alloc_chain::<4>(8)));
    assert!(panicked.is_err(), "the reserve is not for chains");
    drop(chain);
    let _held = pool.alloc(16).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| pool.alloc_chain::<5>(40)));
    assert!(panicked.is_err());
    assert_eq!(in_use(pool), [0, 1], "what the chain had has gone back");
}

#[cfg(feature = "histogram")]
#[test]
fn each_slot_counts_as_a_request() {
    let pool = pool(&[(8, 2), (32, 2)]);
    let _chain = pool.alloc_chain::<4>(70).unwrap();
    pool.alloc_chain::<4>(33).unwrap_err();
    let stats = pool.stats();
    assert_eq!((stats.hits(), stats.misses()), (4, 1));
    let counted: u32 = pool.histogram().buckets().map(|(_, count)| count).sum();
    assert_eq!(u64::from(counted), stats.requests());
}

// ---- as others see them

#[test]
fn cuts_make_no_difference() {
    let pool = pool(&[(8, 16)]);
    let cut: [Chain<4>; 4] =
        [&["abcd"][..], &["a", "bcd"], &["ab", "c", "d"], &["a", "b", "c", "d"]]
            .map(|parts| chain(pool, parts));
    let other = chain::<2>(pool, &["abc", "e"]);
    let state = RandomState::new();
    for one in &cut {
        assert_eq!(*one, *"abcd");
        assert!(*b"abcd".as_slice() == *one);
        assert!(*one != other && *one != "abce" && *one != "abc" && *one != "abcde");
        assert_eq!(format!("{one:?}"), "b\"abcd\"");
        assert!(cut.iter().all(|two| one == two));
        assert!(cut.iter().all(|two| state.hash_one(one) == state.hash_one(two)));
    }
    assert_eq!(HashSet::from(cut).len(), 1);
    assert_eq!(Chain::<3>::default(), "");
}

#[test]
fn a_clone_shares_all_parts() {
    let pool = pool(&[(8, 2)]);
    let one = chain::<3>(pool, &["ab", "cd"]);
    let two = one.clone();
    assert!(two.parts().iter().all(|part| !part.is_unique()));
    drop(one);
    assert_eq!(in_use(pool), [2]);
    assert_eq!(two, "abcd");
    drop(two);
    assert_all_home(pool);
}

#[test]
fn a_chain_goes_to_another_thread() {
    let pool = pool(&[(8, 12)]);
    let mut chain = pool.alloc_chain::<12>(96).unwrap();
    chain.extend_from_slice(&canary(5, 96)).unwrap();
    let shared = chain.freeze();
    let clones = [shared.clone(), shared.clone()];
    std::thread::scope(|scope| {
        for mut clone in clones {
            scope.spawn(move || {
                let mut read = [0; 96];
                clone.copy_to_slice(&mut read).unwrap();
                Pattern::new(5).check(&read);
            });
        }
    });
    assert!(shared.parts().iter().all(|part| part.is_unique()));
}

#[cfg(feature = "bytes")]
#[test]
fn the_crate_bytes_reads_across_parts() {
    use bytes::Buf;
    let pool = pool(&[(8, 4)]);
    let mut parts = chain::<4>(pool, &["\x01", "\x02\x03", "\x04body", "tail"]);
    assert_eq!((parts.remaining(), parts.chunk()), (12, &b"\x01"[..]));
    assert_eq!(parts.get_u32(), 0x0102_0304);
    assert_eq!(
        parts.try_get_u64_ne().map_err(|error| error.available),
        Ok(u64::from_ne_bytes(*b"bodytail"))
    );
    assert_all_home(pool);

    let mut parts = chain::<4>(pool, &["head", "body", "tail"]);
    let place = parts.parts()[0].as_ptr();
    assert_eq!(parts.copy_to_bytes(3).as_ptr(), place, "no copy within a part");
    assert_eq!(&parts.copy_to_bytes(3)[..], b"dbo");
    assert_eq!(&parts.copy_to_bytes(0)[..], b"");
    assert_eq!(pool.copy_from_buf(&mut parts).unwrap(), "dytail");
    let too_far = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        Buf::advance(&mut parts, 1);
    }));
    assert!(too_far.is_err());
    assert_all_home(pool);
}

#[cfg(all(feature = "bytes", feature = "std"))]
#[test]
fn a_vectored_write_gets_a_slice_for_each_part() {
    use bytes::Buf;
    use std::io::IoSlice;
    let chain = chain::<4>(pool(&[(8, 4)]), &["head", "body", "tail"]);
    let mut slices = [IoSlice::new(b""); 4];
    assert_eq!(chain.chunks_vectored(&mut slices), 3);
    let gathered: Vec<&[u8]> = slices.iter().map(|slice| &**slice).collect();
    assert_eq!(gathered, [&b"head"[..], b"body", b"tail", b""]);
    assert_eq!(chain.chunks_vectored(&mut slices[..2]), 2);
    assert_eq!(chain.chunks_vectored(&mut []), 0);
}

#[cfg(feature = "embedded-io-async-07")]
#[test]
fn streams_read_and_write_across_parts() {
    use embedded_io_07::{BufRead, Error, ErrorKind, Read, ReadExactError, Write};
    use futures_util::FutureExt;
    let pool = pool(&[(4, 4)]);
    let mut target = pool.alloc_chain::<4>(0).unwrap();
    target.write_all(b"headbody").unwrap();
    target.flush().unwrap();
    embedded_io_async_07::Write::write_all(&mut target, b"tail").now_or_never().unwrap().unwrap();
    let error = target.write(b"12345").unwrap_err();
    assert_eq!((error, error.kind()), (AllocError::ChainFull, ErrorKind::OutOfMemory));

    let mut source = target.freeze();
    let mut six = [0; 6];
    assert_eq!(source.read(&mut six), Ok(6));
    assert_eq!((&six, source.fill_buf()), (b"headbo", Ok(&b"dy"[..])));
    source.consume(2);
    assert_eq!(source.fill_buf(), Ok(&b"tail"[..]));
    assert_eq!(source.read_exact(&mut [0; 5]), Err(ReadExactError::UnexpectedEof));
    let mut three = [0; 3];
    let read = embedded_io_async_07::Read::read_exact(&mut source, &mut three);
    read.now_or_never().unwrap().unwrap();
    assert_eq!(&three, b"tai");
    assert_eq!(source, "l");
    assert_eq!((source.read(&mut six), source.read(&mut six)), (Ok(1), Ok(0)));
    assert_eq!(source.fill_buf(), Ok(&b""[..]));
    assert_all_home(pool);
}

// ---- random sequences

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let at = || 0..8usize;
    let large = || (0..9usize).prop_map(|n| usize::MAX - n);
    let bytes = || prop_oneof![6 => 0..40usize, 2 => 40..140usize, 1 => large()];
    let op = prop_oneof![
        4 => bytes().prop_map(Op::Alloc),
        6 => (at(), bytes()).prop_map(|(at, bytes)| Op::Extend(at, bytes)),
        2 => (at(), at(), bytes()).prop_map(|(at, part, bytes)| Op::Fill { at, part, bytes }),
        4 => at().prop_map(Op::Freeze),
        6 => (at(), at(), any::<bool>()).prop_map(|(at, part, front)| Op::Push { at, part, front }),
        2 => at().prop_map(Op::Pop),
        2 => (at(), bytes()).prop_map(|(at, bytes)| Op::Advance(at, bytes)),
        2 => (at(), bytes()).prop_map(|(at, bytes)| Op::Truncate(at, bytes)),
        3 => (at(), bytes()).prop_map(|(at, bytes)| Op::SplitTo(at, bytes)),
        3 => (at(), bytes(), bytes()).prop_map(|(at, from, to)| Op::Slice(at, from, to)),
        2 => (at(), bytes()).prop_map(|(at, bytes)| Op::Read(at, bytes)),
        2 => at().prop_map(Op::Linearize),
        1 => at().prop_map(Op::Clone),
        5 => at().prop_map(Op::Drop),
        1 => at().prop_map(Op::DropMut),
    ];
    vec(op, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn chains_are_as_their_model_says(ops in ops()) {
        let mut world = World::new();
        for op in &ops {
            world.step(op);
            world.check();
        }
        world.finish();
    }
}
