//! A handle beside what it must hold.

use crate::pools::{Made, Slot};
use std::ffi::c_void;
use std::sync::Arc;
use tierpool_capi::bytes::{tierpool_bytes, tierpool_bytes_footprint, tierpool_bytes_is_unique};

/// What a released handle is.
pub const NONE: tierpool_bytes =
    tierpool_bytes { data: std::ptr::null(), len: 0, reserved: [std::ptr::null(); 2] };

/// All that a handle is.
pub type Words = (*const u8, usize, [*const c_void; 2]);

pub struct Held {
    pub handle: tierpool_bytes,
    pub bytes: Vec<u8>,
    /// The slot, shared as the handles share it. None: static bytes, or none.
    pub home: Option<Arc<Slot>>,
    /// Who pays where no pool is named.
    pub payer: Option<&'static Made>,
}

// SAFETY: different handles may be used by different threads.
unsafe impl Send for Held {}

impl Held {
    pub fn words(&self) -> Words {
        (self.handle.data, self.handle.len, self.handle.reserved)
    }

    /// Nobody else has the slot, as far as a worker alone knows.
    pub fn is_alone(&self) -> bool {
        self.home.as_ref().is_some_and(|home| Arc::strong_count(home) == 1)
    }

    pub fn size(&self) -> usize {
        self.home.as_ref().map_or(0, |home| home.1)
    }

    /// Notes in which slot the handle is after a call; the same as before unless it has moved.
    pub fn settle(&mut self, pool: Option<&'static Made>) -> bool {
        let slot = self
            .payer
            .into_iter()
            .chain(pool)
            .find_map(|made| made.slot_of(self.handle.data.addr()).map(|slot| (made, slot)));
        let (made, slot) = slot.expect("written bytes lie in a slot");
        if self.home.as_ref().is_some_and(|home| **home == slot) {
            return false;
        }
        (self.payer, self.home) = (Some(made), Some(Arc::new(slot)));
        true
    }

    /// The bytes are the model's and lie in their slot; if `alone` knows all handles, it is known
    /// who shares them.
    pub fn check(&self, alone: bool) {
        let handle = &self.handle;
        assert_eq!(handle.len, self.bytes.len());
        if handle.len > 0 {
            // SAFETY: the handle's bytes, which nobody writes while it is held.
            let bytes = unsafe { std::slice::from_raw_parts(handle.data, handle.len) };
            assert!(bytes == self.bytes, "the bytes of a handle are not the model's");
        }
        if let Some(home) = &self.home {
            assert!(
                (home.0..=home.0 + home.1 - handle.len).contains(&handle.data.addr()),
                "bytes beside their slot"
            );
        }
        // SAFETY: a handle that holds its reference.
        let (footprint, unique) =
            unsafe { (tierpool_bytes_footprint(handle), tierpool_bytes_is_unique(handle)) };
        assert_eq!(footprint, self.size());
        assert!(!alone || unique == self.is_alone(), "unique: {unique}");
    }
}
