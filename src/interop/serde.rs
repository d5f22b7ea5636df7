//! `serde`: handles as bytes, statistics as a map, and a pool as the seed that deserialises into
//! it.
//!
//! `Deserialize` has no way to name a pool, so the handles do not implement it. [`Pool`] is a
//! `DeserializeSeed` instead.

use core::fmt;
use serde_core::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde_core::ser::{Serialize, SerializeMap, Serializer};

use crate::buf::bytes::Bytes;
use crate::buf::bytes_mut::BytesMut;
use crate::pool::Pool;
use crate::pool::stats::{Stats, TierStats};

/// Serialises as bytes. A format that has bytes writes them as they are. Others (such as JSON)
/// write a list of numbers.
impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

/// As for [`Bytes`].
impl Serialize for BytesMut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

/// Copies bytes, a string or a list of numbers into a buffer of this pool. If the pool is
/// exhausted, that is an error of the deserialiser.
///
/// If the length of a list is not known (as in JSON), the list is read into the smallest slot, and
/// moves to each larger one as it grows. Each of these needs a free slot, or `spill`. In a pool
/// with a fallback, limit what you read, because a list that never ends grows there without a
/// limit.
///
/// In a structure that derives `Deserialize`, name the pool in a function:
///
/// ```
/// use serde::de::{Deserialize, DeserializeSeed, Deserializer};
/// use tierpool::Bytes;
///
/// tierpool::pool! { static RX = default; }
///
/// fn in_rx<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
///     Ok(RX.deserialize(from)?.freeze())
/// }
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Packet {
///     hops: u8,
///     #[serde(deserialize_with = "in_rx")]
///     payload: Bytes,
/// }
///
/// let packet: Packet = serde_json::from_str(r#"{ "hops": 3, "payload": [104, 105] }"#)?;
/// assert_eq!((&packet.payload[..], packet.payload.is_pooled()), (&b"hi"[..], true));
/// # Ok::<(), serde_json::Error>(())
/// ```
impl<'de> DeserializeSeed<'de> for &'static Pool {
    type Value = BytesMut;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<BytesMut, D::Error> {
        deserializer.deserialize_bytes(IntoPool(self))
    }
}

/// Takes bytes into this pool.
struct IntoPool(&'static Pool);

impl<'de> Visitor<'de> for IntoPool {
    type Value = BytesMut;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<BytesMut, E> {
        self.0.copy_from_slice(bytes).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<BytesMut, E> {
        self.visit_bytes(text.as_bytes())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<BytesMut, A::Error> {
        // The hint comes from the author of the input. So take at most what a tier has; the
        // remaining bytes must first arrive.
        let hint = list.size_hint().unwrap_or(0).min(self.0.largest_slot());
        let mut buffer = self.0.alloc(hint).map_err(A::Error::custom)?;
        while let Some(byte) = list.next_element()? {
            buffer.push(byte).map_err(A::Error::custom)?;
        }
        Ok(buffer)
    }
}

/// Serialises as a map from the names of the figures. `tiers` is a list of maps. With the feature
/// `names`, `name` is that of the pool, if it has one.
///
/// ```
/// tierpool::pool! { static POOL = [64 x 4]; }
/// let held = POOL.alloc(64).unwrap();
/// let json = serde_json::to_value(POOL.stats())?;
/// assert_eq!((&json["hits"], &json["tiers"][0]["in_use"]), (&1.into(), &1.into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
impl Serialize for Stats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[cfg(feature = "names")]
        let name = self.name;
        #[cfg(not(feature = "names"))]
        let name = None::<&str>;
        let entries = if name.is_some() { 13 } else { 12 };
        let mut map = serializer.serialize_map(Some(entries))?;
        if let Some(name) = name {
            map.serialize_entry("name", name)?;
        }
        map.serialize_entry("requests", &self.requests())?;
        map.serialize_entry("hits", &self.hits())?;
        map.serialize_entry("misses", &self.misses())?;
        map.serialize_entry("hit_permille", &self.hit_permille())?;
        map.serialize_entry("from_caches", &self.from_caches)?;
        map.serialize_entry("retries", &self.retries)?;
        map.serialize_entry("moved", &self.moved)?;
        map.serialize_entry("exhausted", &self.exhausted)?;
        map.serialize_entry("oversized", &self.oversized)?;
        map.serialize_entry("fallbacks", &self.fallbacks)?;
        map.serialize_entry("fallback_live", &self.fallback_live)?;
        map.serialize_entry("tiers", self.tiers())?;
        map.end()
    }
}

/// Serialises as a map from the names of the fields.
impl Serialize for TierStats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[cfg(feature = "reserve")]
        let reserve = (self.reserve.slots > 0).then_some(&self.reserve);
        #[cfg(not(feature = "reserve"))]
        let reserve = None::<&()>;
        let entries = if reserve.is_some() { 11 } else { 8 };
        let mut map = serializer.serialize_map(Some(entries))?;
        map.serialize_entry("size", &self.size)?;
        map.serialize_entry("slots", &self.slots)?;
        map.serialize_entry("in_use", &self.in_use)?;
        map.serialize_entry("cached", &self.cached)?;
        map.serialize_entry("peak", &self.peak)?;
        map.serialize_entry("served", &self.served)?;
        map.serialize_entry("missed", &self.missed)?;
        map.serialize_entry("exact", &self.exact)?;
        #[cfg(feature = "reserve")]
        if let Some(reserve) = reserve {
            map.serialize_entry("reserved", &reserve.slots)?;
            map.serialize_entry("reserved_in_use", &reserve.in_use)?;
            map.serialize_entry("reserved_served", &reserve.served)?;
        }
        map.end()
    }
}
