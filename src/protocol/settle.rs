//! Words that several contexts build at the same time, without a lock: each writes the same values.
//!
//! ```text
//!   word    0 ──settle──► value     each word changes once; who comes later finds the value there
//!   place   0 ──publish─► pointer   stored by everybody who has settled all words
//! ```
//!
//! The words are constants once they are settled, and are then read by plain loads. That is no data
//! race. A word is written at most once: by the first context that comes to it. A context that
//! publishes has settled or seen each word, so the writes of all words have happened before. After
//! that, a context that is late only fails to swap, which is a load. A word whose value is zero is
//! never written.
//!
//! Nobody waits. An interrupt handler that comes in the middle settles the rest by itself, and the
//! context that it has interrupted finds all words there.

use core::ptr;

use crate::protocol::atomics::{Acquire, AtomicPtr, Relaxed, Release};

/// Makes a word that was zero at start `value`, unless it has that value. All contexts bring the
/// same value.
pub fn settle(word: &AtomicPtr<()>, value: *mut ()) {
    if !value.is_null() {
        // Release: pairs with the load below, of whoever comes later.
        // Relaxed: where it fails, the load below acquires.
        if word.compare_exchange(ptr::null_mut(), value, Release, Relaxed).is_err() {
            // Acquire: pairs with the swap above. The write of the word comes before our `publish`.
            word.load(Acquire);
        }
    }
}

/// Publishes what the caller has settled.
pub fn publish<T>(place: &AtomicPtr<T>, settled: *mut T) {
    // Release: pairs with the Acquire of `published`: its caller sees all settled words.
    place.store(settled, Release);
}

/// What has been published: null if nothing has.
#[inline(always)]
pub fn published<T>(place: &AtomicPtr<T>) -> *mut T {
    // Acquire: pairs with the Release of `publish`.
    place.load(Acquire)
}

/// For models: words, and the place that tells that they are settled.
#[cfg(loom)]
#[derive(Debug)]
pub struct Words {
    words: [AtomicPtr<()>; 2],
    place: AtomicPtr<()>,
}

#[cfg(loom)]
impl Words {
    /// Words of zero.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let word = || AtomicPtr::new(ptr::null_mut());
        Words { words: [word(), word()], place: word() }
    }

    /// The words, by plain loads. They are settled first, unless that has been published.
    pub fn get(&self) -> [usize; 2] {
        let values = [ptr::without_provenance_mut(8), ptr::without_provenance_mut(16)];
        if published(&self.place).is_null() {
            self.words.iter().zip(values).for_each(|(word, value)| settle(word, value));
            publish(&self.place, values[0]);
        }
        // SAFETY: the module says why no write of a word comes later, or at the same time. Loom
        // looks.
        self.words.each_ref().map(|word| unsafe { word.unsync_load() }.addr())
    }
}
