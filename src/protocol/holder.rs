//! Who holds a buffer: the words beside its state word that say so, with the feature `track`.
//!
//! ```text
//!   who      address of a `Location` | 0      the place in the code that allocated the buffer
//!            address of a `&str`     | 1      the mark that the program gave it
//!            null                             not known
//!   since    the number of requests that its list had served then, modulo 2^32
//! ```
//!
//! These words are for reports alone. The holder of a buffer writes them without an ordering, just
//! after it has taken the buffer. So a report may still show the last holder of a buffer that is
//! taken at this moment. What the address leads to lives for ever, so every report can be printed.

use core::fmt;
use core::panic::Location;
use core::ptr;

use crate::protocol::atomics::{AtomicPtr, AtomicU32, Relaxed, const_unless_loom};

/// Who holds a buffer, with the feature `track`.
///
/// `{}` prints `src/reassembly.rs:88`, or the text of the mark.
///
/// ```
/// use tierpool::Holder;
///
/// tierpool::pool! { static RX = [256 x 4]; }
/// let packet = RX.alloc(100)?;
/// let (line, here) = (line!() - 1, RX.held().next().unwrap().holder);
/// assert!(matches!(here, Holder::Place(place) if place.line() == line));
/// packet.mark(&"parked");
/// assert_eq!(RX.held().next().unwrap().holder, Holder::Mark("parked"));
/// # Ok::<(), tierpool::AllocError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Holder {
    /// The place in the code that has allocated the buffer, or has copied it last.
    Place(&'static Location<'static>),
    /// The mark of [`BytesMut::mark`](crate::BytesMut::mark) and its like.
    Mark(&'static str),
    /// Nothing has been written yet.
    Unknown,
}

/// Prints `src/reassembly.rs:88`, or the text of the mark.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Place(place) => write!(f, "{}:{}", place.file(), place.line()),
            Holder::Mark(text) => f.write_str(text),
            Holder::Unknown => f.write_str("?"),
        }
    }
}

/// The bit of an address that says that it leads to a mark.
const MARK: usize = 1;

// Neither address has this bit.
const _: () = assert!(align_of::<Location<'static>>() > MARK && align_of::<&str>() > MARK);

/// The words of one buffer. Zero at start.
#[derive(Debug)]
pub struct HolderCell {
    who: AtomicPtr<()>,
    since: AtomicU32,
}

impl HolderCell {
    const_unless_loom! {
        /// Nothing is known.
        pub(crate) fn new() -> Self {
            HolderCell { who: AtomicPtr::new(ptr::null_mut()), since: AtomicU32::new(0) }
        }
    }

    /// Notes who has taken the buffer, after so many requests.
    pub(crate) fn begin(&self, place: &'static Location<'static>, since: u32) {
        // Relaxed, both: for reports alone, see the module.
        self.who.store(ptr::from_ref(place).cast_mut().cast(), Relaxed);
        self.since.store(since, Relaxed);
    }

    /// Notes that somebody else has the buffer now.
    pub(crate) fn mark(&self, text: &'static &'static str) {
        let who = ptr::from_ref(text).cast_mut().cast::<()>();
        // Relaxed: for reports alone.
        self.who.store(who.map_addr(|address| address | MARK), Relaxed);
    }

    /// Who holds the buffer.
    pub(crate) fn holder(&self) -> Holder {
        // Relaxed: the address leads to a constant, or to a static that was there before it was
        // marked with.
        let who = self.who.load(Relaxed);
        if who.is_null() {
            return Holder::Unknown;
        }
        let address = who.map_addr(|address| address & !MARK);
        if who.addr() & MARK == 0 {
            // SAFETY: only `begin` stores addresses without the bit.
            Holder::Place(unsafe { &*address.cast() })
        } else {
            // SAFETY: only `mark` stores addresses with the bit.
            Holder::Mark(unsafe { *address.cast::<&'static str>() })
        }
    }

    /// The number of requests that its list had served, modulo 2^32.
    pub(crate) fn since(&self) -> u32 {
        // Relaxed: for reports alone.
        self.since.load(Relaxed)
    }
}

/// The number of fallback buffers of a pool that are listed.
const LISTED: usize = 32;

/// The fallback buffers that handles hold. A buffer of the fallback has no place of its own in the
/// pool, and its block goes away with its last handle. So what is known of it stands in a list, and
/// if the list is full, nowhere.
#[derive(Debug)]
pub struct Listed<const N: usize = LISTED>([Entry; N]);

/// One fallback buffer.
#[derive(Debug)]
pub struct Entry {
    /// The size of the buffer; 0 if the entry is free.
    size: AtomicU32,
    cell: HolderCell,
}

impl<const N: usize> Listed<N> {
    /// An empty list.
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Listed([const { Entry { size: AtomicU32::new(0), cell: HolderCell::new() } }; N])
    }

    /// An empty list.
    #[cfg(loom)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let entry = |_| Entry { size: AtomicU32::new(0), cell: HolderCell::new() };
        Listed(core::array::from_fn(entry))
    }

    /// Enters a buffer of this size. None if the list is full.
    pub fn enter(&self, size: usize) -> Option<&Entry> {
        let size = u32::try_from(size).unwrap_or(u32::MAX).max(1);
        // A compare-and-swap: two buffers must not share an entry, because the first drop would
        // strike out both.
        // Relaxed: the word orders nothing but itself.
        self.0.iter().find(|entry| entry.size.compare_exchange(0, size, Relaxed, Relaxed).is_ok())
    }

    /// The entries of the buffers that are held: their numbers, sizes and words.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, usize, &HolderCell)> {
        self.0.iter().enumerate().filter_map(|(number, entry)| {
            // Relaxed: this is a snapshot.
            let size = entry.size.load(Relaxed);
            (size != 0).then_some((number, size as usize, &entry.cell))
        })
    }

    /// For models: the number of entries.
    #[cfg(loom)]
    pub fn entered(&self) -> usize {
        self.iter().count()
    }
}

impl Entry {
    /// Who holds the buffer.
    pub(crate) fn cell(&self) -> &HolderCell {
        &self.cell
    }

    /// Strikes the buffer out. The caller has entered it, and does so once.
    pub fn strike_out(&self) {
        // Relaxed: the word orders nothing but itself.
        self.size.store(0, Relaxed);
    }
}
