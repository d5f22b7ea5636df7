//! Names for live blocks: the lowest number not in use.

use std::collections::BTreeSet;

/// `0..named` have been given out at least once; those of them in `unused` name no block now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ids {
    named: u32,
    unused: BTreeSet<u32>,
}

impl Ids {
    /// The lowest ID not in use, now in use.
    pub(crate) fn take(&mut self) -> u32 {
        self.unused.pop_first().unwrap_or_else(|| {
            self.named += 1;
            self.named - 1
        })
    }

    /// Puts `id` out of use; `false` when it was not in use.
    pub(crate) fn give_back(&mut self, id: u32) -> bool {
        id < self.named && self.unused.insert(id)
    }

    /// How many different IDs were ever in use, which is the most that were in use at once.
    pub(crate) fn named(&self) -> usize {
        self.named as usize
    }
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn the_lowest_comes_first() {
        let mut ids = Ids::default();
        assert_eq!([ids.take(), ids.take(), ids.take()], [0, 1, 2]);
        assert!(ids.give_back(2) && ids.give_back(0));
        assert_eq!([ids.take(), ids.take(), ids.take()], [0, 2, 3]);
        assert_eq!(ids.named(), 4);
    }

    #[test]
    fn what_is_not_in_use_cannot_be_given_back() {
        let mut ids = Ids::default();
        assert!(!ids.give_back(0));
        let id = ids.take();
        assert!(ids.give_back(id));
        assert!(!ids.give_back(id));
    }
}
