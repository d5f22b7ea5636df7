//! Messages of postcard and minicbor, written into buffers.
#![cfg(all(feature = "postcard-1", feature = "minicbor-2"))]

use tierpool::{AllocError, ChainMut, Config, Pool};
use tierpool_testkit::{assert_all_home, canary, fresh_pool};

fn pool() -> &'static Pool {
    fresh_pool(&Config::new(&[(16, 4), (64, 2)])).unwrap()
}

type Message<'a> = (u32, &'a str, Option<i16>);
const MESSAGE: Message<'static> = (70_000, "a node", Some(-7));

#[test]
fn postcard_writes_as_into_a_vector() {
    let pool = pool();
    let expected = postcard::to_stdvec(&MESSAGE).unwrap();
    let behind = pool.copy_from_slice(b"header").unwrap();
    let message = postcard::serialize_with_flavor(&MESSAGE, behind).unwrap();
    assert_eq!(message, [&b"header"[..], &expected].concat());
    assert_eq!(postcard::from_bytes::<Message>(&message[6..]).unwrap(), MESSAGE);

    let grown = postcard::serialize_with_flavor(&canary(1, 40), pool.alloc(1).unwrap());
    assert_eq!(grown.unwrap(), postcard::to_stdvec(&canary(1, 40)).unwrap());
    drop(message);
    assert_all_home(pool);
}

#[test]
fn postcard_gets_an_error_and_the_slot_is_free() {
    let pool = pool();
    let full = postcard::serialize_with_flavor(&canary(1, 65), pool.alloc(16).unwrap());
    assert_eq!(full.unwrap_err(), postcard::Error::SerializeBufferFull);
    // One byte at a time.
    let bytes = [0_u8; 32].map(|byte| (byte, true));
    let held = [pool.alloc(64), pool.alloc(64)];
    let full = postcard::serialize_with_flavor(&bytes, pool.alloc(16).unwrap());
    assert_eq!(full.unwrap_err(), postcard::Error::SerializeBufferFull);
    drop(held);
    assert_all_home(pool);
}

#[test]
fn minicbor_writes_as_into_a_vector() {
    let pool = pool();
    let expected = minicbor::to_vec(MESSAGE).unwrap();
    let mut buffer = pool.alloc(32).unwrap();
    minicbor::encode(MESSAGE, &mut buffer).unwrap();
    assert_eq!(buffer, expected);
    assert_eq!(minicbor::decode::<Message>(&buffer).unwrap(), MESSAGE);

    let text = "a text of more than one slot of the smallest tier";
    let mut chain: ChainMut<4> = pool.alloc_chain(1).unwrap();
    minicbor::encode(text, &mut chain).unwrap();
    assert!(chain.parts().len() > 1);
    assert_eq!(chain.freeze(), minicbor::to_vec(text).unwrap());
    drop(buffer);
    assert_all_home(pool);
}

#[test]
fn minicbor_keeps_what_was_written_before_an_error() {
    let pool = pool();
    let mut buffer = pool.alloc(64).unwrap();
    let full = minicbor::encode((1, "x".repeat(64)), &mut buffer);
    assert_eq!(full.unwrap_err().as_write(), Some(&AllocError::Oversized));
    assert_eq!(buffer, [0x82, 1, 0x78, 64]);
}
