//! `defmt` 1: handles, errors and statistics as structured log arguments. The text stays on the
//! host.
//!
//! Errors print the names of their variants. The derive stands where they are defined.

use defmt::{Format, Formatter, write};

use crate::buf::bytes::Bytes;
use crate::buf::bytes_mut::BytesMut;
use crate::buf::chain::Chain;
use crate::buf::chain::full::ChainFull;
use crate::buf::chain_mut::ChainMut;
use crate::buf::copy_on_write::IntoMutError;
use crate::pool::stats::{Stats, TierStats};
use crate::pool::stats_text::approximately;

/// Prints a byte string literal: `b"GET /\r\n"`.
impl Format for Bytes {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=[u8]:a}", self);
    }
}

/// Prints a byte string literal: `b"GET /\r\n"`.
impl Format for BytesMut {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=[u8]:a}", self);
    }
}

/// Prints a byte string literal for each part: `[b"head", b"body"]`.
impl<const N: usize> Format for Chain<N> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=[?]}", self.parts());
    }
}

/// Prints a byte string literal for each part, also for the empty ones.
impl<const N: usize> Format for ChainMut<N> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=[?]}", self.parts());
    }
}

/// Prints `ChainFull`, and not the bytes.
impl Format for ChainFull {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "ChainFull");
    }
}

/// Prints only the error, as `Display` does, and not the bytes.
impl Format for IntoMutError {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{}", self.error);
    }
}

/// Prints the line that `Display` prints, but with the tiers as a list:
/// `requests=1 … hit_rate=100% [256=1/16, 512=0/16]`. With the feature `names`, the name stands in
/// front.
impl Format for Stats {
    fn format(&self, f: Formatter<'_>) {
        #[cfg(feature = "names")]
        if let Some(name) = self.name {
            write!(f, "{=str} ", name);
        }
        write!(
            f,
            "requests={=u64} hits={=u64} misses={=u64} fallbacks={=u64} hit_rate={=u32}% {=[?]}",
            self.requests(),
            self.hits(),
            self.misses(),
            self.fallbacks,
            self.hit_permille() / 10,
            self.tiers(),
        );
    }
}

/// Prints `256=1/16`: bytes per slot, slots in use, slots. Prints `256=~1/16` if the tier changed
/// while it was counted.
impl Format for TierStats {
    fn format(&self, f: Formatter<'_>) {
        write!(
            f,
            "{=usize}={=str}{=usize}/{=usize}",
            self.size,
            approximately(self),
            self.in_use,
            self.slots
        );
    }
}
