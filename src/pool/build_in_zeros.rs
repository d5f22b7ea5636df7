//! A pool of C that needs no init call: whoever uses it first builds it, and nobody waits.
//!
//! ```text
//!   heads, counters, state words   zero at start, and a fresh pool is zero: nothing to write
//!   descriptors                    an image on the stack ─settle─► word by word, each written once
//! ```
//!
//! Several contexts may build the same pool at the same time, on several cores or one within the
//! other. `protocol/settle.rs` says why that is no race.

use core::mem::{MaybeUninit, offset_of};
use core::ptr::NonNull;
use core::slice;

use crate::pool::Pool;
use crate::pool::build::{self, PoolStorage, SlotState};
use crate::pool::config::Config;
use crate::pool::config_error::ConfigError;
use crate::pool::fallback::Fallback;
use crate::pool::notify::FreeHook;
use crate::pool::pool_state::PoolState;
#[cfg(feature = "reserve")]
use crate::pool::reserve::LowHook;
use crate::pool::tier::Tier;
use crate::protocol::atomics::AtomicPtr;
use crate::protocol::free_list::HeadCell;
use crate::protocol::settle;

const WORD: usize = size_of::<*mut ()>();

// What `zeros` leaves out is zero, and no word of an image is padding.
const _: () = {
    // SAFETY: the compiler evaluates this, and refuses what is no value.
    let fallback: Option<&'static dyn Fallback> = unsafe { MaybeUninit::zeroed().assume_init() };
    assert!(fallback.is_none());
    #[cfg(feature = "names")]
    {
        // SAFETY: as above.
        let name: Option<&'static str> = unsafe { MaybeUninit::zeroed().assume_init() };
        assert!(name.is_none());
    }
    // A list has two pointers and two numbers, a tier a list, two pointers and four numbers.
    assert!(size_of::<Tier>() == 4 * WORD + 6 * size_of::<u32>());
    assert!(size_of::<Option<FreeHook>>() == 2 * WORD);
    #[cfg(feature = "reserve")]
    assert!(size_of::<Option<LowHook>>() == 2 * WORD);
    assert!(size_of::<Pool>().is_multiple_of(WORD) && align_of::<Pool>() == WORD);
};

/// The first word of no hook, which is the tag.
const NO_HOOK: *mut () = {
    let none: Option<FreeHook> = None;
    // SAFETY: `FreeHook` begins with its tag, and its `None` is a value that no tag has. If it were
    // not so, the compiler would read a word that is not there, and refuse.
    core::ptr::without_provenance_mut(unsafe { (&raw const none).cast::<usize>().read() })
};

/// As [`NO_HOOK`], of the other hook.
#[cfg(feature = "reserve")]
const NO_LOW_HOOK: *mut () = {
    let none: Option<LowHook> = None;
    // SAFETY: as above.
    core::ptr::without_provenance_mut(unsafe { (&raw const none).cast::<usize>().read() })
};

/// Where the parts of a [`PoolStorage`] lie, in bytes.
#[derive(Debug)]
pub struct StorageParts {
    /// Room for so many lists.
    lists: usize,
    heads: usize,
    tiers: usize,
    words: usize,
    pool: usize,
}

impl<const LISTS: usize> PoolStorage<LISTS> {
    /// Where its parts lie, for the C interface.
    #[doc(hidden)]
    pub const PARTS: StorageParts = StorageParts {
        lists: LISTS,
        heads: offset_of!(Self, heads),
        tiers: offset_of!(Self, tiers),
        words: offset_of!(Self, words),
        pool: offset_of!(Self, pool),
    };
}

