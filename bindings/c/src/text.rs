//! Text into a buffer of the caller, as `snprintf` does: cut where it ends, always closed by a zero
//! byte.

use core::ffi::c_char;
use core::fmt::{self, Write};

/// Writes what fits, counts everything.
struct Cut {
    start: *mut u8,
    room: usize,
    len: usize,
}

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let left = self.room.saturating_sub(self.len);
        let fits = left.min(text.len());
        if fits > 0 {
            // SAFETY: `len + fits` is at most `room`, and the buffer has one byte more, by the
            // caller of `print`.
            unsafe { self.start.add(self.len).copy_from_nonoverlapping(text.as_ptr(), fits) };
        }
        self.len = self.len.saturating_add(text.len());
        Ok(())
    }
}

/// Returns the length of the whole text, without the zero byte: it was cut if that is not below
/// `bytes`.
///
/// # Safety
/// `text` is null, or `bytes` bytes there may be written.
pub(crate) unsafe fn print(text: *mut c_char, bytes: usize, what: fmt::Arguments<'_>) -> usize {
    let room = if text.is_null() { 0 } else { bytes.saturating_sub(1) };
    let mut cut = Cut { start: text.cast(), room, len: 0 };
    // `Cut` never fails, and what is printed here does not either.
    let _ = cut.write_fmt(what);
    if !text.is_null() && bytes > 0 {
        // SAFETY: at most `bytes - 1`.
        unsafe { text.add(cut.len.min(room)).write(0) };
    }
    cut.len
}
