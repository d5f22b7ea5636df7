//! Halves: two [`BytesMut`] on one slot, each with bytes of its own.
//!
//! ```text
//!   one handle     ├─ headroom ─┼──── head|body ────┼─ spare ─┤
//!   split_to(4)    ├─ headroom ─┼ head ┤├─── body ──┼─ spare ─┤     two references, one count
//!   split          ├─ headroom ─┼──── head|body ───┤├─ spare ─┤
//!   drop(front)                        ├─── body ──┼─ spare ─┤     `reserve` finds the whole slot
//! ```
//!
//! | a half has | while another half lives | when it is the last one |
//! |---|---|---|
//! | headroom | if it is the first one: what was in front of the buffer | the slot in front of its data |
//! | room behind its data | if it is at the end: what was behind the buffer | the slot behind its data |
//!
//! A half does not store where its part of the slot ends. It stores in two bits which of its ends it
//! has lost (`handle/owner.rs`). So bytes that are cut off at such an end ([`BytesMut::truncate`],
//! [`BytesMut::advance`]) are nobody's room until the slot is whole again. To store more would take
//! another word in each handle.

use core::mem;

use crate::buf::bytes_mut::BytesMut;
use crate::error::RangeError;

impl BytesMut {
    /// Takes the first `at` bytes off and returns them. The rest stays. No byte is copied: both are
    /// *halves* of one buffer, and each can be written, frozen, sent to another core and dropped on
    /// its own.
    ///
    /// The front keeps the headroom, and the back keeps the room behind the data. Neither can grow
    /// where it meets the other. There [`prepend`](Self::prepend), [`reserve`](Self::reserve) and
    /// [`extend_from_slice`](Self::extend_from_slice) move its data to another buffer. When all other
    /// halves are gone, also as frozen [`Bytes`](crate::Bytes), these calls and
    /// [`try_reclaim`](Self::try_reclaim) find the whole buffer again. So a decoder fills one slot,
    /// splits frames off, and goes on with the rest.
    ///
    /// If `at` is 0 or there is nothing left behind `at`, one of the two holds no buffer: it is
    /// empty, and can grow in the same pool. (Of a buffer that is pool-only, it belongs to no pool.)
    ///
    /// Interrupt handler: yes. Cost: no atomic read-modify-write for a whole slot, one atomic
    /// addition for a half and for a buffer of the fallback.
    ///
    /// # Errors
    /// [`RangeError`] if there are fewer bytes. The buffer is unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut received = POOL.copy_from_slice(b"\x05hello\x05wor")?;
    /// let mut frame = received.split_to(6).unwrap();
    /// frame[1..].make_ascii_uppercase();
    /// let shared: tierpool::Bytes = frame.freeze(); // to another core
    /// received.extend_from_slice(b"ld")?; // the room behind the data is still here
    /// assert_eq!((&shared[1..], &received[1..]), (&b"HELLO"[..], &b"world"[..]));
    /// assert_eq!(POOL.stats().tiers()[0].in_use, 1);
    ///
    /// assert!(!received.try_reclaim(256 - 6));
    /// drop(shared);
    /// assert!(received.try_reclaim(256 - 6)); // the whole slot
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn split_to(&mut self, at: usize) -> Result<BytesMut, RangeError> {
        if at > self.len() {
            return Err(RangeError);
        }
        Ok(self.cut_front(at))
    }

    /// Takes the bytes from `at` off and returns them, with the room behind them. The first `at`
    /// bytes stay, with the headroom. Otherwise as [`split_to`](Self::split_to).
    ///
    /// If `at` is the length, the result is empty and has the room behind the data.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut head = POOL.copy_from_slice(b"headbody")?;
    /// let mut body = head.split_off(4).unwrap();
    /// head.make_ascii_uppercase();
    /// body.push(b'!')?;
    /// assert_eq!((&head[..], &body[..]), (&b"HEAD"[..], &b"body!"[..]));
    /// assert_eq!((head.capacity(), body.capacity()), (4, 252));
    /// assert!(head.split_off(5).is_err());
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn split_off(&mut self, at: usize) -> Result<BytesMut, RangeError> {
        if at > self.len() {
            return Err(RangeError);
        }
        if at == 0 {
            let front = BytesMut(self.0.empty_at(0));
            return Ok(mem::replace(self, front));
        }
        Ok(self.cut_back(at))
    }

    /// Takes all bytes off and returns them. The room behind them stays. It is
    /// [`split_to`](Self::split_to) of all bytes, with its cost.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut line = POOL.copy_from_slice(b"first")?;
    /// let first = line.split().freeze();
    /// line.extend_from_slice(b"second")?;
    /// assert_eq!((&first[..], &line[..]), (&b"first"[..], &b"second"[..]));
    /// assert_eq!(POOL.stats().tiers()[0].in_use, 1);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn split(&mut self) -> BytesMut {
        self.cut_front(self.len())
    }

    /// Joins `other` to the end of this buffer, if it begins there in the same slot: both are halves
    /// that were split there, and no byte has been cut off between them. No byte is copied.
    ///
    /// If this buffer is empty and `other` lies elsewhere, `other` takes its place. An empty `other`
    /// that lies elsewhere is dropped.
    ///
    /// Interrupt handler: yes. Cost: that of dropping a half, and one atomic load.
    ///
    /// # Errors
    /// `other`, if both have bytes that do not meet. This buffer is unchanged. To copy the bytes, call
    /// [`extend_from_slice`](Self::extend_from_slice).
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut frame = POOL.copy_from_slice(b"headbody")?;
    /// let body = frame.split_off(4).unwrap();
    /// frame.make_ascii_uppercase();
    /// frame.unsplit(body).unwrap();
    /// assert_eq!((&frame[..], frame.capacity()), (&b"HEADbody"[..], 256));
    ///
    /// let elsewhere = POOL.copy_from_slice(b"more")?;
    /// if let Err(more) = frame.unsplit(elsewhere) {
    ///     frame.extend_from_slice(&more)?;
    /// }
    /// assert_eq!(frame, "HEADbodymore");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn unsplit(&mut self, other: BytesMut) -> Result<(), BytesMut> {
        if self.0.ends_at(&other.0) {
            self.0.join(&other.0);
            drop(other);
            // If these two were all halves, the slot is a whole one again.
            self.0.take_whole();
        } else if self.is_empty() && !other.is_empty() {
            *self = other;
        } else if !other.is_empty() {
            return Err(other);
        }
        Ok(())
    }

    /// Takes the first `at` bytes off. There are so many.
    fn cut_front(&mut self, at: usize) -> BytesMut {
        if at == 0 {
            return BytesMut(self.0.empty_at(0));
        }
        let back = self.cut_back(at);
        mem::replace(self, back)
    }

    /// Takes off what lies behind the first `at` bytes. There are so many, and `at` is not 0.
    fn cut_back(&mut self, at: usize) -> BytesMut {
        // If nothing lies there, it needs no reference.
        let all = at == self.capacity();
        BytesMut(if all { self.0.empty_at(at) } else { self.0.halve(at) })
    }
}
