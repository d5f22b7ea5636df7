//! Contents that tell whether somebody else wrote into a buffer: an endless sequence of bytes for
//! each seed, of which a buffer holds a part.

/// Where in which sequence a buffer's first byte lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pattern {
    key: u32,
    at: u32,
}

impl Pattern {
    /// The beginning of the sequence of a seed. Seeds below 2^32 have sequences of their own.
    pub const fn new(seed: u64) -> Pattern {
        let folded = seed as u32 ^ ((seed >> 32) as u32).wrapping_mul(0x85eb_ca6b);
        Pattern { key: folded.wrapping_mul(0x9e37_79b9), at: 0 }
    }

    /// Further back, or in front with a negative distance.
    pub const fn moved(self, bytes: isize) -> Pattern {
        Pattern { at: self.at.wrapping_add(bytes as u32), ..self }
    }

    /// Four bytes of the key in turn, so that two sequences differ within any four bytes; and the
    /// upper byte of a product with an odd constant (Knuth), so that a part is not mistaken for
    /// another one.
    const fn byte(self, index: usize) -> u8 {
        let at = self.at.wrapping_add(index as u32);
        (self.key >> (8 * (at & 3))) as u8 ^ (at.wrapping_mul(0x9e37_79b9) >> 24) as u8
    }

    /// The sequence from there on.
    pub fn bytes(self) -> impl Iterator<Item = u8> {
        (0..).map(move |index| self.byte(index))
    }

    /// Fills a buffer with what belongs there.
    pub fn fill(self, bytes: &mut [u8]) {
        bytes.iter_mut().zip(self.bytes()).for_each(|(byte, own)| *byte = own);
    }

    /// Panics if a buffer holds anything else.
    #[track_caller]
    pub fn check(self, bytes: &[u8]) {
        for (index, &byte) in bytes.iter().enumerate() {
            let own = self.byte(index);
            assert!(
                byte == own,
                "damaged: a slot's byte {index} of {} at {:p} is {byte}, not {own}",
                bytes.len(),
                bytes.as_ptr()
            );
        }
    }
}

#[cfg(feature = "std")]
mod owned {
    use super::Pattern;
    use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

    impl Pattern {
        /// A sequence that nobody else has.
        pub fn fresh() -> Pattern {
            static SEEDS: AtomicU32 = AtomicU32::new(0);
            Pattern::new(SEEDS.fetch_add(1, Relaxed).into())
        }

        /// The first bytes of it.
        pub fn vec(self, len: usize) -> Vec<u8> {
            self.bytes().take(len).collect()
        }
    }

    /// `len` bytes that follow from `seed`. A shorter canary is the beginning of a longer one.
    pub fn canary(seed: u64, len: usize) -> Vec<u8> {
        Pattern::new(seed).vec(len)
    }

    /// Panics if `bytes` are not all the canary of `seed`.
    #[track_caller]
    pub fn check_canary(seed: u64, bytes: &[u8]) {
        Pattern::new(seed).check(bytes);
    }
}

#[cfg(feature = "std")]
pub use owned::{canary, check_canary};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_lies_where_the_whole_has_it() {
        let pattern = Pattern::new(7);
        let mut whole = [0; 300];
        pattern.fill(&mut whole);
        pattern.moved(100).check(&whole[100..]);
        pattern.moved(100).moved(-50).check(&whole[50..60]);
        whole[200] ^= 1;
        assert!(std::panic::catch_unwind(|| pattern.check(&whole)).is_err());
    }

    #[test]
    fn two_sequences_differ_within_four_bytes() {
        for seed in 0..2000 {
            let (one, other) = (canary(seed, 64), canary(seed + 1, 64));
            assert!(one.chunks(4).zip(other.chunks(4)).all(|(one, other)| one != other), "{seed}");
        }
    }

    #[test]
    fn no_part_is_like_another() {
        let whole = canary(1, 4096);
        let first = &whole[..16];
        assert!((1..4080).all(|at| whole[at..].iter().zip(first).any(|(one, other)| one != other)));
    }
}
