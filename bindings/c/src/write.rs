//! Writing to shared bytes: they are copied while another handle shares them, and may change their
//! place.

use core::{ptr, slice};

use tierpool::{AllocError, Bytes, BytesMut, Pool};

use crate::bytes::tierpool_bytes;
use crate::error::tierpool_error::{self, *};
use crate::init::{pool_at, tierpool_pool};
use crate::out;

/// The bytes for writing: `*data` is where they are, and good until the next call on this handle.
/// Copied first while another handle shares them, or if they are static, so `bytes->data` may
/// change: into `pool`, or, if that is null, into the pool that they lie in; and no more than these
/// bytes. A handle of no bytes stays as it is, shared or not: there is nothing to copy.
///
/// Interrupt handler: yes. Cost: one atomic load; with a copy an allocation and a release besides.
///
/// # Errors
/// `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NO_POOL`, `TIERPOOL_NULL`; the handle is
/// unchanged, and `*data` null.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference; `pool` is null or from `tierpool_init`;
/// `data` is null or valid to write.
///
/// ```c
/// uint8_t *data;
/// if (tierpool_bytes_make_mut(packet, NULL, &data) == TIERPOOL_OK && packet->len > 1) {
///     data[1] += 1; // nobody else sees it
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_make_mut(
    bytes: *mut tierpool_bytes,
    pool: *mut tierpool_pool,
    data: *mut *mut u8,
) -> tierpool_error {
    // SAFETY: null or valid, by the caller.
    let (Some(bytes), Some(data)) = (unsafe { (bytes.as_mut(), out(data)) }) else {
        return TIERPOOL_NULL;
    };
    if bytes.len == 0 {
        // Copied, it would hold no slot any more. But the caller may still mean to append what lies
        // beside it.
        data.write(bytes.data.cast_mut());
        return TIERPOOL_OK;
    }
    // SAFETY: a handle, by the caller.
    let mut owned = unsafe { bytes.take() };
    data.write(ptr::null_mut());
    // SAFETY: null or a pool, by the caller.
    let made = match unsafe { pool_at(pool) } {
        Ok(pool) => owned.make_mut_in(pool),
        Err(_) => owned.make_mut(),
    };
    let result = made
        .map(|writable| _ = data.write(writable.as_mut_ptr()))
        .map_err(tierpool_error::from)
        .into();
    *bytes = tierpool_bytes::from_rust(owned);
    result
}

/// Appends `len` bytes. While nobody shares the buffer and they fit into its slot, in place; else
/// the bytes move first, into a slot of `pool`, or, if that is null, of the pool that they lie in.
/// `data` may point into `bytes` itself, and to what lies beside them in their slot.
///
/// Interrupt handler: yes. Cost: the copy; if the bytes move, an allocation, a release and a copy
/// besides.
///
/// # Errors
/// `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NO_POOL`, `TIERPOOL_NULL`; the handle is
/// unchanged.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference; `pool` is null or from `tierpool_init`;
/// `len` bytes at `data` are valid to read.
///
/// ```c
/// tierpool_bytes frame = {0}; // no bytes, of no pool
/// if (tierpool_bytes_append(&frame, pool, received, length) == TIERPOOL_OK) {
///     tierpool_bytes_append(&frame, NULL, frame.data, frame.len); // twice as long
/// }
/// tierpool_bytes_release(&frame);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_append(
    bytes: *mut tierpool_bytes,
    pool: *mut tierpool_pool,
    data: *const u8,
    len: usize,
) -> tierpool_error {
    // SAFETY: the caller's promises.
    unsafe { put(append, bytes, pool, data, len) }
}

