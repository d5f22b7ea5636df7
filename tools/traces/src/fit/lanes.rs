//! The lowest free number of an endless row, a bit each: as `ids.rs`, but made for many millions of
//! calls.

/// Bits of taken numbers; no word before `first` has a free one.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    taken: Vec<u64>,
    first: usize,
}

impl Lanes {
    /// Takes the lowest free number.
    pub(crate) fn take(&mut self) -> usize {
        while self.taken.get(self.first) == Some(&u64::MAX) {
            self.first += 1;
        }
        if self.first == self.taken.len() {
            self.taken.push(0);
        }
        let word = &mut self.taken[self.first];
        let bit = word.trailing_ones() as usize;
        *word |= 1 << bit;
        self.first * 64 + bit
    }

    /// Frees a taken number.
    pub(crate) fn give_back(&mut self, number: usize) {
        self.taken[number / 64] &= !(1 << (number % 64));
        self.first = self.first.min(number / 64);
    }
}

#[cfg(test)]
mod tests {
    use super::Lanes;

    #[test]
    fn the_lowest_comes_first() {
        let mut lanes = Lanes::default();
        for n in 0..200 {
            assert_eq!(lanes.take(), n);
        }
        for n in [130, 5, 63, 64] {
            lanes.give_back(n);
        }
        assert_eq!(
            [lanes.take(), lanes.take(), lanes.take(), lanes.take(), lanes.take()],
            [5, 63, 64, 130, 200]
        );
    }
}
