//! The one random number generator: xorshift, 32 bits.

/// A generator; equal seeds give equal sequences.
#[derive(Clone)]
pub struct Rng(u32);

impl Rng {
    /// A generator for one of several `streams` of a seed.
    pub const fn new(seed: u32, stream: u32) -> Self {
        // An odd multiplier keeps seeds apart; the state of xorshift must not be 0.
        let state = seed.wrapping_mul(0x9e37_79b9) ^ stream.wrapping_mul(0x85eb_ca6b) ^ 0x2545_f491;
        Rng(if state == 0 { 1 } else { state })
    }

    /// The next number.
    pub fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        // The low bits of xorshift are the weaker ones.
        (self.next() >> 4) % bound
    }
}
