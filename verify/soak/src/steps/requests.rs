//! Steps that ask for a buffer, of a pool or by way of a cache.

use crate::held::{Owned, take};
use crate::pools::{POOLS, Tested, size};
use crate::worker::Worker;
use std::sync::atomic::Ordering::Relaxed;
use tierpool::{AllocError, BytesMut};
use tierpool_testkit::{Choices, Pattern};

/// The longest slice that is copied.
const SCRATCH: usize = 1200;

impl Worker {
    /// Keeps a buffer that was asked for, filled to `len`. After a refusal, waits for a slot, in
    /// the way of an interrupt handler: the hook will call.
    fn keep(&mut self, number: usize, len: usize, result: Result<BytesMut, AllocError>) {
        match result {
            Ok(buffer) => self.fill(buffer, len),
            Err(_) => {
                self.refused();
                let tested = &POOLS[number];
                let before = tested.woken.load(Relaxed);
                if tested.pool.arm_free_notify(len) {
                    self.waits[number] = Some(before);
                }
            }
        }
    }

    /// Keeps an empty buffer, filled to `len`.
    pub(crate) fn fill(&mut self, buffer: BytesMut, len: usize) {
        assert!(buffer.is_empty() && buffer.capacity() >= len);
        let mut owned = Owned::new(Pattern::fresh(), buffer);
        owned.check_granted();
        owned.buffer.resize(len, 0).expect("there is room");
        owned.place.fill(&mut owned.buffer);
        self.muts.push(owned);
    }

    /// Keeps a buffer that came full.
    fn keep_filled(&mut self, place: Pattern, result: Result<BytesMut, AllocError>) -> Option<()> {
        match result {
            Ok(buffer) => {
                let owned = Owned::new(place, buffer);
                owned.check_granted();
                self.muts.push(owned);
            }
            Err(_) => self.refused(),
        }
        Some(())
    }

    /// A pool, its number, and a size to ask it for.
    fn request(&self, choices: &mut dyn Choices) -> (usize, &'static Tested, usize) {
        let (number, tested) = self.pool(choices);
        (number, tested, size(choices, tested))
    }

    // ---- from a pool

    pub(crate) fn alloc(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (number, tested, size) = self.request(choices);
        self.keep(number, size, tested.pool.alloc(size));
        Some(())
    }

    pub(crate) fn alloc_pooled(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (number, tested, size) = self.request(choices);
        let result = tested.pool.alloc_pooled(size);
        assert!(result.as_ref().is_ok_and(BytesMut::is_pooled) || result.is_err());
        self.keep(number, size, result);
        Some(())
    }

    pub(crate) fn alloc_reserved(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (number, tested, size) = self.request(choices);
        self.keep(number, size, tested.pool.alloc_reserved(size));
        Some(())
    }

    pub(crate) fn alloc_with_headroom(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (number, tested, size) = self.request(choices);
        let headroom = choices.below(100);
        let result = tested.pool.alloc_with_headroom(headroom, size);
        assert!(
            result.as_ref().is_ok_and(|buffer| buffer.headroom() >= headroom) || result.is_err()
        );
        self.keep(number, size, result);
        Some(())
    }

    pub(crate) fn zeroed(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (number, tested, size) = self.request(choices);
        let result = tested.pool.zeroed(size).map(|mut buffer| {
            assert!(buffer.iter().all(|&byte| byte == 0), "damaged: zeroed bytes are not zero");
            buffer.clear();
            buffer
        });
        self.keep(number, size, result);
        Some(())
    }

    pub(crate) fn copy_from_slice(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let ((_, tested), len) = (self.pool(choices), choices.below(SCRATCH));
        let (place, mut scratch) = (Pattern::fresh(), [0; SCRATCH]);
        place.fill(&mut scratch[..len]);
        let bytes = &scratch[..len];
        let result = match choices.below(2) {
            0 => tested.pool.copy_from_slice(bytes),
            _ => tested.pool.copy_with_headroom(choices.below(64), bytes),
        };
        self.keep_filled(place, result)
    }

    pub(crate) fn copy_from_iter(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let ((_, tested), len) = (self.pool(choices), choices.below(SCRATCH));
        let place = Pattern::fresh();
        self.keep_filled(place, tested.pool.copy_from_iter(place.bytes().take(len)))
    }

    // ---- through a cache

    pub(crate) fn cache_alloc(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (number, _, size) = self.request(choices);
        let cache = &mut self.caches[number];
        let result = match choices.below(8) {
            0 => cache.alloc_with_headroom(choices.below(100), size),
            1 => cache.zeroed(size).map(|mut buffer| {
                assert!(buffer.iter().all(|&byte| byte == 0), "damaged: zeroed bytes are not zero");
                buffer.clear();
                buffer
            }),
            2 => {
                let len = size.min(SCRATCH);
                let (place, mut scratch) = (Pattern::fresh(), [0; SCRATCH]);
                place.fill(&mut scratch[..len]);
                let result = cache.copy_from_slice(&scratch[..len]);
                return self.keep_filled(place, result);
            }
            _ => cache.alloc(size),
        };
        self.keep(number, size, result);
        Some(())
    }

    pub(crate) fn cache_alloc_pooled(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (number, _, size) = self.request(choices);
        let result = self.caches[number].alloc_pooled(size);
        self.keep(number, size, result);
        Some(())
    }

    /// Into any pool's cache: one of another pool drops it.
    pub(crate) fn cache_recycle(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let owned = choices.below(2) == 0;
        if owned {
            let owned = take(&mut self.muts, choices)?;
            let home = owned.home();
            let own = POOLS.iter().position(|tested| tested.pool.owns(home as *const u8));
            let number = own.filter(|_| !choices.once_in(8)).unwrap_or(choices.below(POOLS.len()));
            self.caches[number].recycle(owned.buffer);
        } else {
            let shared = take(&mut self.shared, choices)?;
            let number = choices.below(POOLS.len());
            self.caches[number].recycle(shared.bytes);
        }
        Some(())
    }

    pub(crate) fn cache_flush(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (number, _) = self.pool(choices);
        if choices.below(2) == 0 {
            self.caches[number].report();
            return Some(());
        }
        self.caches[number].flush();
        assert_eq!(self.caches[number].cached(), 0);
        Some(())
    }
}
