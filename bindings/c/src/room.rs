//! Room around the bytes: behind them for more, in front of them for headers.
//!
//! ```text
//!   ├─ headroom ─┼──── len ────┼─ spare ─┤
//!   ◄─ prepend                  append, resize ─►
//!                ├────── capacity ───────┤
//! ```
//!
//! Room belongs to the only holder of a buffer. Who shares it has none, and what asks for some
//! copies the bytes first.

use core::mem::{self, ManuallyDrop};
use core::slice;

use tierpool::{AllocError, Bytes, BytesMut, Pool};

use crate::bytes::{deliver, tierpool_bytes};
use crate::error::tierpool_error::{self, *};
use crate::init::{pool_at, tierpool_pool};
use crate::write::{
    Changed, alone, change, copy_with_room, in_place_or_copied, none_of_the_same_pool, put, reserve,
};

/// No bytes yet, in a slot of the pool with room for `capacity` bytes, and `headroom` bytes in front
/// of them for `tierpool_bytes_prepend`. `*out` is not read: release what it held before.
///
/// Interrupt handler: yes. Cost: one compare-and-swap.
///
/// # Errors
/// `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NULL`; `*out` is then no bytes.
///
/// # Safety
/// `pool` is null or from `tierpool_init`; `out` is null or valid to write.
///
/// ```c
/// tierpool_bytes frame;
/// if (tierpool_bytes_with_capacity(pool, 19, 481, &frame) == TIERPOOL_OK) {
///     tierpool_bytes_append(&frame, NULL, received, length);              // in place
///     tierpool_bytes_prepend(&frame, NULL, (const uint8_t *)"header", 6); // in place
///     tierpool_bytes_release(&frame);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_with_capacity(
    pool: *mut tierpool_pool,
    headroom: usize,
    capacity: usize,
    out: *mut tierpool_bytes,
) -> tierpool_error {
    // SAFETY: the caller's promises.
    unsafe { deliver(out, || Ok(pool_at(pool)?.alloc_with_headroom(headroom, capacity)?.freeze())) }
}

/// How long the bytes can become without a move: `len`, and the room behind them. Just `len` while
/// another handle shares their buffer, and for static bytes.
///
/// Interrupt handler: yes. Cost: one atomic load.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference.
///
/// ```c
/// assert(tierpool_bytes_capacity(packet) >= packet->len);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_capacity(bytes: *const tierpool_bytes) -> usize {
    // SAFETY: null or a handle, by the caller.
    unsafe { look(bytes, BytesMut::capacity) }
        // SAFETY: as above.
        .unwrap_or_else(|| unsafe { bytes.as_ref() }.map_or(0, |bytes| bytes.len))
}

/// The room in front of the bytes, for `tierpool_bytes_prepend`. None while another handle shares
/// their buffer, and for static bytes.
///
/// Interrupt handler: yes. Cost: one atomic load.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference.
///
/// ```c
/// packet->data += 4; // strips a header,
/// packet->len -= 4;
/// assert(tierpool_bytes_headroom(packet) >= 4); // whose bytes become room for the next one
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_headroom(bytes: *const tierpool_bytes) -> usize {
    // SAFETY: null or a handle, by the caller.
    unsafe { look(bytes, BytesMut::headroom) }.unwrap_or(0)
}

/// What `at` says of the buffer. None if it is not this handle's alone.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference.
unsafe fn look(bytes: *const tierpool_bytes, at: fn(&BytesMut) -> usize) -> Option<usize> {
    // SAFETY: null or a handle, by the caller.
    let bytes = unsafe { bytes.as_ref()?.borrow() };
    // The reference stays with the caller's handle, so neither way drops it.
    match alone(ManuallyDrop::into_inner(bytes)) {
        Ok(buffer) => Some(at(&ManuallyDrop::new(buffer))),
        Err(shared) => {
            mem::forget(shared);
            None
        }
    }
}

