//! What the first users know from the C++ classes `Bytes` and `BytesBufferPool` of microReticulum,
//! fact by fact: each test is named after one, and shows how the same result is had here, or what
//! is mended.

use std::fmt::Write;
use tierpool::{AllocError, Bytes, BytesMut, Pool};

tierpool::pool! { static POOL = [64 x 64, 256 x 64, 512 x 64, 1024 x 64], spill = 1; }

fn bytes(content: &str) -> Bytes {
    POOL.copy_from_slice(content.as_bytes()).unwrap().freeze()
}

/// A pool of its own for tests that count.
macro_rules! own_pool {
    () => {{
        tierpool::pool! { static OWN = default; }
        &OWN
    }};
}

fn requests(pool: &Pool) -> u64 {
    pool.stats().requests()
}

// ---- the table of operations

#[test]
fn empty_bytes_allocate_nothing() {
    const NOTHING: Bytes = Bytes::new();
    for empty in [NOTHING, Bytes::default(), Bytes::from_static(&[]), Bytes::from("")] {
        assert_eq!(empty.len(), 0);
        assert_eq!(empty.footprint(), 0);
        assert!(!empty.is_pooled());
        assert_eq!(empty.try_into_mut().unwrap().capacity(), 0);
    }
}

#[test]
fn with_capacity_is_empty_and_has_room() {
    for capacity in [0, 1, 64, 65, 1000] {
        let buffer = POOL.alloc(capacity).unwrap();
        assert!(buffer.is_empty() && buffer.is_pooled() && buffer.capacity() >= capacity);
    }
}

#[test]
fn copies_share_the_data() {
    let a = bytes("shared");
    let b = a.clone();
    assert_eq!(a.as_ptr(), b.as_ptr());
    assert_eq!(a.len(), b.len());
    assert!(!a.is_unique() && !b.is_unique());
}

#[test]
fn a_copy_of_the_handle_allocates_nothing() {
    let pool = own_pool!();
    let a = pool.copy_from_slice(b"shared").unwrap().freeze();
    let copies = [a.clone(), a.clone(), a.slice(1..).unwrap()];
    assert_eq!(requests(pool), 1);
    assert_eq!(copies.len(), 3);
}

#[test]
fn write_after_share_copies_first() {
    let a = bytes("hop 0");
    let mut b = a.clone();
    b.make_mut().unwrap()[4] = b'1';
    assert_eq!(&a[..], &b"hop 0"[..]);
    assert_eq!(&b[..], &b"hop 1"[..]);
    assert_ne!(a.as_ptr(), b.as_ptr());
}

#[test]
fn mended_a_write_when_unique_copies_nothing() {
    let pool = own_pool!();
    let mut a = pool.copy_from_slice(b"hop 0").unwrap().freeze();
    let before = a.as_ptr();
    drop(a.clone());
    a.make_mut().unwrap()[4] = b'1';
    assert_eq!(a.as_ptr(), before);
    assert_eq!(requests(pool), 1);
    assert_eq!(a, "hop 1");
}

#[test]
fn append_a_chunk_a_byte_another_and_itself() {
    let mut buffer = POOL.copy_from_slice(b"a").unwrap();
    buffer.extend_from_slice(b"bc").unwrap();
    buffer.push(b'd').unwrap();
    buffer.extend_from_slice(&bytes("ef")).unwrap();
    assert_eq!(buffer, "abcdef");

    let itself = buffer.freeze();
    let mut doubled = itself.clone().into_mut().unwrap();
    doubled.extend_from_slice(&itself).unwrap();
    assert_eq!(&doubled[..], &b"abcdefabcdef"[..]);
    assert_eq!(&itself[..], &b"abcdef"[..]);
}

#[test]
fn mended_500_appended_bytes_allocate_few_times() {
    let pool = own_pool!();
    let mut buffer = pool.alloc(1).unwrap();
    (0..500).for_each(|i| buffer.push(i as u8).unwrap());
    assert!(buffer.iter().copied().eq((0..500).map(|i| i as u8)));
    assert_eq!(requests(pool), 2, "256 bytes, then 512");
}

