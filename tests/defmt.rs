//! What `defmt` puts on the wire for handles, errors and statistics. The format strings stay in the
//! binary, two bytes each name them; the arguments are checked here byte by byte.
#![cfg(feature = "defmt")]

use defmt::Format;
use std::sync::Mutex;
use tierpool::{AllocError, Bytes, ConfigError, FreeError, RangeError};

static WIRE: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[defmt::global_logger]
struct Capture;

// SAFETY: one message at a time, by the mutex in `logged`.
unsafe impl defmt::Logger for Capture {
    fn acquire() {}
    // SAFETY: as `Logger` asks: nothing to do.
    unsafe fn flush() {}
    // SAFETY: the same.
    unsafe fn release() {}
    // SAFETY: the same.
    unsafe fn write(bytes: &[u8]) {
        WIRE.lock().unwrap().extend_from_slice(bytes);
    }
}

defmt::timestamp!("");

/// What a log of the value sends behind the name of the log's own format string, and of the value's
/// type.
fn logged(value: &impl Format) -> Vec<u8> {
    let _one = ONE_AT_A_TIME.lock().unwrap();
    WIRE.lock().unwrap().clear();
    defmt::println!("{}", value);
    WIRE.lock().unwrap().split_off(4)
}

/// The arguments of a value that formats itself by one `write!`: the name of its format string
/// stands in front of them, and a 0 for the end of such names behind.
fn written(value: &impl Format) -> Vec<u8> {
    let mut sequence = logged(value).split_off(2);
    assert!(sequence.ends_with(&[0, 0]), "{sequence:?}");
    sequence.truncate(sequence.len() - 2);
    sequence
}

fn little_endian(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

#[test]
fn handles_send_their_bytes() {
    tierpool::pool! { static POOL = default; }
    let expected = [&little_endian(&[3]), &b"GET"[..]].concat();
    assert_eq!(written(&Bytes::from_static(b"GET")), expected);
    assert_eq!(written(&POOL.copy_from_slice(b"GET").unwrap()), expected);
    assert_eq!(written(&Bytes::new()), [0; 4]);
}

#[test]
fn errors_send_their_variant() {
    assert_eq!(logged(&AllocError::Exhausted), [0]);
    assert_eq!(logged(&AllocError::NoPool), [2]);
    assert_eq!(logged(&FreeError::NotAllocated), [2]);
    assert_eq!(logged(&RangeError), []);
    assert_eq!(
        logged(&ConfigError::Descending { tier: 1, size: 256 }),
        [&[3][..], &little_endian(&[1, 256])].concat()
    );
    let error = Bytes::from_static(b"secret").into_mut().unwrap_err();
    // The name of the error's type, and its variant: not the bytes.
    assert_eq!(written(&error).len(), 3);
    assert_eq!(written(&error)[2], 2);
}

#[test]
fn statistics_send_figures() {
    tierpool::pool! { static POOL = [64 x 3, 256 x 2]; }
    let _held = [POOL.alloc(1).unwrap(), POOL.alloc(1).unwrap(), POOL.alloc(200).unwrap()];
    POOL.alloc(1000).unwrap_err();
    let wire = written(&POOL.stats());
    // The name, if it is sent: its length, its letters. Then the name of the text that follows.
    let named = if cfg!(feature = "names") { 4 + 4 + 2 } else { 0 };
    let (name, figures) = wire.split_at(named);
    assert!(name.is_empty() || name[..8] == *b"\x04\0\0\0POOL");
    let (figures, tiers) = figures.split_at(36);
    // Requests, hits, misses and fallbacks in 64 bits, then the hit rate.
    assert_eq!(figures, little_endian(&[4, 0, 3, 0, 1, 0, 0, 0, 75]));
    // The list: its length, the name of the tiers' type, then each tier as a value that formats
    // itself.
    let (length, tiers) = tiers.split_at(4);
    assert_eq!(length, &little_endian(&[2])[..]);
    assert_eq!(tiers.len(), 2 + 2 * (2 + 16 + 2));
    // Between size and slots in use, the mark of a tier that moved meanwhile: no letters.
    assert_eq!(tiers[4..20], little_endian(&[64, 0, 2, 3]));
    assert_eq!(tiers[24..40], little_endian(&[256, 0, 1, 2]));
}
