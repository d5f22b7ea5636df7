//! Each method and trait of `bytes::Bytes` and `bytes::BytesMut` (1.12), and its counterpart here.
//!
//! Two things differ throughout. What makes a buffer **names its pool**: traits that have no place for a pool (`From`,
//! `Default`, `Extend`, `FromIterator`, `Deserialize`) cannot be implemented, and methods in their place are named below.
//! And what can fail **returns a `Result`**, where `bytes` aborts on exhausted memory or panics on a bad range; on an error
//! the handle is what it was.
//!
//! Where the handle has a pool already, a copy or a growth goes to that one; the `_in` form names another. A handle of no pool
//! (static, or empty) that is to grow by a trait (`fmt::Write`, `Write`) gets one from [`BytesMut::reserve_in`] first.
//!
//! What is called *the same* here is tested against the crate `bytes` itself, side by side (`tests/moving_from_bytes.rs`).
//!
//! # `Bytes`
//! | `bytes::Bytes` | here | differs |
//! |---|---|---|
//! | `new`, `from_static` | [`Bytes::new`], [`Bytes::from_static`] | |
//! | `from_owner` | [`Pool::from_static_parts`] | bytes lie in a pool, its fallback, or are static: there is no room in four words for a foreign owner. A pool can be made over memory of one's own |
//! | `copy_from_slice` | [`Pool::copy_from_slice`], then [`freeze`](BytesMut::freeze) | pool, `Result`; no bytes take a slot, too |
//! | `len`, `is_empty` | the same | |
//! | `is_unique` | [`Bytes::is_unique`] | static bytes and empty parts are not unique, there as here: they hold no buffer |
//! | `slice`, `slice_ref`, `split_to`, `split_off` | the same | `Result` in place of a panic; [`Bytes::slice_clamped`] cuts the range instead. An empty part holds no buffer and keeps its address, there as here; that of an empty `slice_ref` is kept here alone |
//! | `truncate`, `clear` | the same | cut to nothing, a handle lets go of its buffer (`bytes` since 1.12.2) |
//! | `try_into_mut` | [`Bytes::try_into_mut`] | empty bytes are nobody's to share: always `Ok` |
//! | `From<Bytes> for BytesMut` (copies if shared) | [`Bytes::into_mut`], [`Bytes::into_mut_in`] | the copy may fail, so the error has the bytes; the `_in` form leaves headroom |
//! | | [`Bytes::make_mut`], [`Bytes::make_mut_in`] | new: writes in place while unique, and copies first while shared |
//! | | [`Bytes::compact_in`], [`Bytes::footprint`], [`Bytes::is_pooled`] | new: what a short part pins, and how to let go of it |
//! | `Buf` | the same, feature `bytes` | |
//! | `Buf::copy_to_bytes` | the same | a split: no byte is copied |
//! | `Buf::advance` | [`Bytes::advance`] returns a `Result`; `Buf::advance` panics | |
//! | `Clone` | the same | one atomic addition, always; `bytes` may allocate at the first clone |
//! | `Default` | the same | |
//! | `Deref`, `AsRef`, `Borrow`, `Hash`, `Eq`, `Ord`, `Debug`, `LowerHex`, `UpperHex` | the same | `PartialEq` and `PartialOrd` with all that is `AsRef<[u8]>` on the right; on the left `[u8]`, so `packet == "x"`, not `"x" == packet` |
//! | `IntoIterator for &Bytes` | the same | |
//! | `IntoIterator for Bytes` | `bytes.iter().copied()` | an iterator that owns the buffer is `while bytes.has_remaining() { bytes.get_u8() }` |
//! | `FromIterator<u8>` | [`Pool::copy_from_iter`] | pool, `Result` |
//! | `From<&'static [u8]>`, `From<&'static str>` | the same | |
//! | `From<Vec<u8>>`, `From<Box<[u8]>>`, `From<String>` | [`Pool::copy_from_slice`] | pool, `Result`, and a copy: a pool does not adopt a heap's memory |
//! | `From<Bytes> for Vec<u8>` | `bytes.to_vec()` | always a copy |
//! | `From<BytesMut>` | the same | |
//! | `Serialize` | the same, feature `serde` | |
//! | `Deserialize` | `DeserializeSeed` for `&'static Pool`, feature `serde` | a seed names the pool |
//!
//! # `BytesMut`
//! | `bytes::BytesMut` | here | differs |
//! |---|---|---|
//! | `new`, `Default` | [`Pool::alloc`]`(0)` | an empty buffer is one of a pool, so that it can grow. Without a pool: `Bytes::new().into_mut()`, which grows by `_in` forms |
//! | `with_capacity`, `zeroed` | [`Pool::alloc`], [`Pool::zeroed`] | pool, `Result` |
//! | `len`, `is_empty`, `capacity` | the same | the capacity is the slot's, from the start of the data |
//! | `freeze` | [`BytesMut::freeze`] | always a bit copy |
//! | `split_to`, `split_off`, `split` | `buffer.freeze()`, then [`Bytes::split_to`], [`Bytes::split_off`] | one buffer has one owner that writes, and headroom that is its own: two halves of a slot could have neither. When the parts are to be written again, [`Bytes::into_mut`] |
//! | `unsplit`, `try_unsplit` | [`BytesMut::extend_from_slice`] | there are no halves to put together |
//! | `truncate`, `clear` | the same | [`BytesMut::reset`] gives the whole slot again |
//! | `resize`, `reserve`, `extend_from_slice` | the same, and `_in` forms | `Result` |
//! | `try_reclaim` | the same, [`BytesMut::try_reclaim`] | moves the data to the start of the slot however many they are; `bytes` says no where they would overlap themselves |
//! | `extend_from_within` | none | copy the part into an array, then `extend_from_slice` |
//! | `set_len`, `spare_capacity_mut` | the same | |
//! | `Buf` | the same, feature `bytes` | what is read becomes headroom |
//! | `Buf::copy_to_bytes` | the same | all bytes: no copy. A part: a copy into the global allocator's memory, see `split_to` |
//! | `BufMut` | the same, feature `bytes` | `remaining_mut` is the spare capacity and never grows, so that a full buffer reads as full (`bytes`: `isize::MAX - len`) |
//! | `BufMut::put`, growing | [`BytesMut::reserve`] before, or `BytesMut::extend_from_buf`, feature `bytes` | `Result` |
//! | | [`BytesMut::headroom`], [`BytesMut::reserve_front`], [`BytesMut::prepend`] | new: headers in front, no byte of the payload moves |
//! | | [`BytesMut::into_raw`], [`Pool::from_raw`] | new: the slot for a driver |
//! | `Deref`, `DerefMut`, `AsRef`, `AsMut`, `Borrow`, `BorrowMut`, `Hash`, `Eq`, `Ord`, `Debug`, hex | the same | |
//! | `fmt::Write` | the same | an exhausted pool is a `fmt::Error`; the buffer keeps what was written before |
//! | `Clone` | [`Pool::copy_from_slice`]`(&buffer)` | pool, `Result` |
//! | `Extend<u8>`, `Extend<&u8>` | [`BytesMut::extend_from_iter`] | `Result` |
//! | `Extend<Bytes>` | `extend_from_slice` for each | `Result` |
//! | `FromIterator<u8>`, `FromIterator<&u8>` | [`Pool::copy_from_iter`] | pool, `Result` |
//! | `From<&[u8]>`, `From<&str>` | [`Pool::copy_from_slice`] | pool, `Result` |
//! | `From<BytesMut> for Vec<u8>` | `buffer.to_vec()` | always a copy |
//! | `IntoIterator for BytesMut` | `buffer.iter().copied()` | as for `Bytes` |
//! | `Serialize`, `Deserialize` | as for `Bytes` | |
//!
//! # From one crate to the other
//! | from | to | by | payload |
//! |---|---|---|---|
//! | [`Bytes`], [`BytesMut`] | `bytes::Bytes` | `into()`, feature `bytes` | stays in its slot; one small allocation |
//! | `bytes::Bytes`, any `Buf` | [`BytesMut`] | `Pool::copy_from_buf`, feature `bytes` | copied |
//! | `bytes::Bytes` | [`BytesMut`] | [`Pool::copy_from_slice`] | copied |
//! | [`Bytes`] | `bytes::Bytes`, apart from the pool | `bytes::Bytes::copy_from_slice(&packet)` | copied |

#[allow(unused_imports)] // for the links above
use crate::{Bytes, BytesMut, Pool};