#[cfg(feature = "alloc")]
#[test]
fn mended_appending_allocates_few_times() {
    tierpool::pool! { static SMALL = [16 x 1], fallback = &tierpool::GlobalHeap; }
    let mut buffer = SMALL.alloc(1).unwrap();
    (0..500).for_each(|i| buffer.push(i as u8).unwrap());
    assert!(buffer.iter().copied().eq((0..500).map(|i| i as u8)));
    // 16 in the pool, then 32, 64, 128, 256, 512.
    assert_eq!(SMALL.stats().hits(), 1);
    assert_eq!(SMALL.stats().fallbacks(), 5);
}

#[test]
fn left_right_and_mid_clamp_and_copy_nothing() {
    let all = bytes("Hello World");
    let right = |n: usize| all.slice_clamped(all.len().saturating_sub(n), n);
    let left = |n| all.slice_clamped(0, n);
    assert_eq!(&left(5)[..], &b"Hello"[..]);
    assert_eq!(&right(5)[..], &b"World"[..]);
    assert_eq!(left(20).len(), 11);
    assert_eq!(right(20).len(), 11);
    assert_eq!(left(0).len(), 0);
    assert_eq!(right(0).len(), 0);
    assert_eq!(right(5).as_ptr(), all[6..].as_ptr());
    for (start, len) in
        [(11, 1), (12, 0), (usize::MAX, 1), (1, usize::MAX), (usize::MAX, usize::MAX)]
    {
        let expected = all.get(start..).unwrap_or_default();
        assert_eq!(all.slice_clamped(start, len), expected[..len.min(expected.len())]);
    }
}

#[test]
fn writable_gives_zeroed_bytes() {
    let buffer = POOL.zeroed(300).unwrap();
    assert_eq!(&buffer[..], &[0; 300][..]);
    assert!(buffer.is_pooled());
}

#[test]
fn resize_fills_and_keeps_the_capacity() {
    let mut buffer = POOL.copy_from_slice(b"ab").unwrap();
    buffer.resize(4, 0).unwrap();
    assert_eq!(buffer, [b'a', b'b', 0, 0]);
    buffer.resize(100, 0).unwrap();
    let capacity = buffer.capacity();
    buffer.resize(1, 0).unwrap();
    assert_eq!(&buffer[..], &b"a"[..]);
    assert_eq!(buffer.capacity(), capacity);
    buffer.resize(3, 0).unwrap();
    assert_eq!(buffer, [b'a', 0, 0], "what lay there before does not show through");
}

#[test]
fn compares_lexicographically() {
    let sorted = ["", "\0", "a", "aa", "ab", "b", "\u{7f}", "\u{80}"].map(bytes);
    assert!(sorted.is_sorted());
    for (i, a) in sorted.iter().enumerate() {
        for (j, b) in sorted.iter().enumerate() {
            assert_eq!(a.cmp(b), i.cmp(&j));
            assert_eq!(a == b, i == j);
            assert_eq!(a < b, i < j);
            assert_eq!(a > b, i > j);
        }
    }
}

#[test]
fn mended_empty_equals_empty() {
    let allocated = POOL.alloc(100).unwrap().freeze();
    let mut cut = bytes("cut");
    cut.clear();
    assert!(allocated == Bytes::new() && cut == allocated && Bytes::new() == *"");
}

#[test]
fn to_hex_of_nothing_is_nothing() {
    assert_eq!(format!("{:x}", Bytes::new()), String::new());
    assert_eq!(format!("{:X}", POOL.alloc(1).unwrap()), String::new());
}

#[test]
fn mended_from_hex_names_what_is_wrong() {
    use const_hex::FromHexError::{InvalidHexCharacter, OddLength};
    let mut place = [0; 2];
    assert_eq!(
        const_hex::decode_to_slice("zz", &mut place[..1]),
        Err(InvalidHexCharacter { c: 'z', index: 0 })
    );
    assert_eq!(
        const_hex::decode_to_slice("4a4z", &mut place),
        Err(InvalidHexCharacter { c: 'z', index: 3 })
    );
    assert_eq!(const_hex::decode_to_slice("414", &mut place[..1]), Err(OddLength));
}

