//! Two audits of xarxa's packet pool (007 and 011), replayed: packets wait for the address of their
//! next hop, and hold every buffer of the one pool. The answer that would let them go needs a
//! buffer to arrive in. So nothing ever moves again, unless some buffers are kept for it.

use std::collections::VecDeque;
use tierpool::BytesMut;
use xarxa_driver::PacketBuf;

/// Where a network stack gets its packet buffers.
trait Source {
    type Buffer;
    /// For a packet that the program sends, which waits until the address of its next hop is known.
    fn to_send(&self) -> Option<Self::Buffer>;
    /// For a frame that the radio receives.
    fn to_receive(&self) -> Option<Self::Buffer>;
}

/// Packets that were sent within so many rounds. In each round, the program sends all that it can
/// get a buffer for, and the neighbour answers the request for its address again.
fn sent<S: Source>(source: &S, rounds: usize) -> usize {
    let (mut parked, mut sent) = (VecDeque::new(), 0);
    for _ in 0..rounds {
        parked.extend(std::iter::from_fn(|| source.to_send()));
        // The answer. Without a buffer, the radio drops it.
        if let Some(answer) = source.to_receive() {
            drop(answer);
            sent += parked.drain(..).count();
        }
    }
    sent
}

struct OnePool;

impl Source for OnePool {
    type Buffer = PacketBuf;

    fn to_send(&self) -> Option<PacketBuf> {
        PacketBuf::try_new()
    }

    fn to_receive(&self) -> Option<PacketBuf> {
        PacketBuf::try_new()
    }
}

tierpool::pool! { static PACKETS = [1514 x 12 + 4]; }

struct WithReserve;

impl Source for WithReserve {
    type Buffer = BytesMut;

    fn to_send(&self) -> Option<BytesMut> {
        PACKETS.alloc(1514).ok()
    }

    fn to_receive(&self) -> Option<BytesMut> {
        PACKETS.alloc_reserved(1514).ok()
    }
}

#[test]
fn a_pool_without_a_reserve_stalls() {
    assert_eq!(sent(&OnePool, 10), 0);
}

#[test]
fn a_pool_with_a_reserve_goes_on() {
    assert_eq!(sent(&WithReserve, 10), 10 * 12);
    assert!(PACKETS.is_idle());
}
