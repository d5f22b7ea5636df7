//! Handles and chains as streams of the standard library.
#![cfg(feature = "std")]

use std::io::{self, BufRead, ErrorKind, IoSlice, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tierpool::{AllocError, Bytes, Chain, ChainMut, Config, Error, FreeError, Pool, RangeError};
use tierpool_testkit::{assert_all_home, canary, fresh_pool};

fn pool(tiers: &[(usize, usize)]) -> &'static Pool {
    fresh_pool(&Config::new(tiers)).unwrap()
}

/// The text in parts of three bytes.
fn chain<const N: usize>(text: &'static [u8]) -> Chain<N> {
    let mut chain = Chain::new();
    for part in text.chunks(3) {
        chain.push_back(Bytes::from_static(part)).unwrap();
    }
    chain
}

#[test]
fn a_copy_goes_through_every_type() {
    let pool = pool(&[(16, 8), (128, 1)]);
    let data = canary(1, 100);
    let mut first = pool.alloc(100).unwrap();
    assert_eq!(io::copy(&mut &data[..], &mut first).unwrap(), 100);
    let mut second: ChainMut<8> = pool.alloc_chain(0).unwrap();
    assert_eq!(io::copy(&mut first, &mut second).unwrap(), 100);
    let (mut third, mut last) = (second.freeze(), Vec::new());
    assert_eq!(third.read_to_end(&mut last).unwrap(), 100);
    assert_eq!(last, data);
    assert!(third.is_empty() && first.is_empty());
    drop(first);
    assert_all_home(pool);
}

#[test]
fn lines_go_across_parts() {
    let read = |lines: io::Lines<Chain<9>>| lines.collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(read(chain(b"one\ntwo\n\nthree").lines()), ["one", "two", "", "three"]);
    assert_eq!(read(chain(b"").lines()), [""; 0]);
}

fn reads_exactly_or_not_at_all(mut bytes: impl BufRead) {
    let too_many = bytes.read_exact(&mut [0; 5]).unwrap_err();
    assert_eq!(too_many.kind(), ErrorKind::UnexpectedEof);
    let mut three = [0; 3];
    bytes.read_exact(&mut three).unwrap();
    assert_eq!(&three, b"fou");
    assert_eq!(bytes.fill_buf().unwrap(), b"r");
    let panicked = catch_unwind(AssertUnwindSafe(|| bytes.consume(2)));
    assert!(panicked.is_err());
    bytes.consume(1);
    assert_eq!(bytes.fill_buf().unwrap(), b"");
    assert_eq!(bytes.read(&mut three).unwrap(), 0);
}

#[test]
fn exact_reads_take_all_or_nothing() {
    reads_exactly_or_not_at_all(Bytes::from_static(b"four"));
    reads_exactly_or_not_at_all(pool(&[(8, 1)]).copy_from_slice(b"four").unwrap());
    reads_exactly_or_not_at_all(chain::<2>(b"four"));
}

#[test]
fn a_write_that_fails_has_written_nothing() {
    let pool = pool(&[(8, 2)]);
    let mut buffer = pool.copy_from_slice(b"0123").unwrap();
    let error = buffer.write_all(b"abcde").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    assert_eq!(error.get_ref().unwrap().downcast_ref(), Some(&AllocError::Oversized));
    buffer.write_all(b"abcd").unwrap();
    buffer.flush().unwrap();
    assert_eq!(buffer, "0123abcd");

    let mut chain: ChainMut<1> = pool.alloc_chain(0).unwrap();
    assert_eq!(chain.write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"cd")]).unwrap(), 2);
    let error = chain.write(&[0; 7]).unwrap_err();
    assert_eq!(error.get_ref().unwrap().downcast_ref(), Some(&AllocError::ChainFull));
    assert_eq!(chain.freeze(), "ab");

    let mut nowhere = Bytes::new().try_into_mut().unwrap();
    assert_eq!(nowhere.write(b"a").unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn errors_go_through_a_question_mark() {
    fn all() -> [io::Error; 6] {
        let shared = Bytes::from_static(b"flash").into_mut().unwrap_err();
        let full = chain::<1>(b"abc").push_back(Bytes::from_static(b"d")).unwrap_err();
        [
            AllocError::Exhausted.into(),
            RangeError.into(),
            FreeError::Foreign.into(),
            Error::TooManyWaiters.into(),
            shared.into(),
            full.into(),
        ]
    }
    let kinds = all().map(|error| error.kind());
    let expected = [
        ErrorKind::OutOfMemory,
        ErrorKind::UnexpectedEof,
        ErrorKind::InvalidInput,
        ErrorKind::OutOfMemory,
        ErrorKind::Unsupported,
        ErrorKind::OutOfMemory,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(all()[0].to_string(), AllocError::Exhausted.to_string());
}
