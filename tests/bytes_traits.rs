//! The handles as `Buf` and `BufMut`: against the crate's own types, in code that takes either,
//! under tokio's codecs.
#![cfg(feature = "bytes")]

use ::bytes::{Buf, BufMut};
use futures_util::{SinkExt, StreamExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tierpool::{AllocError, Bytes, BytesMut, Config, Pool};
use tierpool_testkit::{assert_all_home, canary, fresh_pool};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_util::codec::{Decoder, Encoder, Framed};

fn pool() -> &'static Pool {
    fresh_pool(&Config::new(&[(64, 8), (256, 8)])).unwrap()
}

/// Reads a little of everything, and says what it saw.
fn read_all_kinds(mut buf: impl Buf) -> Vec<u64> {
    let mut seen = vec![
        buf.remaining() as u64,
        buf.get_u8().into(),
        buf.get_u16_le().into(),
        buf.get_u32().into(),
        buf.get_u64(),
    ];
    buf.advance(3);
    let mut four = [0; 4];
    buf.copy_to_slice(&mut four);
    seen.extend(four.map(u64::from));
    seen.extend(buf.copy_to_bytes(5).iter().map(|&byte| u64::from(byte)));
    seen.push(buf.chunk().len() as u64);
    seen.extend((&mut buf).take(6).copy_to_bytes(6).iter().map(|&byte| u64::from(byte)));
    seen.extend(std::iter::from_fn(|| buf.has_remaining().then(|| u64::from(buf.get_u8()))));
    seen
}

#[test]
fn reads_as_a_slice_does() {
    let pool = pool();
    let bytes = canary(5, 60);
    let expected = read_all_kinds(&bytes[..]);
    let buffer = pool.copy_from_slice(&bytes).unwrap();
    assert_eq!(read_all_kinds(pool.copy_from_slice(&buffer).unwrap()), expected);
    let shared = buffer.freeze();
    assert_eq!(read_all_kinds(shared.clone()), expected);
    assert_eq!(
        read_all_kinds(shared.slice(..20).unwrap().chain(shared.slice(20..).unwrap())),
        expected
    );
    drop(shared);
    assert_all_home(pool);
}

fn write_all_kinds(mut buf: impl BufMut) {
    buf.put_u8(1);
    buf.put_u16(2);
    buf.put_u32_le(3);
    buf.put(&b"a chunk"[..]);
    buf.put_slice(b"a slice");
    buf.put_bytes(9, 5);
    buf.chunk_mut()[0..2].copy_from_slice(b"ab");
    // SAFETY: the two bytes have just been written.
    unsafe { buf.advance_mut(2) };
}

#[test]
fn writes_as_a_vec_does() {
    let pool = pool();
    let mut expected = Vec::new();
    write_all_kinds(&mut expected);
    let mut buffer = pool.alloc_with_headroom(4, 50).unwrap();
    write_all_kinds(&mut buffer);
    assert_eq!(&buffer[..], &expected[..]);
    assert_eq!(buffer.headroom(), 4);
}

#[test]
fn a_full_buffer_is_full_and_never_grows() {
    let pool = pool();
    let mut buffer = pool.alloc(64).unwrap();
    buffer.put_bytes(1, 60);
    assert_eq!(buffer.remaining_mut(), 4);
    let mut limited = (&mut buffer).limit(3);
    limited.put_bytes(2, 3);
    assert!(catch_unwind(AssertUnwindSafe(|| buffer.put_u16(7))).is_err());
    assert_eq!(buffer.remaining_mut(), 1);
    assert_eq!(buffer.len(), 63);
    assert_eq!(buffer.capacity(), 64);
    buffer.put_u8(3);
    assert!(!buffer.has_remaining_mut());
    assert_eq!(buffer.chunk_mut().len(), 0);
    // SAFETY: nothing is claimed to be initialised if it panics, which it must.
    assert!(catch_unwind(AssertUnwindSafe(|| unsafe { buffer.advance_mut(1) })).is_err());
    let mut nowhere = Bytes::new().try_into_mut().unwrap();
    assert_eq!(nowhere.remaining_mut(), 0);
    assert_eq!(nowhere.chunk_mut().len(), 0);
}

#[test]
fn beyond_the_end_is_a_panic_and_changes_nothing() {
    let pool = pool();
    let mut buffer = pool.copy_from_slice(b"four").unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| Buf::advance(&mut buffer, 5))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| buffer.copy_to_bytes(5))).is_err());
    let mut shared = buffer.freeze();
    assert!(catch_unwind(AssertUnwindSafe(|| Buf::advance(&mut shared, 5))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| shared.copy_to_bytes(5))).is_err());
    assert_eq!(shared, "four");
}

#[test]
fn conversions_keep_the_payload_and_the_slot() {
    let pool = pool();
    let mut shared = pool.copy_from_slice(b"headbody").unwrap().freeze();
    let start = shared.as_ptr();
    let head = shared.copy_to_bytes(4);
    assert_eq!(head.as_ptr(), start);
    assert_eq!(shared.as_ptr(), start.wrapping_add(4));
    let body = ::bytes::Bytes::from(shared);
    let part = body.slice(1..3);
    drop((head, body));
    assert_eq!(&part[..], &b"od"[..]);
    assert!(!pool.is_idle());
    drop(part);
    assert_all_home(pool);

    let mut buffer = pool.copy_from_slice(b"headbody").unwrap();
    let (start, served) = (buffer.as_ptr(), pool.stats().hits());
    let head = buffer.copy_to_bytes(4);
    assert_eq!((&head[..], head.as_ptr()), (&b"head"[..], start));
    let body = buffer.copy_to_bytes(4);
    assert_eq!((&body[..], body.as_ptr()), (&b"body"[..], start.wrapping_add(4)));
    assert_eq!((buffer.len(), pool.stats().hits()), (0, served));
    // The room behind the data is still here.
    buffer.extend_from_slice(b"again").unwrap();
    assert_eq!((buffer.as_ptr(), pool.stats().hits()), (start.wrapping_add(8), served));
    drop((buffer, body, head));
    assert_all_home(pool);
    assert_eq!(::bytes::Bytes::from(Bytes::from_static(b"flash")), "flash");
}

