//! Steps on a `BytesMut`: room at both ends, and what needs none.

use tierpool::RangeError;

use crate::model::ops::Grow;
use crate::model::world::{Held, World, take};

impl<const FREE_NOW: bool> World<FREE_NOW> {
    /// Room at either end: within the buffer if it suffices, else in a new one that the right side
    /// pays for.
    pub(crate) fn grow(&mut self, at: usize, how: Grow, amount: usize, payer: Option<usize>) {
        let Some(mut held) = take(&mut self.muts, at) else { return };
        let len = held.bytes.len();
        let amount = if let Grow::Push = how { 1 } else { amount };
        let (front, back) = match how {
            Grow::Reserve | Grow::Extend | Grow::Push => (0, amount),
            Grow::Resize => (0, amount.saturating_sub(len)),
            Grow::ReserveFront | Grow::Prepend => (amount, 0),
        };
        let data = match self.fresh(amount) {
            Some(data) => data,
            None if matches!(how, Grow::Extend | Grow::Prepend) => return self.muts.push(held),
            None => Vec::new(),
        };
        let fits = |[headroom, capacity]: [usize; 2]| front <= headroom && back <= capacity - len;
        if !fits(held.room()) {
            held.take_whole();
        }
        let ([headroom, capacity], start) = (held.room(), held.handle.as_ptr().addr());
        let stays = fits([headroom, capacity]);
        let rounded = self.rounded(held.payer, front);
        let slides = held.cut == [false; 2]
            && rounded
                .and_then(|front| front.checked_add(back))
                .is_some_and(|wanted| wanted <= held.size() - len);
        // A sum that overflows fits nowhere, so the model may ask for all there is.
        let needed = len.saturating_add(back);
        // The headroom moves along, unless no slot is free with it.
        let (payer_of_room, kept) = (payer.or(held.payer), front.max(headroom));
        let [with, without] =
            [kept, front].map(|front| self.request(payer_of_room, front, needed, held.is_sticky()));
        let with = with.filter(|request| request.tier.is_some());
        let keeps_headroom = with.is_some();
        let request = with.or(without);

        let handle = &mut held.handle;
        let result = match (how, payer.map(|payer| self.sides[payer].pool)) {
            (Grow::Reserve, None) => handle.reserve(back),
            (Grow::Reserve, Some(pool)) => handle.reserve_in(pool, back),
            (Grow::Extend, None) => handle.extend_from_slice(&data),
            (Grow::Push, None) => handle.push(data[0]),
            (Grow::Extend | Grow::Push, Some(pool)) => {
                handle.reserve_in(pool, data.len()).and_then(|()| handle.extend_from_slice(&data))
            }
            (Grow::Resize, None) => handle.resize(amount, 7),
            (Grow::Resize, Some(pool)) => handle
                .reserve_in(pool, amount.saturating_sub(len))
                .and_then(|()| handle.resize(amount, 7)),
            (Grow::ReserveFront, None) => handle.reserve_front(front),
            (Grow::ReserveFront, Some(pool)) => handle.reserve_front_in(pool, front),
            (Grow::Prepend, None) => handle.prepend(&data),
            (Grow::Prepend, Some(pool)) => {
                handle.reserve_front_in(pool, data.len()).and_then(|()| handle.prepend(&data))
            }
        };
        match result {
            Ok(()) => {
                match how {
                    Grow::Reserve => assert!(handle.capacity() - len >= back),
                    Grow::ReserveFront => assert!(handle.headroom() >= front),
                    Grow::Extend | Grow::Push => held.bytes.extend(data),
                    Grow::Resize => held.bytes.resize(amount, 7),
                    Grow::Prepend => drop(held.bytes.splice(..0, data)),
                }
                if stays {
                    let moved = if let Grow::Prepend = how { front } else { 0 };
                    assert_eq!(
                        handle.as_ptr().addr(),
                        start - moved,
                        "there was room, so nothing had to move"
                    );
                } else if !slides {
                    let left = if let Grow::Prepend = how { 0 } else { headroom };
                    assert!(!keeps_headroom || handle.headroom() >= left, "there was room for it");
                    held = self.settle(&request.expect("somebody paid"), held.handle, held.bytes);
                }
            }
            Err(error) => {
                assert!(!stays && !slides, "there was room: {error:?}");
                assert_eq!(handle.as_ptr().addr(), start);
                assert_eq!(handle.headroom(), headroom);
                assert_eq!(handle.capacity(), capacity);
                self.refused(request, error);
            }
        }
        self.muts.push(held);
    }

    /// Strips the front, which becomes headroom.
    pub(crate) fn advance_mut(&mut self, at: usize, bytes: usize) {
        let Some(mut held) = take(&mut self.muts, at) else { return };
        let start = held.handle.as_ptr().addr();
        match held.handle.advance(bytes) {
            Ok(()) => {
                drop(held.bytes.drain(..bytes));
                assert_eq!(held.handle.as_ptr().addr(), start + bytes);
            }
            Err(RangeError) => assert!(bytes > held.bytes.len()),
        }
        self.muts.push(held);
    }

    pub(crate) fn truncate_mut(&mut self, at: usize, len: usize) {
        let Some(mut held) = take(&mut self.muts, at) else { return };
        if len == 0 {
            held.handle.clear()
        } else {
            held.handle.truncate(len)
        }
        held.bytes.truncate(len);
        self.muts.push(held);
    }

    /// The whole slot again.
    pub(crate) fn reset(&mut self, at: usize, headroom: usize) {
        let Some(mut held) = take(&mut self.muts, at) else { return };
        let rounded = self.rounded(held.payer, headroom);
        match held.handle.reset(headroom) {
            Ok(()) => {
                held.bytes.clear();
                assert_eq!(Some(held.handle.headroom()), rounded);
                assert!(held.home.is_none() || held.is_unique(), "others have some of it");
                held.cut = [false; 2];
            }
            Err(RangeError) => assert!(
                rounded.is_none_or(|rounded| rounded > held.size())
                    || held.home.is_some() && !held.is_unique()
            ),
        }
        self.muts.push(held);
    }

    pub(crate) fn write_mut(&mut self, at: usize) {
        let Some(mut held) = take(&mut self.muts, at) else { return };
        held.handle.iter_mut().chain(&mut held.bytes).for_each(|byte| *byte = byte.wrapping_add(1));
        self.muts.push(held);
    }

    /// A bit copy: nothing moves.
    pub(crate) fn freeze(&mut self, at: usize) {
        let Some(held) = take(&mut self.muts, at) else { return };
        let Held { handle, bytes, home, payer, cut } = held;
        let start = handle.as_ptr();
        let handle = handle.freeze();
        assert_eq!(handle.as_ptr(), start);
        self.shared.push(Held { handle, bytes, home, payer, cut });
    }
}