impl Pool {
    /// The pool in memory that was all zero when the program started: built now, or found there.
    /// For the C interface.
    ///
    /// May be called at any time, in any context, and in several at once. Cost: one
    /// compare-and-swap a word of the descriptors.
    ///
    /// # Errors
    /// A wrong geometry, or payload too short or misaligned.
    ///
    /// # Safety
    /// `states` are as many as `config` asks for. They, `place` and `payload` live for ever and
    /// belong to this pool alone. The states and the place were zero at start. All calls for one
    /// place bring the same `config`, states and payload; it has no name.
    #[doc(hidden)]
    pub unsafe fn in_zeros<const LISTS: usize>(
        config: &Config<'_>,
        states: NonNull<SlotState>,
        payload: NonNull<[MaybeUninit<u8>]>,
        place: NonNull<PoolStorage<LISTS>>,
    ) -> Result<&'static Pool, ConfigError> {
        // SAFETY: the caller's promises.
        unsafe {
            Pool::in_zeros_at(config, states, payload, place.cast(), &PoolStorage::<LISTS>::PARTS)
        }
    }

    /// As [`in_zeros`](Self::in_zeros), for storage of any size, which shares the code.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Safety
    /// As there; `parts` are those of the storage at `place`.
    #[doc(hidden)]
    pub unsafe fn in_zeros_at(
        config: &Config<'_>,
        states: NonNull<SlotState>,
        payload: NonNull<[MaybeUninit<u8>]>,
        place: NonNull<u8>,
        parts: &StorageParts,
    ) -> Result<&'static Pool, ConfigError> {
        build::check_parts(config, parts.lists, config.slots(), payload.as_ptr())?;
        let place = place.as_ptr();
        // SAFETY: the caller's promises. Heads and words are zero or in use, and so valid to be
        // shared. Tiers and pool are accessed by atomic operations until they are settled, and then
        // only read.
        unsafe {
            let tiers = place.add(parts.tiers).cast::<Tier>();
            let pool = place.add(parts.pool).cast::<Pool>();
            let heads = place.add(parts.heads).cast::<HeadCell>();
            for k in 0..config.lists() {
                let this = NonNull::new_unchecked(pool);
                let tier =
                    build::tier(config, k, &*heads.add(k), states.cast(), payload.cast(), this);
                settle_words(tiers.add(k), &raw const tier);
            }
            // All tiers are settled: this context has written or seen each word.
            let tiers = slice::from_raw_parts(tiers, config.lists());
            let image =
                image(&build::pool(config, tiers, &*place.add(parts.words).cast::<PoolState>()));
            settle_words(pool, image.as_ptr());
            Ok(&*pool)
        }
    }
}

impl Pool {
    /// The pool that `made` tells of, or else the one that `build` makes. For the C interface.
    ///
    /// As [`in_zeros`](Self::in_zeros), may be called at any time. Cost: one load, then that of
    /// `build`.
    ///
    /// # Errors
    /// Those of `build`; the next call then builds again.
    ///
    /// # Safety
    /// `made` was null at start, lives for ever, and only this function accesses it. Every call for
    /// it builds the same pool.
    #[doc(hidden)]
    #[inline]
    pub unsafe fn once<E>(
        made: NonNull<*mut Pool>,
        build: impl FnOnce() -> Result<&'static Pool, E>,
    ) -> Result<&'static Pool, E> {
        // SAFETY: valid for ever, and accessed by atomic operations alone.
        let made = unsafe { AtomicPtr::from_ptr(made.as_ptr()) };
        // SAFETY: null, or a pool that lives for ever.
        if let Some(pool) = unsafe { settle::published(made).as_ref() } {
            return Ok(pool);
        }
        let pool = build()?;
        settle::publish(made, core::ptr::from_ref(pool).cast_mut());
        Ok(pool)
    }
}

/// The words of a pool, without padding: what lies between the fields is zero, and so is what the
/// C interface leaves empty.
fn image(made: &Pool) -> MaybeUninit<Pool> {
    let mut image = MaybeUninit::<Pool>::zeroed();
    let to = image.as_mut_ptr();
    // SAFETY: fields of the image, one by one, so that what lies between them stays zero.
    unsafe {
        (&raw mut (*to).tiers).write(made.tiers);
        #[cfg(feature = "reserve")]
        (&raw mut (*to).reserves).write(made.reserves);
        (&raw mut (*to).state).write(made.state);
        (&raw mut (*to).initial_state).write(made.initial_state);
        (&raw mut (*to).spill).write(made.spill);
        (&raw mut (*to).align).write(made.align);
        (&raw mut (*to).headroom_align).write(made.headroom_align);
        (&raw mut (*to).fallback).write(made.fallback);
        match made.on_free {
            Some(_) => (&raw mut (*to).on_free).write(made.on_free),
            None => (&raw mut (*to).on_free).cast::<*mut ()>().write(NO_HOOK),
        }
        #[cfg(feature = "reserve")]
        match made.on_low {
            Some(_) => (&raw mut (*to).on_low).write(made.on_low),
            None => (&raw mut (*to).on_low).cast::<*mut ()>().write(NO_LOW_HOOK),
        }
        #[cfg(feature = "lanes")]
        (&raw mut (*to).lanes).write(made.lanes);
        #[cfg(feature = "wait")]
        (&raw mut (*to).waiters).write(made.waiters);
    }
    image
}

/// Settles all words of a value.
///
/// # Safety
/// `image` has no padding, and `place` is as [`Pool::in_zeros`] asks.
unsafe fn settle_words<T>(place: *mut T, image: *const T) {
    for k in 0..size_of::<T>() / WORD {
        // SAFETY: words of both. A word of two numbers is a pointer without provenance.
        unsafe {
            let value = image.cast::<*mut ()>().add(k).read();
            settle::settle(AtomicPtr::from_ptr(place.cast::<*mut ()>().add(k)), value);
        }
    }
}
