//! Where decisions come from.

/// A source of decisions.
pub trait Choices {
    /// A number below `n`, which is not 0.
    fn below(&mut self, n: usize) -> usize;

    /// True once in `n` times or so.
    fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }
}

/// The bytes of a fuzzer. Where they end, every decision is the first.
#[derive(Debug)]
pub struct Program<'a>(pub &'a [u8]);

impl Choices for Program<'_> {
    fn below(&mut self, n: usize) -> usize {
        let bytes = if n <= 256 { 1 } else { 2 };
        let (taken, rest) = self.0.split_at(bytes.min(self.0.len()));
        self.0 = rest;
        taken.iter().fold(0, |number, &byte| number << 8 | usize::from(byte)) % n
    }
}
