//! Steps on a `BytesMut`.

use crate::held::{Owned, Raw, Shared, take};
use crate::pools;
use crate::worker::Worker;
use std::mem::MaybeUninit;
use tierpool::{AllocError, Error, Pool};
use tierpool_testkit::{Choices, Pattern};

/// The most bytes that are added in one go.
const MORE: usize = 200;

impl Worker {
    /// Who pays for another buffer: the buffer's own pool, or any.
    fn payer(&self, choices: &mut dyn Choices) -> Option<&'static Pool> {
        (choices.below(2) == 0).then(|| self.pool(choices).1.pool)
    }

    /// A step that may fail, and then has changed nothing.
    fn on_mut(
        &mut self,
        choices: &mut dyn Choices,
        step: impl FnOnce(&mut Owned, &mut dyn Choices) -> Result<(), AllocError>,
    ) -> Option<()> {
        let mut owned = take(&mut self.muts, choices)?;
        owned.check();
        let before = (owned.buffer.as_ptr(), owned.buffer.len());
        if step(&mut owned, choices).is_err() {
            assert_eq!(
                (owned.buffer.as_ptr(), owned.buffer.len()),
                before,
                "a failed call has moved the bytes"
            );
            self.refused();
        }
        owned.settle();
        owned.check();
        self.muts.push(owned);
        Some(())
    }

    pub(crate) fn extend(&mut self, choices: &mut dyn Choices) -> Option<()> {
        self.on_mut(choices, |Owned { place, buffer, .. }, choices| {
            let (len, mut more) = (choices.below(MORE), [0; MORE]);
            place.moved(buffer.len() as isize).fill(&mut more[..len]);
            if len == 1 {
                return buffer.push(more[0]);
            }
            buffer.extend_in_place(&more[..len]).or_else(|_| buffer.extend_from_slice(&more[..len]))
        })
    }

    pub(crate) fn extend_from_within(&mut self, choices: &mut dyn Choices) -> Option<()> {
        self.on_mut(choices, |Owned { place, buffer, .. }, choices| {
            let len = buffer.len();
            let from = choices.below(len + 1);
            let to = from + choices.below((len - from + 1).min(MORE));
            if let Err(error) = buffer.extend_from_within(from..to) {
                assert_ne!(error, Error::OutOfRange);
                return Err(AllocError::Exhausted); // or one that is counted in the same way
            }
            assert_eq!(buffer.len(), len + to - from);
            assert!(buffer[len..] == buffer[from..to], "not a copy of the part");
            place.moved(len as isize).fill(&mut buffer[len..]);
            Ok(())
        })
    }

    pub(crate) fn extend_in(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (_, payer) = self.pool(choices);
        self.on_mut(choices, |Owned { place, buffer, .. }, choices| {
            let (len, mut more) = (choices.below(MORE), [0; MORE]);
            place.moved(buffer.len() as isize).fill(&mut more[..len]);
            buffer.reserve_in(payer.pool, len)?;
            if len == 1 { buffer.push(more[0]) } else { buffer.extend_from_slice(&more[..len]) }
        })
    }

    /// Room is made on the way, so a buffer may have moved before the refusal; it still has its old
    /// bytes.
    pub(crate) fn extend_from_iter(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let mut owned = take(&mut self.muts, choices)?;
        let (len, more) = (owned.buffer.len(), choices.below(MORE));
        let bytes = owned.place.moved(len as isize).bytes().take(more);
        let result = match self.payer(choices) {
            None => owned.buffer.extend_from_iter(bytes),
            Some(payer) => owned
                .buffer
                .reserve_in(payer, more)
                .and_then(|()| owned.buffer.extend_from_iter(bytes)),
        };
        assert_eq!(owned.buffer.len(), if result.is_ok() { len + more } else { len });
        if result.is_err() {
            self.refused();
        }
        owned.settle();
        owned.check();
        self.muts.push(owned);
        Some(())
    }

    pub(crate) fn resize(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let payer = self.payer(choices);
        self.on_mut(choices, |Owned { place, buffer, .. }, choices| {
            let len = choices.below(1201);
            let old = buffer.len().min(len);
            if let Some(payer) = payer {
                buffer.reserve_in(payer, len.saturating_sub(buffer.len()))?;
            }
            buffer.resize(len, 0)?;
            place.moved(old as isize).fill(&mut buffer[old..]);
            Ok(())
        })
    }

    pub(crate) fn reserve(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let payer = self.payer(choices);
        self.on_mut(choices, |Owned { buffer, .. }, choices| {
            let back = choices.below(MORE);
            match payer {
                None => buffer.reserve(back)?,
                Some(payer) => buffer.reserve_in(payer, back)?,
            }
            assert!(buffer.capacity() - buffer.len() >= back);
            // Safe code may write there; what it does not count in, it leaves as it was.
            buffer.spare_capacity_mut()[..back].fill(MaybeUninit::new(0));
            Ok(())
        })
    }

    /// In place, or not at all.
    pub(crate) fn try_reclaim(&mut self, choices: &mut dyn Choices) -> Option<()> {
        self.on_mut(choices, |Owned { buffer, .. }, choices| {
            let (more, whole) = (choices.below(MORE), (buffer.footprint(), buffer.len()));
            let made = buffer.try_reclaim(more);
            assert!(
                made == (buffer.capacity() - buffer.len() >= more)
                    && whole == (buffer.footprint(), buffer.len())
            );
            Ok(())
        })
    }

    pub(crate) fn reserve_front(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let payer = self.payer(choices);
        self.on_mut(choices, |Owned { buffer, .. }, choices| {
            let front = choices.below(64);
            match payer {
                None => buffer.reserve_front(front)?,
                Some(payer) => buffer.reserve_front_in(payer, front)?,
            }
            assert!(buffer.headroom() >= front);
            Ok(())
        })
    }

    pub(crate) fn truncate_mut(&mut self, choices: &mut dyn Choices) -> Option<()> {
        self.on_mut(choices, |Owned { buffer, .. }, choices| {
            match choices.below(buffer.len() + 1) {
                0 => buffer.clear(),
                len => buffer.truncate(len),
            }
            Ok(())
        })
    }

    pub(crate) fn prepend(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let payer = self.payer(choices);
        self.on_mut(choices, |Owned { place, buffer, .. }, choices| {
            let (len, mut more) = (choices.below(64), [0; 64]);
            let front = place.moved(-(len as isize));
            front.fill(&mut more[..len]);
            if let Some(payer) = payer {
                buffer.reserve_front_in(payer, len)?;
            }
            buffer.prepend(&more[..len])?;
            *place = front;
            Ok(())
        })
    }

    pub(crate) fn advance_mut(&mut self, choices: &mut dyn Choices) -> Option<()> {
        self.on_mut(choices, |Owned { place, buffer, .. }, choices| {
            let bytes = choices.below(buffer.len() + 1);
            buffer.advance(bytes).expect("so many are there");
            *place = place.moved(bytes as isize);
            Ok(())
        })
    }

    /// The whole slot again.
    pub(crate) fn reset(&mut self, choices: &mut dyn Choices) -> Option<()> {
        self.on_mut(choices, |Owned { place, buffer, .. }, choices| {
            if buffer.reset(choices.below(64)).is_ok() {
                *place = Pattern::fresh();
                buffer.resize(buffer.capacity(), 0).expect("there is room");
                place.fill(buffer);
            }
            Ok(())
        })
    }

    pub(crate) fn freeze(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let owned = take(&mut self.muts, choices)?;
        owned.check();
        let home = owned.home();
        // An empty handle may have no buffer, so it is not kept.
        if !owned.buffer.is_empty() {
            self.shared.push(Shared { place: owned.place, bytes: owned.buffer.freeze(), home });
        }
        Some(())
    }

    pub(crate) fn turn_raw(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let owned = take(&mut self.muts, choices)?;
        let (home, half, len) = (owned.home(), owned.is_half(), owned.buffer.len());
        if pools::owner(home).is_some_and(|tested| !tested.raw) {
            self.muts.push(owned);
            return None;
        }
        let (place, offset) = (owned.place, owned.buffer.as_ptr().addr() - home);
        match owned.buffer.into_raw() {
            Ok(slot) => self.raws.push(Raw::refilled(slot, place, offset..offset + len)),
            Err(buffer) => {
                assert!(half || !buffer.is_pooled(), "a whole slot can be raw");
                self.muts.push(Owned::half(place, buffer, home));
            }
        }
        Some(())
    }

    /// In two, each of which then goes its own way. One without bytes and room is not kept.
    pub(crate) fn split_mut(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let mut owned = take(&mut self.muts, choices)?;
        owned.check();
        let (len, home) = (owned.buffer.len(), owned.home());
        let mut at = choices.below(len + 1);
        let (front, back) = match choices.below(3) {
            0 => {
                at = len;
                (owned.buffer.split(), owned.buffer)
            }
            1 => (owned.buffer.split_to(at).expect("so many are there"), owned.buffer),
            _ => {
                let back = owned.buffer.split_off(at).expect("so many are there");
                (owned.buffer, back)
            }
        };
        assert_eq!((front.len(), back.len()), (at, len - at));
        for (place, half) in [(owned.place, front), (owned.place.moved(at as isize), back)] {
            if half.footprint() > 0 {
                let half = Owned::half(place, half, home);
                half.check();
                self.muts.push(half);
            }
        }
        Some(())
    }

    /// Joins what follows in the same buffer, or else tries any other one.
    pub(crate) fn unsplit(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let mut owned = take(&mut self.muts, choices)?;
        let end = owned.buffer.as_ptr_range().end;
        let next = self.muts.iter().position(|back| {
            back.home() == owned.home() && back.is_half() && back.buffer.as_ptr() == end
        });
        let back = match next {
            Some(next) => Some(self.muts.swap_remove(next)),
            None => take(&mut self.muts, choices),
        };
        let Some(back) = back else {
            self.muts.push(owned);
            return None;
        };
        owned.check();
        back.check();
        let (len, home) = (owned.buffer.len(), back.home());
        match owned.buffer.unsplit(back.buffer) {
            // It lies elsewhere, and has taken the place of nothing, or was nothing.
            Ok(()) if next.is_none() && len == 0 && !owned.buffer.is_empty() => {
                owned = Owned::half(back.place, owned.buffer, home);
                owned.check();
            }
            Ok(()) => {
                owned.place = Pattern::fresh();
                owned.place.fill(&mut owned.buffer);
            }
            Err(buffer) => {
                self.muts.push(Owned::half(back.place, buffer, home));
                self.muts.last().into_iter().for_each(Owned::check);
            }
        }
        self.muts.push(owned);
        Some(())
    }

    pub(crate) fn drop_mut(&mut self, choices: &mut dyn Choices) -> Option<()> {
        take(&mut self.muts, choices)?.check();
        Some(())
    }
}
