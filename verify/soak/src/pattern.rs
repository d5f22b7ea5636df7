//! Contents that tell whether somebody else wrote into a buffer: an endless sequence of bytes for each seed, of which a
//! buffer holds a part.

/// Where in which sequence a buffer's first byte lies.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Which sequence.
    pub seed: u64,
    /// Which byte of it.
    pub at: u64,
}

impl Place {
    /// Further back, or in front with a negative distance.
    pub fn moved(self, bytes: isize) -> Place {
        Place { at: self.at.wrapping_add_signed(bytes as i64), ..self }
    }

    fn byte(self, index: usize) -> u8 {
        // The upper bits of a product with an odd constant, by Knuth; the low bits repeat too soon.
        let number = self.seed.wrapping_add(self.at).wrapping_add(index as u64);
        (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
    }

    /// The sequence from there on.
    pub fn bytes(self) -> impl Iterator<Item = u8> {
        (0..).map(move |index| self.byte(index))
    }

    /// Fills a buffer with what belongs there.
    pub fn fill(self, bytes: &mut [u8]) {
        bytes.iter_mut().enumerate().for_each(|(index, byte)| *byte = self.byte(index));
    }

    /// Panics if a buffer holds anything else.
    #[track_caller]
    pub fn check(self, bytes: &[u8]) {
        if let Some(index) = (0..bytes.len()).find(|&index| bytes[index] != self.byte(index)) {
            panic!("damaged: byte {index} of {} at {:p} is {}, not {}", bytes.len(), bytes.as_ptr(), bytes[index], self.byte(index));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_lies_where_the_whole_has_it() {
        let place = Place { seed: 7, at: 0 };
        let mut whole = [0; 300];
        place.fill(&mut whole);
        place.moved(100).check(&whole[100..]);
        place.moved(100).moved(-50).check(&whole[50..60]);
        whole[200] ^= 1;
        assert!(std::panic::catch_unwind(|| place.check(&whole)).is_err());
    }
}
