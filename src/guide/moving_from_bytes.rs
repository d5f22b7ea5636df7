//! This page lists each method and trait of `bytes::Bytes` and `bytes::BytesMut` (1.12), and its
//! counterpart here.
//!
//! Two differences appear everywhere:
//!
//! - **A call that makes a buffer names its pool.** Some traits have no place for a pool: `From`,
//!   `Default`, `Extend`, `FromIterator`, `Deserialize`. This crate does not implement them. The
//!   tables name the methods that replace them.
//! - **A call that can fail returns a `Result`.** `bytes` aborts when memory is exhausted, and
//!   panics on a bad range. Here, after an error, the handle is unchanged.
//!
//! If the handle has a pool, a copy or a growth takes its memory from that pool. The `_in` form
//! names another pool. A static or empty handle has no pool. If it must grow by a trait
//! (`fmt::Write`, `Write`), call [`BytesMut::reserve_in`] first.
//!
//! `tests/moving_from_bytes.rs` runs everything that is called *the same* here side by side with
//! the crate `bytes`.
//!
//! # `Bytes`
//! | `bytes::Bytes` | here | difference |
//! |---|---|---|
//! | `new`, `from_static` | [`Bytes::new`], [`Bytes::from_static`] | |
//! | `from_owner` | [`Pool::from_static_parts`] | bytes lie in a pool or its fallback, or are static. Four words have no room for another owner. You can make a pool over memory of your own |
//! | `copy_from_slice` | [`Pool::copy_from_slice`], then [`freeze`](BytesMut::freeze) | pool, `Result`; an empty slice takes a slot, too |
//! | `len`, `is_empty` | the same | |
//! | `is_unique` | [`Bytes::is_unique`] | static bytes and empty parts are not unique in both crates, because they hold no buffer |
//! | `slice`, `slice_ref`, `split_to`, `split_off` | the same | `Result` instead of a panic; [`Bytes::slice_clamped`] cuts the range instead. In both crates an empty part holds no buffer and keeps its address. An empty `slice_ref` keeps its address only here |
//! | `truncate`, `clear` | the same | a handle that is cut to no bytes releases its buffer (`bytes` does so since 1.12.2) |
//! | `try_into_mut` | [`Bytes::try_into_mut`] | for empty bytes always `Ok`, because they share no buffer |
//! | `From<Bytes> for BytesMut` (copies if shared) | [`Bytes::into_mut`], [`Bytes::into_mut_in`] | the copy may fail, so the error contains the bytes; the `_in` form leaves headroom |
//! | | [`Bytes::make_mut`], [`Bytes::make_mut_in`] | new: writes in place while unique, and copies first while shared |
//! | | [`Bytes::compact_in`], [`Bytes::footprint`], [`Bytes::is_pooled`] | new: how much memory a short part keeps in use, and how to release it |
//! | `Buf` | the same, feature `bytes` | |
//! | `Buf::copy_to_bytes` | the same | a split: no byte is copied |
//! | `Buf::advance` | [`Bytes::advance`] returns a `Result`; `Buf::advance` panics | |
//! | `Buf::chain`, `buf::Chain` | the same, or [`Chain`] | [`Chain`] holds any number of parts up to `N` in one type, can be cut and cloned, and is a `Buf`, too |
//! | `Clone` | the same | always one atomic addition; `bytes` may allocate at the first clone |
//! | `Default` | the same | |
//! | `Deref`, `AsRef`, `Borrow`, `Hash`, `Eq`, `Ord`, `Debug`, `LowerHex`, `UpperHex` | the same | `PartialEq` and `PartialOrd` accept every `AsRef<[u8]>` on the right. On the left they accept only `[u8]`. So write `packet == "x"`, not `"x" == packet` |
//! | `IntoIterator for &Bytes` | the same | |
//! | `IntoIterator for Bytes` | `bytes.iter().copied()` | for an iterator that owns the buffer, write `while bytes.has_remaining() { bytes.get_u8() }` |
//! | `FromIterator<u8>` | [`Pool::copy_from_iter`] | pool, `Result` |
//! | `From<&'static [u8]>`, `From<&'static str>` | the same | |
//! | `From<Vec<u8>>`, `From<Box<[u8]>>`, `From<String>` | [`Pool::copy_from_slice`] | pool, `Result`, and a copy, because a pool does not adopt memory of a heap |
//! | `From<Bytes> for Vec<u8>` | `bytes.to_vec()` | always a copy |
//! | `From<BytesMut>` | the same | |
//! | `Serialize` | the same, feature `serde` | |
//! | `Deserialize` | `DeserializeSeed` for `&'static Pool`, feature `serde` | a seed names the pool |
//!
//! # `BytesMut`
//! | `bytes::BytesMut` | here | difference |
//! |---|---|---|
//! | `new`, `Default` | [`Pool::alloc`]`(0)` | an empty buffer belongs to a pool, so that it can grow. Without a pool, use `Bytes::new().into_mut()`, which grows by the `_in` forms |
//! | `with_capacity`, `zeroed` | [`Pool::alloc`], [`Pool::zeroed`] | pool, `Result` |
//! | `len`, `is_empty`, `capacity` | the same | the capacity counts from the start of the data to the end of the slot |
//! | `freeze` | [`BytesMut::freeze`] | always a bit copy |
//! | `split_to`, `split_off`, `split` | the same, [`BytesMut::split_to`], [`BytesMut::split_off`], [`BytesMut::split`] | `Result` instead of a panic. `bytes` cuts off room behind the data, too; here `at` is at most the length. A half that has another half behind has the capacity of its length, also after `truncate` and `clear`; `bytes` keeps the room there, which would take another word in each handle here. A half without bytes and room holds no buffer |
//! | `try_unsplit` | [`BytesMut::unsplit`] | the same for halves that meet. It also does what `unsplit` of `bytes` does if one of the two is empty |
//! | `unsplit` | [`BytesMut::unsplit`], then [`BytesMut::extend_from_slice`] | where `bytes` copies, the other buffer comes back in the error |
//! | `truncate`, `clear` | the same, but for the capacity of a half | [`BytesMut::reset`] makes the whole slot available again |
//! | `resize`, `reserve`, `extend_from_slice` | the same | `Result`; [`BytesMut::reserve_in`] takes the room from another pool |
//! | `try_reclaim` | the same, [`BytesMut::try_reclaim`] | moves the data to the start of the slot, however long they are; `bytes` returns `false` if source and target would overlap |
//! | `extend_from_within` | the same, [`BytesMut::extend_from_within`] | `Result`, also for a bad range |
//! | `set_len`, `spare_capacity_mut` | the same | |
//! | `Buf` | the same, feature `bytes` | the bytes that are read become headroom |
//! | `Buf::copy_to_bytes` | the same | a split: no byte is copied |
//! | `BufMut` | the same, feature `bytes` | `remaining_mut` is the spare capacity. It never grows, so a full buffer reports 0 (`bytes`: `isize::MAX - len`) |
//! | `BufMut::put` that grows | [`BytesMut::reserve`] first, or `BytesMut::extend_from_buf`, feature `bytes` | `Result` |
//! | | [`BytesMut::headroom`], [`BytesMut::reserve_front`], [`BytesMut::prepend`] | new: headers in front; no byte of the payload moves |
//! | | [`BytesMut::into_raw`], [`Pool::from_raw`] | new: gives the slot to a driver |
//! | `Deref`, `DerefMut`, `AsRef`, `AsMut`, `Borrow`, `BorrowMut`, `Hash`, `Eq`, `Ord`, `Debug`, hex | the same | |
//! | `fmt::Write` | the same | an exhausted pool returns `fmt::Error`; the buffer keeps what was written before |
//! | `Clone` | [`Pool::copy_from_slice`]`(&buffer)` | pool, `Result` |
//! | `Extend<u8>`, `Extend<&u8>` | [`BytesMut::extend_from_iter`] | `Result` |
//! | `Extend<Bytes>` | `extend_from_slice` for each item | `Result` |
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
//! | [`Bytes`] | `bytes::Bytes`, independent of the pool | `bytes::Bytes::copy_from_slice(&packet)` | copied |

#[allow(unused_imports)] // for the links above
use crate::{Bytes, BytesMut, Chain, Pool};