#[test]
fn no_bytes_leave_without_the_buffer() {
    let mut buffer = pool().alloc(64).unwrap();
    assert!(buffer.copy_to_bytes(0).is_empty() && buffer.capacity() == 64);
    buffer.put_u8(1);
    assert!(buffer.copy_to_bytes(0).is_empty() && buffer == [1]);
}

#[test]
fn copies_into_an_exhausted_pool_take_nothing() {
    let pool = fresh_pool(&Config::new(&[(16, 1)])).unwrap();
    let mut pieces = Buf::chain(&b"head"[..], &b"body"[..]);
    let only = pool.copy_from_buf(&mut pieces).unwrap();
    assert_eq!(&only[..], &b"headbody"[..]);
    assert_eq!(pieces.remaining(), 0);
    let mut more = ::bytes::Bytes::from_static(b"more");
    assert_eq!(pool.copy_from_buf(&mut more).unwrap_err(), AllocError::Exhausted);
    let mut only = only;
    only.extend_from_buf(&mut more.clone()).unwrap();
    assert_eq!(
        only.extend_from_buf((&mut more).chain(&b"too much"[..])),
        Err(AllocError::Oversized)
    );
    assert_eq!(&only[..], &b"headbodymore"[..]);
    assert_eq!(more.remaining(), 4);
    let mut nowhere = Bytes::new().try_into_mut().unwrap();
    assert_eq!(nowhere.extend_from_buf(&mut more), Err(AllocError::NoPool));
    assert_eq!(nowhere.reserve_in(pool, 4), Err(AllocError::Exhausted));
    drop(only);
    nowhere.reserve_in(pool, 4).unwrap();
    nowhere.extend_from_buf(&mut more).unwrap();
    assert_eq!(&nowhere[..], &b"more"[..]);
    assert_eq!(more.remaining(), 0);
}

/// Frames of a length byte and that many bytes. What arrives is copied once, into a slot; what
/// leaves is read from one.
struct Frames {
    pool: &'static Pool,
}

impl Decoder for Frames {
    type Item = Bytes;
    type Error = std::io::Error;

    fn decode(&mut self, source: &mut ::bytes::BytesMut) -> Result<Option<Bytes>, Self::Error> {
        let Some(&length) = source.first() else { return Ok(None) };
        if source.remaining() <= length.into() {
            return Ok(None);
        }
        source.advance(1);
        let frame =
            self.pool.copy_from_buf(source.take(length.into())).map_err(std::io::Error::other)?;
        Ok(Some(frame.freeze()))
    }
}

impl Encoder<Bytes> for Frames {
    type Error = std::io::Error;

    fn encode(&mut self, frame: Bytes, target: &mut ::bytes::BytesMut) -> Result<(), Self::Error> {
        target.put_u8(frame.len().try_into().map_err(std::io::Error::other)?);
        target.put(frame);
        Ok(())
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn a_codec_moves_frames_through_a_pool() {
    let pool = pool();
    block_on(async {
        // So narrow that most frames arrive in pieces.
        let (left, right) = duplex(10);
        let (mut sender, mut receiver) =
            (Framed::new(left, Frames { pool }), Framed::new(right, Frames { pool }));
        let send = async {
            for seed in 0..100 {
                let frame = pool.copy_from_slice(&canary(seed, seed as usize)).unwrap();
                sender.send(frame.freeze()).await.unwrap();
            }
            drop(sender);
        };
        let receive = async {
            let mut seed = 0;
            while let Some(frame) = receiver.next().await {
                let frame = frame.unwrap();
                assert_eq!(&frame[..], &canary(seed, seed as usize)[..]);
                assert!(frame.is_pooled());
                seed += 1;
            }
            assert_eq!(seed, 100);
        };
        futures_util::future::join(send, receive).await;
    });
    assert_all_home(pool);
}

#[test]
fn tokio_reads_and_writes_buffers() {
    let pool = pool();
    block_on(async {
        let (mut left, mut right) = duplex(1000);
        let mut message = pool.copy_from_slice(&canary(3, 100)).unwrap().freeze();
        left.write_all_buf(&mut message).await.unwrap();
        assert!(message.is_empty());

        let mut received: BytesMut = pool.alloc(64).unwrap();
        while received.has_remaining_mut() {
            assert!(right.read_buf(&mut received).await.unwrap() > 0);
        }
        assert_eq!(&received[..], &canary(3, 64)[..]);
        assert_eq!(received.capacity(), 64);
        assert_eq!(right.read_buf(&mut received).await.unwrap(), 0, "a full buffer reads as full");
        received.reserve(36).unwrap();
        right.read_buf(&mut received).await.unwrap();
        assert_eq!(received, canary(3, 100));
    });
    assert_all_home(pool);
}