#[test]
fn mended_allocation_failure_is_an_error() {
    tierpool::pool! { static ONE = [64 x 1]; }
    let mut only = ONE.copy_from_slice(b"held").unwrap();
    assert_eq!(ONE.alloc(1).unwrap_err(), AllocError::Exhausted);
    assert_eq!(ONE.alloc(65).unwrap_err(), AllocError::Oversized);
    assert_eq!(only.extend_from_slice(&[0; 64]), Err(AllocError::Oversized));
    assert_eq!(only, "held");
}

#[test]
fn mended_a_grown_buffer_counts_in_its_new_tier() {
    let pool = own_pool!();
    let mut buffer = pool.zeroed(200).unwrap();
    buffer.resize(1000, 0).unwrap();
    let in_use: Vec<_> = pool.stats().tiers().iter().map(|tier| tier.in_use).collect();
    assert_eq!(in_use, [0, 0, 1]);
}

#[test]
fn mended_oversized_requests_are_counted() {
    let pool = own_pool!();
    assert!(pool.alloc(1025).is_err() && pool.alloc(usize::MAX).is_err());
    assert_eq!(pool.stats().oversized(), 2);
    assert_eq!(requests(pool), 2);
}

#[test]
fn mended_spill_serves_from_larger_slots() {
    tierpool::pool! { static SPILLING = [256 x 8, 512 x 8, 1024 x 8], spill = 1; }
    let held: Vec<_> = (0..17).map(|_| SPILLING.alloc(200)).collect();
    assert_eq!(held.iter().filter(|buffer| buffer.is_ok()).count(), 16);
    assert_eq!(
        SPILLING.stats().tiers()[2].in_use,
        0,
        "bounded: a burst of small ones leaves the third tier alone"
    );
}

#[test]
fn mended_a_short_part_does_not_pin_a_large_slot() {
    tierpool::pool! { static TABLES = [32 x 1, 1024 x 1], spill = 1; }
    let mut hash = POOL.zeroed(600).unwrap().freeze().slice(..32).unwrap();
    let mut other = hash.clone();
    assert_eq!(hash.footprint(), 1024);
    hash.compact_in(&TABLES).unwrap();
    assert_eq!(hash.footprint(), 32);
    assert_eq!(&hash[..], &[0; 32][..]);

    // The only other slot is as large as where the bytes are now: a move would not help.
    let start = other.as_ptr();
    other.compact_in(&TABLES).unwrap();
    assert_eq!(other.as_ptr(), start);
    assert_eq!(other.footprint(), 1024);
    assert_eq!(TABLES.stats().tiers()[1].in_use, 0);
}

// ---- the acceptance facts

#[test]
fn hello_world_in_parts() {
    let mut hello = POOL.copy_from_slice(b"Hello").unwrap();
    hello.extend_from_slice(b" World").unwrap();
    let hello = hello.freeze();
    assert_eq!(&hello[..], &b"Hello World"[..]);
    assert_eq!(hello.len(), 11);
    assert_eq!(&hello.slice_clamped(0, 5)[..], &b"Hello"[..]);
    assert_eq!(hello.slice_clamped(0, 20).len(), 11);
    assert_eq!(hello.slice_clamped(6, 5), "World");
    assert_eq!(hello.slice_clamped(3, 5), "lo Wo");
    assert_eq!(hello.slice_clamped(20, 5), "");
    assert_eq!(hello.slice_clamped(3, 20), "lo World");
    assert_eq!(hello.slice(3..).unwrap(), "lo World");

    let mut foo = POOL.copy_from_slice(b"Foo").unwrap();
    foo.extend_from_slice(&hello.slice_clamped(0, 5)).unwrap();
    foo.extend_from_slice(&hello.slice_clamped(5, 6)).unwrap();
    assert_eq!(&foo[..], &b"FooHello World"[..]);
    assert_eq!(foo.len(), 14);
}

