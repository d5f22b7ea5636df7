//! Buffers out of iterators, whether or not these know their length, and from pools that are too
//! small.

use tierpool::{AllocError, Bytes, Config};
use tierpool_testkit::{assert_all_home, fresh_pool};

#[test]
fn iterators_of_known_and_unknown_length() {
    let pool = fresh_pool(&Config::new(&[(16, 2), (64, 2)])).unwrap();
    let known = pool.copy_from_iter(0..40).unwrap();
    assert_eq!(known.capacity(), 64, "asked for once");
    assert_eq!(pool.stats().hits(), 1, "asked for once");
    let unknown = pool.copy_from_iter((0..80).filter(|byte| byte % 2 == 0)).unwrap();
    assert!(unknown.iter().copied().eq((0..80).step_by(2)));
    drop((known, unknown));
    assert_all_home(pool);
}

#[test]
fn an_iterator_that_does_not_fit_adds_nothing() {
    let pool = fresh_pool(&Config::new(&[(16, 1)])).unwrap();
    let mut buffer = pool.copy_from_slice(b"old").unwrap();
    let mut bytes = (0..20).filter(|_| true);
    assert_eq!(buffer.extend_from_iter(&mut bytes), Err(AllocError::Oversized));
    assert_eq!(&buffer[..], &b"old"[..], "13 fitted, and one more was taken");
    assert_eq!(bytes.next(), Some(14), "13 fitted, and one more was taken");
    assert_eq!(buffer.extend_from_iter(std::iter::repeat(0)), Err(AllocError::Oversized));
    assert_eq!(buffer.extend_from_iter(1..=13), Ok(()));
    assert_eq!(pool.copy_from_iter([1]).unwrap_err(), AllocError::Exhausted);
    let mut nowhere = Bytes::new().into_mut().unwrap();
    assert_eq!(nowhere.extend_from_iter([1]), Err(AllocError::NoPool));
    assert_eq!(nowhere.extend_from_iter([]), Ok(()));
    assert_eq!(nowhere.reserve_in(pool, 1), Err(AllocError::Exhausted));
    drop(buffer);
    nowhere.reserve_in(pool, 3).unwrap();
    nowhere.extend_from_iter(1..4).unwrap();
    assert_eq!(&nowhere[..], &[1, 2, 3][..]);
    assert!(nowhere.is_pooled());
    drop(nowhere);
    assert_all_home(pool);
}
