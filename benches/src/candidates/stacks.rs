//! The packet pools of two network stacks. Each has one size, chosen when the stack is built.
//!
//! | pool | a free packet is found by | a packet has |
//! |---|---|---|
//! | `PacketBuf` of `xarxa-driver` | a search in a bit set, one compare-and-swap | 1514 bytes, as they were left |
//! | the default pool of `trouble-host` | a search in an array, in a critical section | 512 bytes, filled with zeros inside it |
//!
//! On a host a critical section is that of `critical-section`'s feature `std`: a mutex of `std` that
//! a thread may take again. On a chip it masks interrupts.

use crate::opaque::opaque;

use trouble_host::PacketPool;
use trouble_host::prelude::DefaultPacketPool;
use xarxa_driver::PacketBuf;

use super::{Candidate, Kind, SLOT, SLOTS};

pub const XARXA: &str = "xarxa PacketBuf";
pub const TROUBLE: &str = "trouble's default pool";

// As many packets as each other pool has slots, and not shorter. Features say so (`Cargo.toml`); a
// program that is built with others must not be measured.
const _: () = assert!(xarxa_driver::config::PACKET_BUF_COUNT == SLOTS);
const _: () = assert!(xarxa_driver::config::PACKET_BUF_SIZE >= SLOT);
const _: () = assert!(<DefaultPacketPool as PacketPool>::MTU == SLOT);

pub fn pairs() -> Vec<Candidate> {
    assert_eq!(DefaultPacketPool::capacity(), SLOTS);
    vec![
        Candidate::new(XARXA, Kind::TypedOrCounted, |work| {
            work.repeat(|| drop(opaque(PacketBuf::try_new().expect("a free packet"))))
        }),
        Candidate::new(TROUBLE, Kind::Locked, |work| {
            work.repeat(|| drop(opaque(DefaultPacketPool::allocate().expect("a free packet"))))
        }),
    ]
}
