//! Handles and statistics through `serde`: what formats see, and what comes into a pool.
#![cfg(feature = "serde")]

use serde::de::value::{
    BorrowedBytesDeserializer, Error, SeqAccessDeserializer, SeqDeserializer, StrDeserializer,
};
use serde::de::{DeserializeSeed, IntoDeserializer, SeqAccess};
use serde_json::{Deserializer, json, to_string, to_value};
use tierpool::{Bytes, Config, Pool};
use tierpool_testkit::{Heap, assert_all_home, fresh_pool};

fn pool() -> &'static Pool {
    fresh_pool(&Config::new(&[(4, 2), (16, 2)])).unwrap()
}

#[test]
fn bytes_are_bytes() {
    let pool = pool();
    let buffer = pool.copy_from_slice(b"hi").unwrap();
    assert_eq!(to_string(&buffer).unwrap(), "[104,105]");
    assert_eq!(to_string(&Bytes::from_static(b"hi")).unwrap(), "[104,105]");

    let from_bytes = pool.deserialize(BorrowedBytesDeserializer::<Error>::new(b"hello")).unwrap();
    let from_text = pool.deserialize(StrDeserializer::<Error>::new("hello")).unwrap();
    assert_eq!(&from_bytes[..], &b"hello"[..]);
    assert_eq!(from_bytes.capacity(), 16);
    assert_eq!(&from_text[..], &b"hello"[..]);
    drop((buffer, from_bytes, from_text));
    assert_all_home(pool);
}

#[test]
fn a_list_grows_through_the_tiers() {
    let pool = pool();
    let mut json = Deserializer::from_str("[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]");
    let buffer = pool.deserialize(&mut json).unwrap();
    assert_eq!(&buffer[..], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9][..]);
    assert_eq!(buffer.capacity(), 16);
    let hinted =
        pool.deserialize(SeqDeserializer::<_, Error>::new([7_u8; 10].into_iter())).unwrap();
    assert_eq!(&hinted[..], &[7; 10][..], "the hint spares the small tier");
    assert_eq!(pool.stats().tiers()[0].served, 1, "the hint spares the small tier");
}

/// Three bytes that say they are more.
struct Boastful(u8);

impl<'de> SeqAccess<'de> for Boastful {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.0 += 1;
        (self.0 <= 3).then(|| seed.deserialize(self.0.into_deserializer())).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(usize::MAX / 4)
    }
}

#[test]
fn a_hint_is_believed_as_far_as_the_largest_tier() {
    static HEAP: Heap<true> = Heap::new();
    let pool = fresh_pool(&Config::new(&[(4, 2), (16, 2)]).fallback(&HEAP)).unwrap();
    let buffer = pool.deserialize(SeqAccessDeserializer::new(Boastful(0))).unwrap();
    assert_eq!(&buffer[..], &[1, 2, 3][..]);
    assert_eq!(buffer.capacity(), 16);
    assert!(buffer.is_pooled());
    assert_eq!(pool.stats().misses(), 0, "the heap was not asked for what nobody has sent");
    assert_eq!(HEAP.outstanding(), (0, 0), "the heap was not asked for what nobody has sent");
}

#[test]
fn what_does_not_fit_leaves_nothing_behind() {
    let pool = pool();
    let text =
        |json: &str| pool.deserialize(&mut Deserializer::from_str(json)).unwrap_err().to_string();
    assert!(
        text(&format!("{:?}", [1; 17]))
            .starts_with("request too large, or too strictly aligned, for every tier of the pool")
    );
    assert!(text(r#""seventeen letters""#).starts_with("request too large"));
    assert!(text("[1, 256]").starts_with("invalid value: integer `256`, expected u8"));
    assert!(text("{}").starts_with("invalid type: map, expected bytes"));
    let lying = vec![(); 1000].into_iter().map(|()| 1_u8);
    let error = pool.deserialize(SeqDeserializer::<_, Error>::new(lying)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "request too large, or too strictly aligned, for every tier of the pool; declare a larger tier, or a fallback"
    );
    let number: Result<_, Error> = pool.deserialize(5_u8.into_deserializer());
    assert!(number.is_err());
    assert_all_home(pool);
}

#[test]
fn statistics_are_a_map() {
    let pool = pool();
    let held = pool.alloc(4).unwrap();
    pool.alloc(100).unwrap_err();
    assert_eq!(
        to_value(pool.stats()).unwrap(),
        json!({
            "requests": 2, "hits": 1, "misses": 1, "hit_permille": 500, "from_caches": 0, "retries": 0, "moved": 0,
            "exhausted": 0, "oversized": 1, "fallbacks": 0, "fallback_live": 0,
            "tiers": [
                { "size": 4, "slots": 2, "in_use": 1, "cached": 0, "peak": 1, "served": 1, "missed": 0, "exact": true },
                { "size": 16, "slots": 2, "in_use": 0, "cached": 0, "peak": 0, "served": 0, "missed": 0, "exact": true },
            ],
        })
    );
    tierpool::pool! { static NAMED = [4 x 2]; }
    let name = cfg!(feature = "names").then_some("NAMED");
    assert_eq!(to_value(NAMED.stats()).unwrap().get("name").and_then(|name| name.as_str()), name);
    drop(held);
}
