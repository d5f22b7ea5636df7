//! A buffer that wipes itself leaves nothing in its slot, wherever in it the bytes were.
#![cfg(feature = "zeroize")]

use tierpool::{Bytes, Config};
use tierpool_testkit::{assert_all_home, fresh_pool};
use zeroize::Zeroize;

#[test]
fn the_whole_slot_is_wiped() {
    let pool = fresh_pool(&Config::new(&[(32, 1)])).unwrap();
    let mut secret = pool.alloc(32).unwrap();
    secret.resize(32, 0xAA).unwrap();
    secret.advance(8).unwrap();
    secret.truncate(10);
    secret.zeroize();
    assert!(secret.is_empty());
    secret.reset(0).unwrap();
    // SAFETY: all of the slot has been written.
    unsafe { secret.set_len(32) };
    assert_eq!(secret, [0; 32]);
    drop(secret);
    assert_all_home(pool);
    Bytes::new().try_into_mut().unwrap().zeroize();
}

#[test]
fn and_so_is_a_buffer_of_the_fallback() {
    static HEAP: tierpool_testkit::Heap<true> = tierpool_testkit::Heap::new();
    let pool = fresh_pool(&Config::new(&[(8, 1)]).fallback(&HEAP)).unwrap();
    let mut secret = pool.alloc(100).unwrap();
    secret.resize(secret.capacity(), 0xAA).unwrap();
    secret.zeroize();
    drop(secret);
    assert_eq!(HEAP.dirty(), 0);
    assert_eq!(HEAP.outstanding(), (0, 0));
}
