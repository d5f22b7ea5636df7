//! What a packet costs, of this crate's pool and of trouble's own, for callgrind:
//!
//! ```text
//!   cargo build --release --example cost -p tierpool-trouble
//!   valgrind --tool=callgrind --toggle-collect='cost::tierpool_packet' target/release/examples/cost 15
//! ```
//!
//! The argument is the number of packets, of 16, that are out. `cost::default_packet` is of
//! trouble's own.

use std::hint::black_box;

use tierpool::Pool;
use tierpool_trouble::{Packets, StaticPool};
use trouble_host::PacketPool;
use trouble_host::prelude::DefaultPacketPool;

tierpool::pool! { static BLE = [251 x 16]; }

struct Ble;

impl StaticPool for Ble {
    const MTU: usize = 251;

    fn pool() -> &'static Pool {
        &BLE
    }
}

/// A request and a drop.
#[inline(never)]
fn tierpool_packet() {
    drop(black_box(Packets::<Ble>::allocate()));
}

/// The same.
#[inline(never)]
fn default_packet() {
    drop(black_box(DefaultPacketPool::allocate()));
}

fn main() {
    let out = std::env::args().nth(1).map_or(0, |number| number.parse().expect("a number"));
    let _ours: Vec<_> = (0..out).map(|_| Packets::<Ble>::allocate()).collect();
    let _theirs: Vec<_> = (0..out).map(|_| DefaultPacketPool::allocate()).collect();
    for _ in 0..1000 {
        tierpool_packet();
        default_packet();
    }
}
