//! The errors of requests, ranges and frees. After every error the caller still has all that it
//! had.

use core::fmt;

/// A request for memory that could not be served. Nothing has changed: the caller keeps what it
/// had.
///
/// The variants carry no data, so that a `Result` is no larger than a handle.
///
/// ```
/// use tierpool::AllocError;
///
/// tierpool::pool! { static POOL = [64 x 1]; }
/// let only = POOL.alloc(64)?;
/// assert_eq!(POOL.alloc(1).unwrap_err(), AllocError::Exhausted);
/// assert_eq!(POOL.alloc(65).unwrap_err(), AllocError::Oversized);
/// assert_eq!(tierpool::Bytes::from_static(b"flash").make_mut().unwrap_err(), AllocError::NoPool);
/// # Ok::<(), AllocError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AllocError {
    /// All slots that may serve the request are in use, or lie in caches
    /// ([`PoolCache`](crate::PoolCache)). There is no fallback, or it had no memory. (A slot also
    /// counts as in use if the context that frees it is suspended before its push.) At one moment
    /// of the request there was no free slot for it. It is worth trying again later.
    Exhausted,
    /// The request is larger than the largest tier, or asks for a stricter alignment than any tier
    /// has. There is no fallback, or it had no memory. It is also the error if headroom, rounding
    /// or growth makes a sum that overflows. To wait for a slot does not help.
    Oversized,
    /// The handle belongs to no pool, because it is static or empty.
    /// [`BytesMut::reserve_in`](crate::BytesMut::reserve_in) names a pool, and then the buffer
    /// belongs to that pool. Calls that copy have a form that ends with `_in`.
    NoPool,
    /// A [`ChainMut`](crate::ChainMut) has too few places for the slots that the bytes take, even
    /// for slots of the largest tier. To wait for a slot does not help.
    ChainFull,
}

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            AllocError::Exhausted => "pool exhausted: every slot that fits is in use; free some, wait, or declare more slots",
            AllocError::Oversized => {
                "request too large, or too strictly aligned, for every tier of the pool; declare a larger tier, or a fallback"
            }
            AllocError::NoPool => "the handle belongs to no pool: `reserve_in` names one, or the `_in` form of the call",
            AllocError::ChainFull => CHAIN_FULL,
        })
    }
}

impl core::error::Error for AllocError {}

/// The reason why the raw layer does not take a pointer back. The pool is intact, and so is the
/// memory at the pointer.
///
/// ```
/// use core::alloc::Layout;
/// use tierpool::FreeError;
///
/// tierpool::pool! { static POOL = [64 x 4]; }
/// let slot = POOL.allocate(Layout::new::<[u8; 64]>())?.cast::<u8>();
/// // SAFETY: nobody uses the slot any more.
/// unsafe {
///     assert_eq!(POOL.deallocate(slot.add(1)), Err(FreeError::Interior));
///     assert_eq!(POOL.deallocate(core::ptr::NonNull::dangling()), Err(FreeError::Foreign));
///     assert_eq!(POOL.deallocate(slot), Ok(()));
///     assert_eq!(POOL.deallocate(slot), Err(FreeError::NotAllocated));
/// }
/// # Ok::<(), tierpool::AllocError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FreeError {
    /// The pointer does not lie in this pool.
    Foreign,
    /// The pointer lies inside a slot, not at its start.
    Interior,
    /// The slot is not a raw allocation: it was freed already, or handles own it.
    NotAllocated,
}

impl fmt::Display for FreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            FreeError::Foreign => "the pointer does not lie in this pool",
            FreeError::Interior => "the pointer lies inside a slot, not at its start",
            FreeError::NotAllocated => {
                "the slot is not a raw allocation: freed already, or owned by handles"
            }
        })
    }
}

impl core::error::Error for FreeError {}

/// A range or a position lies beyond the bytes that there are. The handle is unchanged.
///
/// ```
/// let mut word = tierpool::Bytes::from_static(b"word");
/// assert_eq!(word.slice(2..5).unwrap_err(), tierpool::RangeError);
/// assert_eq!(word.advance(5), Err(tierpool::RangeError));
/// assert_eq!(word, "word");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RangeError;

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("the range goes beyond the bytes that there are")
    }
}

impl core::error::Error for RangeError {}

/// The error of a function that does several of these things: all errors of handles and requests
/// convert into it, for `?`.
///
/// ```
/// tierpool::pool! { static RX = default; }
/// tierpool::pool! { static TX = default, waiters = 4; }
///
/// async fn forward(frame: &[u8]) -> Result<tierpool::Bytes, tierpool::Error> {
///     let received = RX.copy_from_slice(frame)?.freeze();
///     let payload = received.slice(4..)?;
///     let mut out = TX.alloc_wait(payload.len() + 8).await?;
///     out.extend_from_slice(&payload)?;
///     Ok(out.freeze())
/// }
/// # let task = core::pin::pin!(forward(b"ab"));
/// # let cx = &mut core::task::Context::from_waker(core::task::Waker::noop());
/// # assert_eq!(core::future::Future::poll(task, cx), core::task::Poll::Ready(Err(tierpool::Error::OutOfRange)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// As [`AllocError::Exhausted`].
    Exhausted,
    /// As [`AllocError::Oversized`] or `WaitError::Oversized`.
    Oversized,
    /// As [`AllocError::NoPool`].
    NoPool,
    /// As [`RangeError`].
    OutOfRange,
    /// As `WaitError::TooManyWaiters`.
    TooManyWaiters,
    /// As `WaitError::TimedOut`.
    #[cfg(feature = "std")]
    TimedOut,
    /// As [`AllocError::ChainFull`] or [`ChainFull`](crate::ChainFull).
    ChainFull,
}

impl From<AllocError> for Error {
    fn from(error: AllocError) -> Self {
        match error {
            AllocError::Exhausted => Error::Exhausted,
            AllocError::Oversized => Error::Oversized,
            AllocError::NoPool => Error::NoPool,
            AllocError::ChainFull => Error::ChainFull,
        }
    }
}

impl From<RangeError> for Error {
    fn from(_: RangeError) -> Self {
        Error::OutOfRange
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Exhausted => AllocError::Exhausted.fmt(f),
            Error::Oversized => AllocError::Oversized.fmt(f),
            Error::NoPool => AllocError::NoPool.fmt(f),
            Error::OutOfRange => RangeError.fmt(f),
            Error::TooManyWaiters => f.pad(TOO_MANY_WAITERS),
            #[cfg(feature = "std")]
            Error::TimedOut => f.pad(TIMED_OUT),
            Error::ChainFull => f.pad(CHAIN_FULL),
        }
    }
}

/// The text of `WaitError::TooManyWaiters`.
pub(crate) const TOO_MANY_WAITERS: &str =
    "pool exhausted, and no place left to wait: declare the pool with more `waiters`";

/// The text of `WaitError::TimedOut`.
#[cfg(feature = "std")]
pub(crate) const TIMED_OUT: &str =
    "no buffer came back in time; wait longer, or declare more slots";

/// The text of [`AllocError::ChainFull`] and of [`ChainFull`](crate::ChainFull).
pub(crate) const CHAIN_FULL: &str =
    "every place of the chain is in use: declare it with more, or use larger slots";

impl core::error::Error for Error {}
