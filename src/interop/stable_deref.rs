//! `stable_deref_trait`: the bytes of a handle stay where they are when the handle moves.
//!
//! | type | `StableDeref` | `CloneStableDeref` |
//! |---|---|---|
//! | [`Bytes`] | yes | yes: a clone shares the bytes |
//! | [`BytesMut`], [`Object`], [`Recycled`] | yes | they cannot be cloned |
//! | [`SharedObject`] | yes | yes: a clone shares the value |
//!
//! The trait promises: as long as the handle lives, what it derefs to stays valid and has one
//! address, whether the handle moves or its `&self` methods are called. It promises nothing about
//! `&mut self` methods other than `deref_mut`. So [`BytesMut`] may move its data when it grows.
//!
//! Why this holds: a handle is a few plain words, without interior mutability. Its bytes lie in a
//! slot, in a block of the fallback or in a static, and no method with `&self` writes one of its
//! words. Halves of a buffer are handles of their own: what is done with one does not move the data of
//! the other. A handle without a buffer points at static or dangling memory of length 0, or at where its
//! bytes were; that address does not change either.

use stable_deref_trait::{CloneStableDeref, StableDeref};

use crate::buf::bytes::Bytes;
use crate::buf::bytes_mut::BytesMut;
use crate::object_pool::Object;
use crate::object_pool::recycle::Recycled;
use crate::object_pool::shared::SharedObject;

/// Parsed views can own their bytes (`yoke`), and drivers on `embedded-dma` 0.2 send them:
///
/// ```
/// use yoke::Yoke;
///
/// tierpool::pool! { static RX = default; }
/// let packet = RX.copy_from_slice(b"to=node;hello")?.freeze();
/// let text: Yoke<&'static str, tierpool::Bytes> =
///     Yoke::try_attach_to_cart(packet, |bytes| std::str::from_utf8(bytes))?;
/// assert_eq!(*text.get(), "to=node;hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// SAFETY: a handle keeps its buffer until its own drop, and no `&self` method changes its words. An
// empty handle without a buffer has length 0: its address is not read.
unsafe impl StableDeref for Bytes {}

// SAFETY: a clone is a bit copy of the words and one more handle on the buffer. So it derefs to the
// same address, and keeps the bytes when the first one is gone.
unsafe impl CloneStableDeref for Bytes {}

/// A DMA transfer into a buffer writes the bytes that it derefs to: its data, not its spare
/// capacity. So take a buffer from [`zeroed`](crate::Pool::zeroed), or set its length first.
///
/// The address holds until a method with `&mut self` other than `deref_mut` is called: growth may
/// move the data to another slot.
///
/// ```
/// use embedded_dma::WriteBuffer;
///
/// tierpool::pool! { static RX = default; }
/// let mut buffer = RX.zeroed(100)?;
/// // SAFETY: for this example, nothing is done with the pointer.
/// let (pointer, len) = unsafe { buffer.write_buffer() };
/// let moved = buffer;
/// assert_eq!((pointer.cast_const(), len), (moved.as_ptr(), 100));
/// # Ok::<(), tierpool::AllocError>(())
/// ```
// SAFETY: as for `Bytes`. `deref_mut` gives out the same bytes, and changes no word of the handle.
unsafe impl StableDeref for BytesMut {}

// SAFETY: the value lies in a slot of the pool, which the handle borrows. So neither the pool nor
// the value moves while the handle lives, and the words of the handle never change.
unsafe impl<T, const N: usize, const W: usize> StableDeref for Object<'_, T, N, W> {}

// SAFETY: as for `Object`.
unsafe impl<T, const N: usize, const W: usize> StableDeref for Recycled<'_, T, N, W> {}

// SAFETY: as for `Object`, whose words it has.
unsafe impl<T, const N: usize, const W: usize> StableDeref for SharedObject<'_, T, N, W> {}

// SAFETY: a clone has the same words, and counts as a handle. The last one alone drops the value.
unsafe impl<T, const N: usize, const W: usize> CloneStableDeref for SharedObject<'_, T, N, W> {}
