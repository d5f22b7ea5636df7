//! Where a worker's decisions come from.

use crate::pools::Tested;

/// A source of decisions.
pub trait Choices {
    /// A number below `n`, which is not 0.
    fn below(&mut self, n: usize) -> usize;

    /// True once in `n` times or so.
    fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }
}

impl Choices for fastrand::Rng {
    fn below(&mut self, n: usize) -> usize {
        self.usize(..n)
    }
}

/// The bytes of a fuzzer. Where they end, every decision is the first.
pub struct Program<'a>(pub &'a [u8]);

impl Choices for Program<'_> {
    fn below(&mut self, n: usize) -> usize {
        let bytes = if n <= 256 { 1 } else { 2 };
        let (taken, rest) = self.0.split_at(bytes.min(self.0.len()));
        self.0 = rest;
        taken.iter().fold(0, |number, &byte| number << 8 | usize::from(byte)) % n
    }
}

/// A size in bytes: mostly what fits a tier of the pool, sometimes what fits none.
pub fn size(choices: &mut dyn Choices, tested: &Tested) -> usize {
    let largest = tested.tiers.last().map_or(0, |&(size, _)| size);
    match choices.below(16) {
        0..=7 => choices.below(largest.min(64) + 1),
        8..=14 => choices.below(largest + 1),
        _ => choices.below(5001),
    }
}
