//! The bytes that are sent: reproducible, so that the receiver knows them.

/// Bytes that follow from a seed.
pub struct Stream {
    random: fastrand::Rng,
    position: u64,
    spoiled: Option<u64>,
}

impl Stream {
    /// As [`next`](Self::next) would have it, but for the byte at `spoiled`.
    pub fn new(seed: u64, spoiled: Option<u64>) -> Stream {
        Stream { random: fastrand::Rng::with_seed(seed), position: 0, spoiled }
    }

    /// Bytes so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    fn next(&mut self) -> u8 {
        let byte = self.random.u8(..) ^ u8::from(self.spoiled == Some(self.position));
        self.position += 1;
        byte
    }

    /// The next bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.next());
    }

    /// Where `bytes` differ from the next ones, for the first time.
    pub fn check(&mut self, bytes: &[u8]) -> Option<u64> {
        let start = self.position;
        let wrong = bytes.iter().enumerate().filter(|&(_, &byte)| byte != self.next());
        wrong.map(|(index, _)| start + index as u64).reduce(|first, _| first)
    }
}