/// Makes room for `additional` bytes behind the bytes, so that appending them moves nothing. Where
/// the buffer has no such room, or another handle shares it, the bytes move first, into a slot of
/// `pool`, or, if that is null, of the pool that they lie in.
///
/// Interrupt handler: yes. Cost: one atomic load; if the bytes move, an allocation, a release and
/// the copy besides.
///
/// # Errors
/// `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NO_POOL`, `TIERPOOL_NULL`; the handle is
/// unchanged.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference; `pool` is null or from `tierpool_init`.
///
/// ```c
/// if (tierpool_bytes_reserve(packet, NULL, 400) == TIERPOOL_OK) {
///     assert(tierpool_bytes_capacity(packet) >= packet->len + 400);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_reserve(
    bytes: *mut tierpool_bytes,
    pool: *mut tierpool_pool,
    additional: usize,
) -> tierpool_error {
    // SAFETY: the caller's promises.
    unsafe {
        change(bytes, pool, |bytes, pool| {
            in_place_or_copied(
                bytes,
                |bytes| {
                    let mut buffer = alone(bytes)?;
                    let result = reserve(&mut buffer, pool, additional);
                    Ok((buffer.freeze(), result.map_err(tierpool_error::from)))
                },
                |bytes| Ok(copy_with_room(bytes, pool, additional)?.freeze()),
            )
        })
    }
}

/// Makes the bytes `len` long: cuts them, which moves nothing, or adds zeros behind them, as
/// `tierpool_bytes_append` adds bytes.
///
/// Interrupt handler: yes. Cost: shorter, no atomic operation; longer, that of
/// `tierpool_bytes_reserve`, one atomic load and the zeros.
///
/// # Errors
/// Those of `tierpool_bytes_reserve`; the handle is unchanged.
///
/// # Safety
/// As of `tierpool_bytes_reserve`.
///
/// ```c
/// if (tierpool_bytes_resize(packet, NULL, 200) == TIERPOOL_OK) {
///     assert(packet->len == 200 && packet->data[199] == 0);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_resize(
    bytes: *mut tierpool_bytes,
    pool: *mut tierpool_pool,
    len: usize,
) -> tierpool_error {
    // SAFETY: null or valid, by the caller.
    let Some(old) = (unsafe { bytes.as_ref() }).map(|bytes| bytes.len) else {
        return TIERPOOL_NULL;
    };
    if len > old {
        // SAFETY: the caller's promises.
        let made = unsafe { tierpool_bytes_reserve(bytes, pool, len - old) };
        if made != TIERPOOL_OK {
            return made;
        }
    }
    // SAFETY: not null, and a handle, by the caller.
    let bytes = unsafe { &mut *bytes };
    if len > old {
        // SAFETY: there is room for so many behind the bytes, and no other handle shares them.
        unsafe { bytes.data.cast_mut().add(old).write_bytes(0, len - old) };
    }
    bytes.len = len;
    TIERPOOL_OK
}

/// Puts `len` bytes in front: in place, while nobody shares the buffer and it has such headroom;
/// else the bytes move first, into a slot of `pool`, or, if that is null, of the pool that they lie
/// in. `data` may point into `bytes` itself, which then moves.
///
/// Interrupt handler: yes. Cost: one atomic load, the copy; if the bytes move, an allocation, a
/// release and a copy besides.
///
/// # Errors
/// `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NO_POOL`, `TIERPOOL_NULL`; the handle is
/// unchanged.
///
/// # Safety
/// As of `tierpool_bytes_append`.
///
/// ```c
/// if (tierpool_bytes_prepend(packet, NULL, (const uint8_t *)"to: all, ", 9) == TIERPOOL_OK) {
///     assert(packet->data[0] == 't');
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_prepend(
    bytes: *mut tierpool_bytes,
    pool: *mut tierpool_pool,
    data: *const u8,
    len: usize,
) -> tierpool_error {
    // SAFETY: the caller's promises.
    unsafe { put(prepend, bytes, pool, data, len) }
}