/// Puts `len` bytes of C's to those of a handle.
///
/// # Safety
/// As `tierpool_bytes_append`.
#[inline(always)]
pub(crate) unsafe fn put(
    how: unsafe fn(Bytes, Option<&'static Pool>, *const u8, usize) -> Changed,
    bytes: *mut tierpool_bytes,
    pool: *mut tierpool_pool,
    data: *const u8,
    len: usize,
) -> tierpool_error {
    if len == 0 && !bytes.is_null() {
        return TIERPOOL_OK;
    }
    if data.is_null() {
        return TIERPOOL_NULL;
    }
    // SAFETY: the caller's promises.
    unsafe { change(bytes, pool, |bytes, pool| how(bytes, pool, data, len)) }
}

/// Takes the bytes out of a handle, and puts back what `how` makes of them.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference; `pool` is null or from `tierpool_init`.
#[inline(always)]
pub(crate) unsafe fn change(
    bytes: *mut tierpool_bytes,
    pool: *mut tierpool_pool,
    how: impl FnOnce(Bytes, Option<&'static Pool>) -> Changed,
) -> tierpool_error {
    // SAFETY: null or valid, by the caller.
    let Some(bytes) = (unsafe { bytes.as_mut() }) else { return TIERPOOL_NULL };
    // SAFETY: null or a pool; a handle, by the caller.
    let (pool, owned) = unsafe { (pool_at(pool).ok(), bytes.take()) };
    let (back, result) = how(owned, pool);
    *bytes = tierpool_bytes::from_rust(back);
    result.into()
}

/// What is left in the handle, and how it went.
pub(crate) type Changed = (Bytes, Result<(), tierpool_error>);

/// Appends where the bytes are, or else to a copy.
///
/// # Safety
/// `len` bytes at `data` are valid to read; they may lie anywhere in the buffer, too.
unsafe fn append(
    bytes: Bytes,
    pool: Option<&'static Pool>,
    data: *const u8,
    len: usize,
) -> Changed {
    in_place_or_copied(
        bytes,
        // SAFETY: the caller's promise.
        |bytes| unsafe { append_in_place(bytes, pool, data, len) },
        // SAFETY: as above.
        |bytes| unsafe { append_to_copy(bytes, pool, data, len) },
    )
}

/// Changes the bytes where they are, or else makes a changed copy. The reference is given up when
/// all has been read, which may lie in its slot.
pub(crate) fn in_place_or_copied(
    bytes: Bytes,
    in_place: impl Fn(Bytes) -> Result<Changed, Bytes>,
    copied: impl FnOnce(&Bytes) -> Result<Bytes, tierpool_error>,
) -> Changed {
    let bytes = match in_place(bytes) {
        Ok(changed) => return changed,
        Err(bytes) => bytes,
    };
    match copied(&bytes) {
        Ok(copy) => (copy, Ok(())),
        // The last other holder may have gone meanwhile, and then have taken the slot that the copy
        // did not get.
        Err(error) => in_place(bytes).unwrap_or_else(|bytes| (bytes, Err(error))),
    }
}

/// Room for `len` more bytes, which `pool` pays for, or else the buffer's own.
pub(crate) fn reserve(
    buffer: &mut BytesMut,
    pool: Option<&'static Pool>,
    len: usize,
) -> Result<(), AllocError> {
    match pool {
        Some(pool) => buffer.reserve_in(pool, len),
        None => buffer.reserve(len),
    }
}

/// Appends where the bytes are, or where they move to for want of room. What lies in their slot
/// moves along if it is part of them.
///
/// # Errors
/// The bytes themselves, if they are shared, or if a move might overwrite what lies beside them.
///
/// # Safety
/// `len` bytes at `data` are valid to read; they may lie anywhere in the buffer, too.
unsafe fn append_in_place(
    bytes: Bytes,
    pool: Option<&'static Pool>,
    data: *const u8,
    len: usize,
) -> Result<Changed, Bytes> {
    let mut buffer = alone(bytes)?;
    let (start, old) = (buffer.as_ptr().addr(), buffer.len());
    let (slot, end) = (start - buffer.headroom(), start + buffer.capacity());
    let offset = data.addr().wrapping_sub(start);
    let own = offset < old && len <= old - offset;
    let elsewhere = data.addr() >= end || data.addr().saturating_add(len) <= slot;
    if len > buffer.capacity() - old && !own && !elsewhere {
        return Err(buffer.freeze());
    }
    let result = reserve(&mut buffer, pool, len).map(|()| {
        let start = buffer.as_mut_ptr();
        // SAFETY: there is room for `len` bytes behind the old ones. The source has moved with
        // those, or has stayed where it was; it may reach into the room, so this copies as
        // `memmove` does.
        unsafe {
            let from = if own { start.add(offset).cast_const() } else { data };
            start.add(old).copy_from(from, len);
            buffer.set_len(old + len);
        }
    });
    Ok((buffer.freeze(), result.map_err(tierpool_error::from)))
}

/// The bytes and `len` more in a new buffer, of one allocation for both.
///
/// # Safety
/// `len` bytes at `data` are valid to read; they may lie in the buffer of `old`, too.
unsafe fn append_to_copy(
    old: &Bytes,
    pool: Option<&'static Pool>,
    data: *const u8,
    len: usize,
) -> Result<Bytes, tierpool_error> {
    let mut new = copy_with_room(old, pool, len)?;
    // SAFETY: the caller's promise; nobody writes them, since `old` is still there.
    new.extend_from_slice(unsafe { slice::from_raw_parts(data, len) })?;
    Ok(new.freeze())
}

/// The bytes in a new buffer, with room for `additional` more.
pub(crate) fn copy_with_room(
    bytes: &Bytes,
    pool: Option<&'static Pool>,
    additional: usize,
) -> Result<BytesMut, tierpool_error> {
    let mut new = none_of_the_same_pool(bytes)?;
    reserve(&mut new, pool, bytes.len().saturating_add(additional))?;
    new.extend_from_slice(bytes)?;
    Ok(new)
}

/// The bytes for writing, if no other handle shares them. Else the bytes themselves.
#[inline(always)]
pub(crate) fn alone(bytes: Bytes) -> Result<BytesMut, Bytes> {
    // Asked first: shared bytes of which there are none would be let go of, and with them what lies
    // beside them.
    if !bytes.is_unique() {
        return Err(bytes);
    }
    bytes.try_into_mut()
}

/// No bytes, of the same pool.
pub(crate) fn none_of_the_same_pool(bytes: &Bytes) -> Result<BytesMut, tierpool_error> {
    bytes.slice(..0)?.try_into_mut().map_err(|_| TIERPOOL_NO_POOL)
}

/// Moves the bytes into the smallest slot of `pool` that fits, if that holds less memory than now:
/// so that a 32-byte part does not pin a 1024-byte slot for hours.
///
/// Interrupt handler: yes. Cost: an allocation, the copy, a release; nothing if it would not help.
///
/// # Errors
/// `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NULL`; the handle is unchanged.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference; `pool` is null or from `tierpool_init`.
///
/// ```c
/// tierpool_bytes hash;
/// if (tierpool_bytes_slice(packet, 2, 16, &hash) == TIERPOOL_OK) {
///     tierpool_bytes_compact(&hash, pool);
///     tierpool_bytes_release(&hash);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_compact(
    bytes: *mut tierpool_bytes,
    pool: *mut tierpool_pool,
) -> tierpool_error {
    // SAFETY: null or valid, null or a pool, by the caller.
    let (Some(bytes), Ok(pool)) = (unsafe { (bytes.as_mut(), pool_at(pool)) }) else {
        return TIERPOOL_NULL;
    };
    // SAFETY: a handle, by the caller.
    let mut owned = unsafe { bytes.take() };
    let result = owned.compact_in(pool).map_err(tierpool_error::from).into();
    *bytes = tierpool_bytes::from_rust(owned);
    result
}
