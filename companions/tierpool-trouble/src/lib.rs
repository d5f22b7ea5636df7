#![no_std]
#![doc = include_str!("../README.md")]

use core::marker::PhantomData;

use tierpool::{BytesMut, Pool};
use trouble_host::PacketPool;

/// Names a pool for trouble, which knows pools by their types alone: `PacketPool::allocate` has no
/// `self`. Implement it for a type of your own, and pass [`Packets`] of that type to `HostResources`.
///
/// ```
/// use tierpool::Pool;
/// use tierpool_trouble::{Packets, StaticPool};
/// use trouble_host::HostResources;
///
/// tierpool::pool! { static BLE = [251 x 16]; }
///
/// struct Ble;
///
/// impl StaticPool for Ble {
///     const MTU: usize = 251;
///
///     fn pool() -> &'static Pool {
///         &BLE
///     }
/// }
///
/// let resources: HostResources<Packets<Ble>, 1, 2> = HostResources::new();
/// # drop(resources);
/// ```
pub trait StaticPool: 'static {
    /// The bytes of a packet, at most 65 535: trouble counts in 16 bits.
    const MTU: usize;

    /// The pool. A tier of it must have slots of at least `MTU` bytes. If none has, every request for
    /// a packet fails.
    fn pool() -> &'static Pool;
}

/// The pool `P` as trouble takes it.
///
/// Interrupt handler: `allocate`, as [`Pool::zeroed`]. Cost: one compare-and-swap and the writing of
/// `MTU` bytes, with interrupts on. The drop of a packet costs one compare-and-swap.
#[derive(Debug)]
pub struct Packets<P>(PhantomData<P>);

impl<P: StaticPool> PacketPool for Packets<P> {
    type Packet = Packet;
    const MTU: usize = {
        assert!(P::MTU <= u16::MAX as usize, "trouble counts the bytes of a packet in 16 bits");
        P::MTU
    };

    /// A packet of zeros. `None` if the pool is exhausted.
    fn allocate() -> Option<Packet> {
        P::pool().zeroed(Self::MTU).ok().map(Packet)
    }

    /// The slots of the smallest tier that fits a packet. Trouble grants a new channel no more
    /// credits than that.
    fn capacity() -> usize {
        let stats = P::pool().stats();
        stats.tiers().iter().find(|tier| tier.size >= Self::MTU).map_or(0, |tier| tier.slots)
    }
}

/// A packet of trouble: a buffer of `MTU` bytes.
#[derive(Debug)]
pub struct Packet(BytesMut);

impl Packet {
    /// The buffer. So what was received goes on to other tasks without a copy:
    ///
    /// ```
    /// # use tierpool::Pool;
    /// # use tierpool_trouble::{Packet, Packets, StaticPool};
    /// # use trouble_host::PacketPool;
    /// use tierpool::Bytes;
    /// use trouble_host::prelude::Sdu;
    ///
    /// fn into_bytes(received: Sdu<Packet>) -> Bytes {
    ///     let len = received.len();
    ///     let mut buffer = received.into_inner().into_inner();
    ///     buffer.truncate(len);
    ///     buffer.freeze()
    /// }
    /// # tierpool::pool! { static BLE = [251 x 16]; }
    /// # struct Ble;
    /// # impl StaticPool for Ble {
    /// #     const MTU: usize = 251;
    /// #     fn pool() -> &'static Pool { &BLE }
    /// # }
    /// # let mut packet = Packets::<Ble>::allocate().unwrap();
    /// # packet.as_mut()[..5].copy_from_slice(b"hello");
    /// # assert_eq!(into_bytes(Sdu::new(packet, 5)), "hello");
    /// ```
    pub fn into_inner(self) -> BytesMut {
        self.0
    }
}

impl trouble_host::Packet for Packet {}

impl AsRef<[u8]> for Packet {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsMut<[u8]> for Packet {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
