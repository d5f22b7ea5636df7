//! Canaries: every byte of a buffer tells whose it is.
//!
//! A key fills a buffer with a sequence that no other key gives: a byte of another owner, or one that stayed from
//! an earlier owner, is seen wherever it lies.

/// Who owns a buffer: a core and a number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Key(u32);

impl Key {
    /// The key of `core`'s `number`th buffer.
    pub fn new(core: usize, number: u32) -> Self {
        Key(number.wrapping_mul(2).wrapping_add(core as u32).wrapping_mul(0x9e37_79b9))
    }

    fn byte(self, at: usize) -> u8 {
        (self.0 >> (8 * (at & 3))) as u8 ^ at as u8
    }

    /// Fills the buffer.
    pub fn fill(self, buffer: &mut [u8]) {
        for (at, byte) in buffer.iter_mut().enumerate() {
            *byte = self.byte(at);
        }
    }

    /// Panics unless `part`, which starts at byte `offset` of the buffer, is as filled.
    #[track_caller]
    pub fn check(self, part: &[u8], offset: usize) {
        for (at, &byte) in part.iter().enumerate() {
            assert!(byte == self.byte(offset + at), "a slot's byte {} of {} was overwritten", offset + at, part.len());
        }
    }
}
