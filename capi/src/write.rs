//! Writing to shared bytes: they are copied while another handle shares them, and may change their place.

use core::ptr;

use tierpool::{BytesMut, Pool};

use crate::bytes::tierpool_bytes;
use crate::error::tierpool_error::{self, *};
use crate::init::{pool_at, tierpool_pool};
use crate::out;

/// The bytes for writing: `*data` is where they are, and good until the next call on this handle. Copied first while
/// another handle shares them, or if they are static, so `bytes->data` may change: into `pool`, or, if that is null, into the
/// pool that they lie in; and no more than these bytes.
///
/// Interrupt handler: yes. Cost: one atomic load; with a copy an allocation and a release besides.
///
/// # Errors
/// `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NO_POOL`, `TIERPOOL_NULL`; the handle is unchanged, and `*data` null.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference; `pool` is null or from `tierpool_init`; `data` is null or valid to
/// write.
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
    let (Some(bytes), Some(data)) = (unsafe { (bytes.as_mut(), out(data)) }) else { return TIERPOOL_NULL };
    data.write(ptr::null_mut());
    // SAFETY: a handle, by the caller.
    let mut owned = unsafe { bytes.take() };
    // SAFETY: null or a pool, by the caller.
    let made = match unsafe { pool_at(pool) } {
        Ok(pool) => owned.make_mut_in(pool),
        Err(_) => owned.make_mut(),
    };
    let result = made.map(|writable| _ = data.write(writable.as_mut_ptr())).map_err(tierpool_error::from).into();
    *bytes = tierpool_bytes::from_rust(owned);
    result
}

/// Appends `len` bytes. While nobody shares the buffer and they fit into its slot, in place; else the bytes move first, into
/// a slot of `pool`, or, if that is null, of the pool that they lie in. `data` may point into `bytes` itself.
///
/// Interrupt handler: yes. Cost: the copy; if the bytes move, up to two allocations, releases and copies besides.
///
/// # Errors
/// `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NO_POOL`, `TIERPOOL_NULL`; the bytes are the same, at another place
/// possibly.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference; `pool` is null or from `tierpool_init`; `len` bytes at `data` are
/// valid to read.
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
    // SAFETY: null or valid, by the caller.
    let Some(bytes) = (unsafe { bytes.as_mut() }) else { return TIERPOOL_NULL };
    if len == 0 {
        return TIERPOOL_OK;
    }
    if data.is_null() {
        return TIERPOOL_NULL;
    }
    let offset = data.addr().wrapping_sub(bytes.data.addr());
    let own = (!bytes.data.is_null() && offset < bytes.len).then_some(offset);
    // SAFETY: null or a pool; a handle, by the caller.
    let (pool, owned) = unsafe { (pool_at(pool).ok(), bytes.take()) };
    let unique = match pool {
        Some(pool) => owned.into_mut_in(pool, 0),
        None => owned.into_mut(),
    };
    let (back, result) = match unique {
        Ok(mut buffer) => {
            // SAFETY: `len` bytes at `data`, or at that place of the buffer itself, by the caller.
            let result = unsafe { append(&mut buffer, pool, data, own, len) };
            (buffer.freeze(), result)
        }
        Err(error) => (error.bytes, Err(error.error.into())),
    };
    *bytes = tierpool_bytes::from_rust(back);
    result.into()
}

/// Appends `len` bytes at `data`; if that was part of the buffer's own bytes, from where they are when there is room.
///
/// # Safety
/// `len` bytes at `data` are valid to read, or, with `own`, that many bytes of the buffer from there.
unsafe fn append(
    buffer: &mut BytesMut,
    pool: Option<&'static Pool>,
    data: *const u8,
    own: Option<usize>,
    len: usize,
) -> Result<(), tierpool_error> {
    match pool {
        Some(pool) => buffer.reserve_in(pool, len)?,
        None => buffer.reserve(len)?,
    }
    let old = buffer.len();
    let start = buffer.as_mut_ptr();
    // SAFETY: there is room for `len` bytes behind the old ones; the source lies in those, or in other memory.
    unsafe {
        let from = own.map_or(data, |offset| start.add(offset).cast_const());
        start.add(old).copy_from_nonoverlapping(from, len);
        buffer.set_len(old + len);
    }
    Ok(())
}

/// Moves the bytes into the smallest slot of `pool` that fits, if that holds less memory than now: so that a 32-byte part
/// does not pin a 1024-byte slot for hours.
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
pub unsafe extern "C" fn tierpool_bytes_compact(bytes: *mut tierpool_bytes, pool: *mut tierpool_pool) -> tierpool_error {
    // SAFETY: null or valid, null or a pool, by the caller.
    let (Some(bytes), Ok(pool)) = (unsafe { (bytes.as_mut(), pool_at(pool)) }) else { return TIERPOOL_NULL };
    // SAFETY: a handle, by the caller.
    let mut owned = unsafe { bytes.take() };
    let result = owned.compact_in(pool).map_err(tierpool_error::from).into();
    *bytes = tierpool_bytes::from_rust(owned);
    result
}
