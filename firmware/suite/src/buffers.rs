//! Buffers with canaries, as handles.

use crate::pools::{self, LARGEST, SMALL};
use tierpool::{Bytes, BytesMut};
use tierpool_testkit::{Choices, Pattern, Random};

/// A unique buffer, filled with `pattern` over its whole capacity.
pub fn filled(rng: &mut Random, pattern: Pattern) -> Option<BytesMut> {
    let mut buffer = pools::count(SMALL.alloc(1 + rng.below(LARGEST)))?;
    refill(&mut buffer, pattern);
    Some(buffer)
}

/// Fills the whole capacity again.
pub fn refill(buffer: &mut BytesMut, pattern: Pattern) {
    let capacity = buffer.capacity();
    assert!(buffer.resize(capacity, 0).is_ok(), "growing to the capacity needs no memory");
    pattern.fill(buffer);
}

/// A shared buffer that is still as `pattern` filled it.
pub struct Filled {
    pub bytes: Bytes,
    pub pattern: Pattern,
}

impl Filled {
    pub fn new(rng: &mut Random, pattern: Pattern) -> Option<Self> {
        Some(Filled { bytes: filled(rng, pattern)?.freeze(), pattern })
    }

    #[track_caller]
    pub fn check(&self) {
        self.pattern.check(&self.bytes);
    }
}

impl Clone for Filled {
    fn clone(&self) -> Self {
        Filled { bytes: self.bytes.clone(), pattern: self.pattern }
    }
}
