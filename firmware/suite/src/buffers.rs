//! Buffers with canaries, as handles.

use crate::pattern::Key;
use crate::pools::{self, LARGEST, SMALL};
use harness::rng::Rng;
use tierpool::{Bytes, BytesMut};

/// A unique buffer, filled with `key` over its whole capacity.
pub fn filled(rng: &mut Rng, key: Key) -> Option<BytesMut> {
    let mut buffer = pools::count(SMALL.alloc(1 + rng.below(LARGEST) as usize))?;
    refill(&mut buffer, key);
    Some(buffer)
}

/// Fills the whole capacity again.
pub fn refill(buffer: &mut BytesMut, key: Key) {
    let capacity = buffer.capacity();
    assert!(buffer.resize(capacity, 0).is_ok(), "growing to the capacity needs no memory");
    key.fill(buffer);
}

/// A shared buffer that is still as `key` filled it.
pub struct Filled {
    pub bytes: Bytes,
    pub key: Key,
}

impl Filled {
    pub fn new(rng: &mut Rng, key: Key) -> Option<Self> {
        Some(Filled { bytes: filled(rng, key)?.freeze(), key })
    }

    #[track_caller]
    pub fn check(&self) {
        self.key.check(&self.bytes, 0);
    }
}

impl Clone for Filled {
    fn clone(&self) -> Self {
        Filled { bytes: self.bytes.clone(), key: self.key }
    }
}
