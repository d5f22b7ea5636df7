//! The one random number generator: xorshift with 64 bits, by Marsaglia. It multiplies nothing,
//! because some of the emulated processors do that by an exception.

use crate::choices::Choices;

/// A generator; equal seeds give equal sequences.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of a seed.
    pub const fn new(seed: u64) -> Self {
        // An odd multiplier keeps seeds apart; the state of xorshift must not be 0.
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
        Random(if state == 0 { 1 } else { state })
    }

    /// The next number.
    pub const fn u64(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`, which is not 0.
    pub const fn u32(&mut self, bound: u32) -> u32 {
        // The upper bits are the better ones.
        (self.u64() >> 32) as u32 % bound
    }

    /// Heads or tails.
    pub const fn bool(&mut self) -> bool {
        self.u32(2) == 0
    }
}

impl Choices for Random {
    fn below(&mut self, n: usize) -> usize {
        // A division of 64 bits is long on the boards.
        match u32::try_from(n) {
            Ok(n) => self.u32(n) as usize,
            Err(_) => (self.u64() % n as u64) as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_numbers_below_a_bound_are_as_frequent() {
        let (mut random, mut counts) = (Random::new(1), [0; 7]);
        (0..70_000).for_each(|_| counts[random.below(7)] += 1);
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
    }

    #[test]
    fn seeds_give_other_numbers() {
        let first = |seed| Random::new(seed).u64();
        assert!((0..1000).all(|seed| first(seed) != first(seed + 1)));
        assert_eq!(first(5), first(5));
    }
}
