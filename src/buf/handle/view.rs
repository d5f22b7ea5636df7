//! The bytes of the buffer that a handle shows. Only a slide moves bytes.
//!
//! ```text
//!   advance ─►├──── bytes ────┤◄─ truncate       either handle
//!   ◄─ retreat                  set_len ─►       one that writes, into room that it has
//!             ├ front ┼─ back ┤                  slice, split_to, split_off: a second handle on the same buffer
//!             ├ front ┤├ back ┤                  halve, join: the same for handles that write
//! ```

use core::mem;
use core::ops::{Bound, Range, RangeBounds};
use core::ptr;

use crate::buf::handle::Handle;
use crate::buf::handle::owner::Owner;
use crate::error::RangeError;
use crate::protocol::slot_state::StateWord;

impl Handle {
    /// Shortens the data to `len` bytes, if they are longer.
    #[inline(always)]
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Sets the length of the data.
    ///
    /// # Safety
    /// `len` bytes at the start of the data are initialised and lie within the capacity.
    #[inline(always)]
    pub(crate) unsafe fn set_len(&mut self, len: usize) {
        self.len = len;
    }

    /// Moves the start of the data forward. The bytes before it become headroom.
    #[inline]
    pub(crate) fn advance(&mut self, bytes: usize) -> Result<(), RangeError> {
        self.len = self.len.checked_sub(bytes).ok_or(RangeError)?;
        // SAFETY: the new start lies within the data, as just checked.
        self.ptr = unsafe { self.ptr.add(bytes) };
        Ok(())
    }

    /// Moves the start of empty data forward. `bytes` is at most the capacity.
    #[inline(always)]
    pub(crate) fn skip(&mut self, bytes: usize) {
        debug_assert!(self.len == 0 && bytes <= self.capacity());
        // SAFETY: the new start lies within the buffer, as the caller promises.
        self.ptr = unsafe { self.ptr.add(bytes) };
    }

    /// Moves the start of the data back into the headroom.
    ///
    /// # Safety
    /// `bytes` bytes in front of the data are headroom of this handle, and are initialised.
    pub(crate) unsafe fn retreat(&mut self, bytes: usize) {
        // SAFETY: the caller promises it.
        self.ptr = unsafe { self.ptr.sub(bytes) };
        self.len += bytes;
    }

    /// Moves the data within the buffer, so that `headroom` bytes lie in front of it.
    ///
    /// # Safety
    /// No other handle exists. `headroom + len` bytes lie within the buffer.
    pub(crate) unsafe fn slide(&mut self, headroom: usize) {
        let (base, _) = self.extent();
        // SAFETY: both ranges lie within the buffer, as the caller promises, and nothing else
        // accesses them.
        unsafe {
            let start = base.add(headroom);
            ptr::copy(self.as_mut_ptr(), start.as_ptr(), self.len);
            self.ptr = start;
        }
    }

    /// A part of the bytes. An empty part holds no slot, and keeps the address where it was cut.
    pub(crate) fn slice(&self, range: impl RangeBounds<usize>) -> Result<Self, RangeError> {
        let Range { start, end } = resolve(range, self.len)?;
        if start == end {
            return Ok(self.empty_at(start));
        }
        let mut part = self.share();
        part.truncate(end);
        part.advance(start)?;
        Ok(part)
    }

    /// Takes the first `at` bytes off; the rest stays. The buffer gets a second reference only if
    /// both parts have bytes.
    pub(crate) fn split_to(&mut self, at: usize) -> Result<Self, RangeError> {
        if at == self.len {
            let rest = self.empty_at(at);
            return Ok(mem::replace(self, rest));
        }
        let front = self.slice(..at)?;
        self.advance(at)?;
        Ok(front)
    }

    /// Takes the bytes from `at` off; the first `at` bytes stay.
    pub(crate) fn split_off(&mut self, at: usize) -> Result<Self, RangeError> {
        if at == 0 && self.len > 0 {
            let front = self.empty_at(0);
            return Ok(mem::replace(self, front));
        }
        let back = self.slice(at..)?;
        self.truncate(at);
        Ok(back)
    }

    // ---- halves

    /// Cuts a handle that writes in two, `at` bytes behind the start of the data: this one keeps what
    /// lies in front of the cut. Both hold the buffer, and neither has room on the side of the cut.
    /// `at` is at most the length.
    pub(crate) fn halve(&mut self, at: usize) -> Self {
        debug_assert!(at <= self.len);
        if let Some(state) = self.state() {
            state.halve();
        }
        // SAFETY: the address lies within the data or at their end, as the caller promises.
        let ptr = unsafe { self.ptr.add(at) };
        let back =
            Handle { ptr, len: self.len - at, owner: self.owner.map(Owner::cut_before), ..*self };
        self.len = at;
        self.owner = self.owner.map(Owner::cut_behind);
        back
    }

    /// True if both are halves of one buffer, and the data of `back` begin where these end.
    pub(crate) fn ends_at(&self, back: &Handle) -> bool {
        self.ctl == back.ctl
            && self.owner.is_some_and(Owner::is_cut_behind)
            && back.owner.is_some_and(Owner::is_cut_before)
            && self.ptr.addr().get() + self.len == back.ptr.addr().get()
    }

    /// Takes the bytes and the room of a half that begins where this one ends. The caller then gives
    /// up the reference of `back`, and nothing is written by it.
    pub(crate) fn join(&mut self, back: &Handle) {
        debug_assert!(self.ends_at(back));
        self.len += back.len;
        self.owner = self.owner.zip(back.owner).map(|(front, back)| front.joined(back));
    }

    /// True if the handle, which writes, has the whole buffer: it is no half, or no other half
    /// exists any more. Then it gets all of it.
    pub(crate) fn take_whole(&mut self) -> bool {
        if !self.state().is_none_or(StateWord::take_whole) {
            return false;
        }
        self.owner = self.owner.map(Owner::unmarked);
        true
    }
}

/// The range as two numbers, if it lies within `len` bytes.
pub(crate) fn resolve(
    range: impl RangeBounds<usize>,
    len: usize,
) -> Result<Range<usize>, RangeError> {
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&start) => start.checked_add(1).ok_or(RangeError)?,
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&end) => end.checked_add(1).ok_or(RangeError)?,
        Bound::Excluded(&end) => end,
        Bound::Unbounded => len,
    };
    if start > end || end > len { Err(RangeError) } else { Ok(start..end) }
}