#[test]
fn three_handles_share_until_one_is_appended_to() {
    let b1 = bytes("1");
    let b2 = b1.clone();
    let mut b3 = b2.clone();
    assert_eq!(b1.as_ptr(), b2.as_ptr());
    assert_eq!(b2.as_ptr(), b3.as_ptr());

    let mut grown = b2.into_mut().unwrap();
    grown.extend_from_slice(b"mississippi").unwrap();
    let b2 = grown.freeze();
    assert_eq!(b2.len(), 12);
    assert_eq!(&b2[..], &b"1mississippi"[..]);
    assert_eq!(&b1[..], &b"1"[..]);
    assert_ne!(b2.as_ptr(), b1.as_ptr());

    assert_eq!(b3, "1");
    b3 = bytes("another");
    assert_ne!(b3.as_ptr(), b2.as_ptr());
}

#[test]
fn hello_world_to_hex_and_back() {
    let hello = bytes("Hello World");
    assert_eq!(format!("{hello:X}"), "48656C6C6F20576F726C64");
    let hex = format!("{hello:x}");
    assert_eq!(hex, "48656c6c6f20576f726c64");

    let mut back = POOL.zeroed(hex.len() / 2).unwrap();
    const_hex::decode_to_slice(&hex, &mut back).unwrap();
    assert_eq!(back, hello);
    back.extend_from_slice(&hello).unwrap();
    assert_eq!(back.len(), 22);
    assert_eq!(&back[11..], &hello[..]);
}

#[test]
fn capacity_1024_is_its_tier_exactly_and_stays() {
    let mut buffer = POOL.alloc(1024).unwrap();
    assert_eq!(buffer.capacity(), 1024);
    buffer.resize(1024, 0).unwrap();
    buffer[..11].copy_from_slice(b"Hello World");
    buffer.truncate(11);
    assert_eq!(&buffer[..], &b"Hello World"[..]);
    assert_eq!(buffer.capacity(), 1024);
}

#[test]
fn find_in_hello_world() {
    let hello = bytes("Hello World");
    let find = |from: usize, needle: &str| {
        let at = memchr::memmem::find(hello.get(from..)?, needle.as_bytes())?;
        Some(from + at)
    };
    assert_eq!(find(0, "H"), Some(0));
    assert_eq!(find(1, "H"), None);
    assert_eq!(find(0, "ll"), Some(2));
    assert_eq!(find(3, "ll"), None);
    assert_eq!(find(32, "ll"), None);
    assert_eq!(find(0, ""), Some(0));
    assert_eq!(find(3, ""), Some(3));
    assert_eq!(find(11, ""), Some(11));
}

#[test]
fn mended_an_odd_digit_appends_nothing() {
    fn append_hex(buffer: &mut BytesMut, hex: &str) -> Result<(), const_hex::FromHexError> {
        buffer.extend_from_slice(&const_hex::decode(hex)?).unwrap();
        Ok(())
    }
    let mut buffer = POOL.alloc(8).unwrap();
    append_hex(&mut buffer, "4142").unwrap();
    assert_eq!(append_hex(&mut buffer, "434"), Err(const_hex::FromHexError::OddLength));
    assert_eq!(buffer, [0x41, 0x42]);
}

#[test]
fn reticulum_sizes_find_their_tiers() {
    let of = |bytes| POOL.alloc(bytes).unwrap().capacity();
    // Hash, truncated hash, name hash, keys and signature; header; announce on air; proof; MTU and
    // LoRa hardware MTU.
    for small in [32, 16, 10, 64, 19, 35, 64] {
        assert_eq!(of(small), 64);
    }
    assert_eq!(of(167), 256);
    assert_eq!(of(199), 256);
    assert_eq!(of(96), 256);
    assert_eq!(of(383), 512);
    assert_eq!(of(431), 512);
    assert_eq!(of(500), 512);
    assert_eq!(of(508), 512);
}

#[test]
fn the_statistics_line_is_familiar() {
    let pool = own_pool!();
    let _held = [pool.alloc(500).unwrap(), pool.alloc(1000).unwrap()];
    assert!(pool.alloc(5000).is_err());
    let mut line = pool.alloc(200).unwrap();
    write!(line, "{}", pool.stats()).unwrap();
    let familiar =
        "requests=4 hits=3 misses=1 fallbacks=0 hit_rate=75% 256=1/16 512=1/16 1024=1/16";
    assert!(line.ends_with(familiar.as_bytes()));
    assert!(cfg!(feature = "names") || line == familiar);
}
