//! Handles as streams, by the blocking traits and by those that could wait.
#![cfg(feature = "embedded-io-async-07")]

use embedded_io_07::{
    BufRead, Error, ErrorKind, Read, ReadExactError, ReadReady, Write, WriteReady,
};
use futures_util::FutureExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tierpool::{AllocError, Bytes, Chain, Config, Pool};
use tierpool_testkit::{assert_all_home, canary, fresh_pool};

fn pool() -> &'static Pool {
    fresh_pool(&Config::new(&[(32, 1), (64, 2)])).unwrap()
}

/// Copies by pieces of 7 bytes, as code does that knows only the traits.
fn copy(from: &mut impl Read, to: &mut impl Write) -> usize {
    let (mut piece, mut copied) = ([0; 7], 0);
    loop {
        let read = from.read(&mut piece).unwrap();
        if read == 0 {
            to.flush().unwrap();
            return copied;
        }
        to.write_all(&piece[..read]).unwrap();
        copied += read;
    }
}

#[test]
fn streams_are_always_ready() {
    fn is_ready<R: Read + ReadReady, W: Write + WriteReady>(mut from: R, mut to: W) {
        assert!(from.read_ready().unwrap() && to.write_ready().unwrap());
        let mut piece = [0; 7];
        while from.read(&mut piece).unwrap() > 0 {}
        assert!(from.read_ready().unwrap(), "at the end, too: a read answers 0 at once");
        while to.write(&piece).is_ok() {}
        assert!(to.write_ready().unwrap(), "in a full one, too: a write fails at once");
    }
    let pool = fresh_pool(&Config::new(&[(32, 3)])).unwrap();
    let bytes = pool.copy_from_slice(b"some bytes").unwrap();
    is_ready(bytes, pool.alloc(32).unwrap());
    let bytes = pool.copy_from_slice(b"some bytes").unwrap().freeze();
    is_ready(bytes.clone(), pool.alloc_chain::<2>(32).unwrap());
    is_ready(Chain::<2>::from(bytes), pool.alloc(1).unwrap());
    assert_all_home(pool);
}

#[test]
fn bytes_go_through() {
    let pool = pool();
    let mut source = pool.copy_from_slice(&canary(1, 60)).unwrap().freeze();
    let mut target = pool.alloc(32).unwrap();
    assert_eq!(copy(&mut source, &mut target), 60);
    assert_eq!(source.len(), 0, "it has grown into the next tier");
    assert_eq!(target.capacity(), 64, "it has grown into the next tier");
    assert_eq!(target, canary(1, 60));
    drop((source, target));
    assert_all_home(pool);
}

#[test]
fn a_buffer_is_a_queue_that_uses_its_slot_again() {
    let pool = pool();
    let mut queue = pool.alloc(32).unwrap();
    let start = queue.as_ptr().addr();
    for round in 0..100 {
        queue.write_all(&canary(round, 20)).unwrap();
        let mut back = [0; 20];
        queue.read_exact(&mut back).unwrap();
        assert_eq!(back[..], canary(round, 20));
        assert!((start..start + 32).contains(&queue.as_ptr().addr()));
    }
    assert_eq!(pool.stats().hits(), 1);
}

fn reads_exactly_or_not_at_all<B: Read + BufRead<Error: std::fmt::Debug + PartialEq>>(
    mut bytes: B,
) {
    assert_eq!(bytes.read_exact(&mut [0; 5]), Err(ReadExactError::UnexpectedEof));
    assert_eq!(bytes.fill_buf().unwrap(), b"four");
    bytes.consume(1);
    let mut three = [0; 3];
    bytes.read_exact(&mut three).unwrap();
    assert_eq!(&three, b"our");
    assert_eq!(bytes.fill_buf().unwrap(), &b""[..]);
    assert_eq!(bytes.read(&mut three).unwrap(), 0);
    bytes.consume(0);
    assert_eq!(bytes.fill_buf().unwrap(), b"");
}

#[test]
fn exact_reads_take_all_or_nothing() {
    let pool = pool();
    reads_exactly_or_not_at_all(Bytes::from_static(b"four"));
    reads_exactly_or_not_at_all(pool.copy_from_slice(b"four").unwrap());
}

/// As a slice does: whoever consumes what was not shown has counted wrong.
#[test]
fn consuming_too_much_panics_and_changes_nothing() {
    fn panics(mut bytes: impl BufRead) -> bool {
        let consumed = catch_unwind(AssertUnwindSafe(|| bytes.consume(5)));
        consumed.is_err() && matches!(bytes.fill_buf(), Ok(b"four"))
    }
    let pool = pool();
    assert!(panics(&b"four"[..]));
    assert!(panics(Bytes::from_static(b"four")));
    assert!(panics(pool.copy_from_slice(b"four").unwrap()));
    assert_all_home(pool);
}

#[test]
fn a_write_that_fails_has_written_nothing() {
    let pool = fresh_pool(&Config::new(&[(16, 1)])).unwrap();
    let mut buffer = pool.copy_from_slice(b"0123456789").unwrap();
    let error = buffer.write_all(b"abcdefg").unwrap_err();
    assert_eq!(error, AllocError::Oversized);
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    assert_eq!(&buffer[..], &b"0123456789"[..]);
    buffer.write_all(b"abcdef").unwrap();
    let mut nowhere = Bytes::new().try_into_mut().unwrap();
    assert_eq!(nowhere.write(b"a").unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(nowhere.write(b""), Ok(0));
    // As the error advises.
    nowhere.reserve_in(fresh_pool(&Config::new(&[(16, 1)])).unwrap(), 1).unwrap();
    assert_eq!(nowhere.write(b"abc"), Ok(3));
    assert_eq!(&nowhere[..], &b"abc"[..]);
}

/// In a module of its own: the traits share their names with the blocking ones.
mod asynchronous {
    use super::{AllocError, FutureExt, ReadExactError, assert_all_home, pool};
    use embedded_io_async_07::{BufRead, Read, Write};

    #[test]
    fn the_asynchronous_traits_never_wait() {
        let pool = pool();
        let mut buffer = pool.alloc(32).unwrap();
        let moved = async {
            buffer.write_all(b"headbody").await.unwrap();
            buffer.flush().await.unwrap();
            let mut head = [0; 4];
            buffer.read_exact(&mut head).await.unwrap();
            assert_eq!(buffer.read_exact(&mut [0; 5]).await, Err(ReadExactError::UnexpectedEof));
            assert_eq!(buffer.write(&[0; 100]).await, Err(AllocError::Oversized));
            let mut body = buffer.freeze();
            assert_eq!(&head, b"head");
            assert_eq!(body.fill_buf().await.unwrap(), &b"body"[..]);
            body.consume(1);
            let mut rest = [0; 9];
            assert_eq!(body.read(&mut rest).await, Ok(3));
            assert_eq!(&rest[..3], b"ody");
        };
        moved.now_or_never().expect("ready at once");
        assert_all_home(pool);
    }
}
