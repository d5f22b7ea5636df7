//! Sizes and counts are any constant expressions, under any names; a pool has any name.
#![forbid(unsafe_code)]
#![deny(warnings)]

const fn framed(payload: usize) -> usize {
    payload + 12
}

/// E0515 today: in a `const fn` the tier list is promoted only if it calls no function and has no
/// branch.
mod calls_and_branches {
    tierpool::pool! { pub static POOL = [{ size_of::<[u32; 8]>() } x { super::framed(4) }, { if cfg!(debug_assertions) { 64 } else { 64 } } x 2]; }
}

/// E0391/E0308 today: items of the expansion shadow the user's.
mod names {
    const PAYLOAD: usize = 100;
    const WORDS: usize = 4;
    fn config(_: &'static tierpool::Pool) {}
    tierpool::pool! { pub static POOL = [{ PAYLOAD + 28 } x WORDS], on_free = config; }
    tierpool::pool! { pub static TIERS = [64 x 2]; }
}

/// Several pools in one call; the last needs no semicolon.
mod several {
    tierpool::pool! {
        /// The first.
        pub static RX = [64 x 2], spill = 1;
        pub static TX = default;
        pub static LAST = [{ 16 * 2 } x 3,], align = 4
    }

    pub fn in_a_function() -> usize {
        tierpool::pool! { static A = [8 x 1]; static B = [16 x 1] }
        A.stats().tiers().len() + B.stats().tiers()[0].size
    }
}

fn main() {
    let sizes = |pool: &tierpool::Pool| pool.stats().tiers().iter().map(|tier| (tier.size, tier.slots)).collect::<Vec<_>>();
    assert_eq!(sizes(&calls_and_branches::POOL), [(32, 16), (64, 2)]);
    assert_eq!(sizes(&names::POOL), [(128, 4)]);
    assert_eq!(sizes(&names::TIERS), [(64, 2)]);
    assert_eq!(sizes(&several::RX), [(64, 2)]);
    assert_eq!(sizes(&several::TX), [(256, 16), (512, 16), (1024, 16)]);
    assert_eq!(sizes(&several::LAST), [(32, 3)]);
    assert_eq!(several::in_a_function(), 17);
}
