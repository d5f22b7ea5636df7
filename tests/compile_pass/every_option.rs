//! A crate under the strictest lints declares pools with every option, at module level and in
//! functions.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, missing_debug_implementations, unused, nonstandard_style)]

use tierpool::{Config, ObjectPool, Pool};

const MTU: usize = 500;
const DEPTH: usize = 8;

/// The radio.
pub mod radio {
    use crate::{DEPTH, MTU, woken};

    tierpool::pool! {
        /// Receive buffers that both cores share.
        ///
        /// Documented in two paragraphs.
        pub static RX = [256 x 16, 512 x {DEPTH + 1}, {MTU * 2} x DEPTH],
            align = 64, spill = 1, fallback = &tierpool::GlobalHeap, zero_on_free = true, on_free = woken, unsafe section = ".tierpool_test";
    }
    tierpool::pool! {
        /// Transmit buffers; the tiers and the options end with commas.
        pub(crate) static TX = [256 x 16, { MTU + 12 } x 16,], spill = 1,;
    }
    tierpool::pool! { pub(super) static SEEN = default, align = {16 * 4}; }
    tierpool::pool! { static OWN = [MTU x DEPTH]; }

    /// What the radio itself holds.
    pub fn own() -> &'static tierpool::Pool {
        &OWN
    }
}

/// Receipts.
pub static RECEIPTS: ObjectPool<[u8; 16], 8> = ObjectPool::new();

fn woken(_: &'static Pool) {}

fn in_a_function() -> usize {
    tierpool::pool! { static SCRATCH = [64 x 2, 64 x 2]; }
    SCRATCH.alloc(64).unwrap().capacity()
}

fn main() {
    const CONFIG: Config = Config::new(&[(64, 1)]).align(4).spill(0).zero_on_free(false).on_free(woken).fallback(&tierpool::GlobalHeap);
    let sizes = |pool: &Pool| pool.stats().tiers().iter().map(|tier| (tier.size, tier.slots)).collect::<Vec<_>>();
    assert_eq!(sizes(&radio::RX), [(256, 16), (512, 9), (1024, 8)]);
    assert_eq!(sizes(&radio::TX), [(256, 16), (512, 16)]);
    assert_eq!(sizes(&radio::SEEN), [(256, 16), (512, 16), (1024, 16)]);
    assert_eq!(sizes(radio::own()), [(500, 8)]);
    assert_eq!(in_a_function(), 64);
    assert!(radio::RX.alloc(MTU).is_ok() && radio::RX.zeroed(5000).is_ok());
    assert!(RECEIPTS.alloc([0; 16]).is_ok());
    assert_eq!(CONFIG.check(), Ok(()));
}