/// Prepends where the bytes are, or else to a copy.
///
/// # Safety
/// `len` bytes at `data` are valid to read; they may lie anywhere in the buffer, too.
unsafe fn prepend(
    bytes: Bytes,
    pool: Option<&'static Pool>,
    data: *const u8,
    len: usize,
) -> Changed {
    in_place_or_copied(
        bytes,
        |bytes| {
            let mut buffer = alone(bytes)?;
            let start = buffer.as_ptr().addr();
            let (slot, end) = (start - buffer.headroom(), start + buffer.capacity());
            if data.addr() < end && data.addr().saturating_add(len) > slot {
                return Err(buffer.freeze());
            }
            let result = reserve_front(&mut buffer, pool, len).and_then(|()| {
                // SAFETY: the caller's promise; they lie elsewhere, so this buffer's writer does
                // not change them.
                buffer.prepend(unsafe { slice::from_raw_parts(data, len) })
            });
            Ok((buffer.freeze(), result.map_err(tierpool_error::from)))
        },
        |bytes| {
            let mut new = none_of_the_same_pool(bytes)?;
            reserve_front(&mut new, pool, bytes.len().saturating_add(len))?;
            new.prepend(bytes)?;
            // SAFETY: the caller's promise; nobody writes them, since `bytes` is still there.
            new.prepend(unsafe { slice::from_raw_parts(data, len) })?;
            Ok(new.freeze())
        },
    )
}

/// Room for `len` bytes in front, which `pool` pays for, or else the buffer's own.
fn reserve_front(
    buffer: &mut BytesMut,
    pool: Option<&'static Pool>,
    len: usize,
) -> Result<(), AllocError> {
    match pool {
        Some(pool) => buffer.reserve_front_in(pool, len),
        None => buffer.reserve_front(len),
    }
}

/// A copy of `len` bytes from `start`, in the smallest slot of `pool`, or, if that is null, of the
/// pool that the bytes lie in. For what is kept for long: a part made by `tierpool_bytes_slice` keeps
/// the whole slot of its packet. `*out` is not read: release what it held before; it is not `bytes`.
///
/// Interrupt handler: yes. Cost: one compare-and-swap, the copy.
///
/// # Errors
/// `TIERPOOL_RANGE` if there are fewer bytes; `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`,
/// `TIERPOOL_NO_POOL`, `TIERPOOL_NULL`. `*out` is then no bytes.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference; `pool` is null or from `tierpool_init`;
/// `out` is null or valid to write.
///
/// ```c
/// tierpool_bytes key;
/// if (tierpool_bytes_copy_slice(packet, NULL, 2, 16, &key) == TIERPOOL_OK) {
///     assert(tierpool_bytes_footprint(&key) == 256 && memcmp(key.data, packet->data + 2, 16) == 0);
///     tierpool_bytes_release(&key);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_copy_slice(
    bytes: *const tierpool_bytes,
    pool: *mut tierpool_pool,
    start: usize,
    len: usize,
    out: *mut tierpool_bytes,
) -> tierpool_error {
    let make = || {
        // SAFETY: null or a handle, by the caller.
        let bytes = unsafe { bytes.as_ref().ok_or(TIERPOOL_NULL)?.borrow() };
        let end = start.checked_add(len).ok_or(TIERPOOL_RANGE)?;
        let part = bytes.get(start..end).ok_or(TIERPOOL_RANGE)?;
        let mut copy = none_of_the_same_pool(&bytes)?;
        // SAFETY: null or a pool, by the caller.
        reserve(&mut copy, unsafe { pool_at(pool) }.ok(), len)?;
        copy.extend_from_slice(part)?;
        Ok(copy.freeze())
    };
    // SAFETY: null or valid, by the caller.
    unsafe { deliver(out, make) }
}
