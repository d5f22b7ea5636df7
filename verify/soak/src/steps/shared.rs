//! Steps on a `Bytes`.

use crate::held::{Owned, Shared, check_granted, take};
use crate::worker::Worker;
use tierpool::{AllocError, Pool};
use tierpool_testkit::{Choices, Pattern};

impl Shared {
    /// A part of it.
    fn part(&self, bytes: tierpool::Bytes, from: usize) -> Shared {
        Shared { place: self.place.moved(from as isize), bytes, home: self.home }
    }

    /// Writes it anew, whoever shares it: they must not see it.
    fn rewrite(&mut self, payer: Option<&'static Pool>) -> Result<(), AllocError> {
        let before = self.bytes.as_ptr();
        let bytes = match payer {
            None => self.bytes.make_mut()?,
            Some(pool) => self.bytes.make_mut_in(pool)?,
        };
        self.place = Pattern::fresh();
        self.place.fill(bytes);
        self.settle(before);
        Ok(())
    }

    /// A copy begins where its buffer does.
    fn settle(&mut self, before: *const u8) {
        if self.bytes.as_ptr() != before {
            self.home = self.bytes.as_ptr().addr();
            check_granted(self.home, self.bytes.footprint(), 0..self.bytes.len());
        }
    }
}

impl Worker {
    fn take_shared(&mut self, choices: &mut dyn Choices) -> Option<Shared> {
        let shared = take(&mut self.shared, choices)?;
        shared.check();
        Some(shared)
    }

    pub(crate) fn clone_one(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let shared = self.take_shared(choices)?;
        self.shared.push(shared.part(shared.bytes.clone(), 0));
        self.shared.push(shared);
        Some(())
    }

    pub(crate) fn slice(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let shared = self.take_shared(choices)?;
        let from = choices.below(shared.bytes.len());
        let to = from + 1 + choices.below(shared.bytes.len() - from);
        let part = match choices.below(3) {
            0 => shared.bytes.slice_clamped(from, to - from),
            1 => shared.bytes.slice_ref(&shared.bytes[from..to]).expect("a part of it"),
            _ => shared.bytes.slice(from..to).expect("a part of it"),
        };
        assert_eq!(part.len(), to - from);
        self.shared.push(shared.part(part, from));
        self.shared.push(shared);
        Some(())
    }

    /// In two, neither of them empty.
    pub(crate) fn split(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let mut front = self.take_shared(choices)?;
        if front.bytes.len() == 1 {
            self.shared.push(front);
            return None;
        }
        let at = 1 + choices.below(front.bytes.len() - 1);
        let back = if choices.below(2) == 0 {
            front.bytes.split_off(at).expect("within it")
        } else {
            let off = front.bytes.split_to(at).expect("within it");
            std::mem::replace(&mut front.bytes, off)
        };
        let back = front.part(back, at);
        self.shared.extend([front, back]);
        Some(())
    }

    pub(crate) fn shorten(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let mut shared = self.take_shared(choices)?;
        let bytes = choices.below(shared.bytes.len());
        if choices.below(2) == 0 {
            shared.bytes.advance(bytes).expect("so many are there");
            shared.place = shared.place.moved(bytes as isize);
        } else {
            shared.bytes.truncate(shared.bytes.len() - bytes);
        }
        self.shared.push(shared);
        Some(())
    }

    pub(crate) fn make_mut(&mut self, choices: &mut dyn Choices) -> Option<()> {
        self.write(choices, None)
    }

    pub(crate) fn make_mut_in(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (_, payer) = self.pool(choices);
        self.write(choices, Some(payer.pool))
    }

    fn write(&mut self, choices: &mut dyn Choices, payer: Option<&'static Pool>) -> Option<()> {
        let mut shared = self.take_shared(choices)?;
        if shared.rewrite(payer).is_err() {
            self.refused();
        }
        shared.check();
        self.shared.push(shared);
        Some(())
    }

    pub(crate) fn turn_mut(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let Shared { place, bytes, home } = self.take_shared(choices)?;
        let (way, payer, headroom) =
            (choices.below(4), self.pool(choices).1.pool, choices.below(64));
        let result = match way {
            0 | 1 => bytes.into_mut(),
            2 => bytes.into_mut_in(payer, headroom),
            _ => bytes.move_to(payer, headroom),
        };
        match result {
            Ok(buffer) => {
                let owned = Owned::new(place, buffer);
                if owned.home() != home {
                    owned.check_granted();
                }
                self.muts.push(owned);
            }
            Err(back) => {
                self.refused();
                place.check(&back.bytes);
                self.shared.push(Shared { place, bytes: back.bytes, home });
            }
        }
        Some(())
    }

    pub(crate) fn try_turn_mut(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let Shared { place, bytes, home } = self.take_shared(choices)?;
        // Others may let go of it meanwhile, but nobody else can share what is ours alone.
        let alone = bytes.is_unique();
        match bytes.try_into_mut() {
            Ok(buffer) => {
                let owned = Owned::new(place, buffer);
                assert_eq!(owned.home(), home);
                self.muts.push(owned);
            }
            Err(bytes) => {
                assert!(!alone, "the only handle is said to be shared");
                self.shared.push(Shared { place, bytes, home });
            }
        }
        Some(())
    }

    /// Into a smaller buffer if there is one.
    pub(crate) fn compact(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let mut shared = self.take_shared(choices)?;
        let before = shared.bytes.as_ptr();
        if shared.bytes.compact_in(self.pool(choices).1.pool).is_err() {
            self.refused();
        }
        shared.settle(before);
        shared.check();
        self.shared.push(shared);
        Some(())
    }

    pub(crate) fn drop_shared(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let mut shared = self.take_shared(choices)?;
        if choices.below(4) == 0 {
            shared.bytes.clear();
            assert!(shared.bytes.is_empty());
        }
        Some(())
    }
}
