//! The pool as trouble asks for it.

use tierpool::Pool;
use tierpool_trouble::{Packets, StaticPool};
use trouble_host::PacketPool;

tierpool::pool! { static POOL = [64 x 3, 251 x 4]; }

struct Large;

impl StaticPool for Large {
    const MTU: usize = 200;

    fn pool() -> &'static Pool {
        &POOL
    }
}

struct TooLarge;

impl StaticPool for TooLarge {
    const MTU: usize = 252;

    fn pool() -> &'static Pool {
        &POOL
    }
}

#[test]
fn packets_are_zeros_and_as_long_as_the_mtu() {
    assert_eq!((Packets::<Large>::MTU, Packets::<Large>::capacity()), (200, 4));
    let mut held: Vec<_> = std::iter::from_fn(Packets::<Large>::allocate).collect();
    assert_eq!(held.len(), 4);
    for packet in &mut held {
        assert_eq!(packet.as_ref(), [0; 200]);
        packet.as_mut().fill(7);
    }
    assert!(Packets::<Large>::allocate().is_none());
    let buffer = held.pop().unwrap().into_inner();
    assert_eq!(buffer, [7; 200]);
    assert!(Packets::<Large>::allocate().is_none(), "the buffer keeps its slot");
    drop(buffer);
    assert_eq!(Packets::<Large>::allocate().unwrap().as_ref(), [0; 200], "and not what was there");
    drop(held);
    assert!(POOL.is_idle());

    assert_eq!(Packets::<TooLarge>::capacity(), 0);
    assert!(Packets::<TooLarge>::allocate().is_none());
}
