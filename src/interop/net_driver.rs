//! A driver for [`embassy-net`](embassy_net_driver) whose packets are pool buffers. No packet is
//! copied on its way between the stack and the radio. It is for embassy-net up to 0.9, which stands
//! on smoltcp. Its next version stands on xarxa, for which there is the crate `tierpool-xarxa`.
//!
//! ```text
//!   radio: tasks, interrupt handlers                 the stack's task
//!   rx    a buffer of any pool ── push ──► queue ──► receive    the stack reads it, and its slot is free
//!   tx    next ◄───────────────────────── queue ◄── transmit   the stack writes it: a buffer of the driver's pool
//!   link  set ─────────────────────────────────────► link_state
//! ```
//!
//! If the transmit pool is empty, the driver tells the stack "not now". The next buffer that the
//! radio drops wakes the stack. So the buffers control the flow: at most as many packets are on
//! their way as the pool has slots.
//!
//! **Use two pools.** The stack takes a packet only together with a buffer for the answer. So while
//! the transmit pool is empty, the stack does not receive either. If both directions used one pool,
//! received packets could hold the slots that sending waits for, for ever. So give the receiver of
//! the radio its own pool.
//!
//! **While the link is down**, the stack goes on sending (embassy-net does), and the driver drops
//! these packets and counts them. So the timers of the stack go on, and no packet of a past
//! connection waits for the next one.
//!
//! The queues are rings of handles with a single producer and a single consumer, without a lock.
//! Wakers lie in the places that [`Pool::alloc_wait`] also uses.
//!
//! ```
//! use embassy_net_driver::{Capabilities, HardwareAddress, LinkState};
//! use tierpool::net_driver::{self, State};
//!
//! const MTU: usize = 1514;
//! tierpool::pool! { static RX = [MTU x 8]; }
//! tierpool::pool! { static TX = [MTU x 4], waiters = 2; } // the driver takes one place
//!
//! let mut state = State::<9, 5>::new();
//! let mut capabilities = Capabilities::default();
//! capabilities.max_transmission_unit = MTU;
//! let address = HardwareAddress::Ethernet([2, 0, 0, 0, 0, 1]);
//! let (device, mut radio) = net_driver::new(&mut state, &TX, address, capabilities)?;
//!
//! // `device` goes to `embassy_net::new`; the radio's side:
//! radio.link.set(LinkState::Up);
//! let frame = RX.copy_from_slice(b"a frame from the air").unwrap();
//! radio.rx.push(frame).unwrap();
//! assert!(radio.tx.try_next().is_none());
//! # drop(device);
//! # Ok::<(), tierpool::WaitError>(())
//! ```

use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState};
use heapless::spsc::{Consumer, Producer, Queue};

use crate::buf::bytes_mut::BytesMut;
use crate::pool::Pool;
use crate::protocol::atomics::{AtomicU32, Relaxed};
use crate::protocol::waker_cell::{Claim, WakerCell};
use crate::wait::WaitError;
use crate::wait::buffers::Waiter;

/// The memory of a driver: a queue for received packets, and a queue for packets to be sent. They
/// hold `RX - 1` and `TX - 1` handles, because one place in each queue stays free.
///
/// It is a `const` value. Put it in a static, or anywhere else if it outlives the driver. If it is
/// dropped, packets that are still queued go back to their pools.
pub struct State<const RX: usize, const TX: usize> {
    /// Packets from the radio to the stack.
    received: Queue<BytesMut, RX>,
    /// Packets from the stack to the radio.
    to_send: Queue<BytesMut, TX>,
    /// The state of the link, and the places of the wakers.
    events: Events,
    /// The place in the transmit pool. It lies here and not in the device, so that the place of a
    /// forgotten device comes back.
    waiter: Option<Waiter>,
}

/// The news between the two sides.
struct Events {
    /// 1 while the link is up, else 0.
    link_up: AtomicU32,
    /// Packets that the stack has sent while the link was down, modulo 2^32.
    dropped: AtomicU32,
    /// For the news that a packet has been received. The device waits here, and at the next two
    /// places.
    received: WakerCell,
    /// For the news that a packet has left the queue to the radio.
    room: WakerCell,
    /// For the news that the link has changed.
    link: WakerCell,
    /// For the news that a packet is to be sent. The radio waits here.
    to_send: WakerCell,
}

impl<const RX: usize, const TX: usize> State<RX, TX> {
    /// Creates empty queues, with the link down. See the [module](self) for an example. A queue
    /// with fewer than 2 places does not compile.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        State { received: Queue::new(), to_send: Queue::new(), events: Events::new(), waiter: None }
    }
}

impl Events {
    /// The link is down, and no place is owned.
    const fn new() -> Self {
        Events {
            link_up: AtomicU32::new(0),
            dropped: AtomicU32::new(0),
            received: WakerCell::new(),
            room: WakerCell::new(),
            link: WakerCell::new(),
            to_send: WakerCell::new(),
        }
    }

    /// Whether the link is up.
    fn is_link_up(&self) -> bool {
        // Relaxed: this is one word, and it publishes nothing else. If it is out of date, a wake-up
        // follows.
        self.link_up.load(Relaxed) != 0
    }

    /// The same events, with all places free.
    fn without_owners(&mut self) -> Self {
        Events {
            link_up: AtomicU32::new(*self.link_up.get_mut()),
            dropped: AtomicU32::new(*self.dropped.get_mut()),
            ..Events::new()
        }
    }
}

/// Makes a driver for the stack, and the radio's side of it.
///
/// Packets to be sent are buffers of `pool`, each from the tier that fits
/// `capabilities.max_transmission_unit` bytes. The driver takes one of the pool's places for
/// waiters, until it is dropped. If it is forgotten (`core::mem::forget`), the next driver on the
/// same `state` gets what the first one had. See the [module](self) for an example.
///
/// Interrupt handler: better not; call it once, at start. Cost: one read-modify-write for each of
/// five places.
///
/// # Errors
/// [`WaitError::Oversized`] if no tier fits that many bytes. [`WaitError::TooManyWaiters`] if the
/// pool has no place left.
pub fn new<'d, const RX: usize, const TX: usize>(
    state: &'d mut State<RX, TX>,
    pool: &'static Pool,
    hardware_address: HardwareAddress,
    capabilities: Capabilities,
) -> Result<(Device<'d>, Radio<'d>), WaitError> {
    pool.slot_size_for(capabilities.max_transmission_unit).ok_or(WaitError::Oversized)?;
    // The driver that used the state before is gone. All that it had claimed is free, also if it
    // was forgotten.
    let waiter = state.waiter.insert(Waiter::new(pool));
    waiter.take_place()?;
    state.events = state.events.without_owners();
    let events = &state.events;
    let (received, queued) = state.received.split();
    let (queue, to_send) = state.to_send.split();
    let claim = |cell: &'d WakerCell| cell.claim().ok_or(WaitError::TooManyWaiters);
    let device = Device {
        received: queued,
        to_send: queue,
        events,
        on_received: claim(&events.received)?,
        on_room: claim(&events.room)?,
        on_link: claim(&events.link)?,
        waiter,
        hardware_address,
        capabilities,
    };
    let rx = RxRunner { received, events };
    let tx = TxRunner { to_send, events, on_packet: claim(&events.to_send)? };
    Ok((device, Radio { rx, tx, link: LinkRunner { events } }))
}

/// Returns what the owner of `place` waits for, if it is there. If not, the owner will be woken.
fn ready_or_listen<T>(
    place: &mut Claim<'_>,
    cx: &Context<'_>,
    mut ready: impl FnMut() -> Option<T>,
) -> Option<T> {
    ready().or_else(|| {
        if !place.is_waiting_for(cx.waker()) {
            place.register(cx.waker());
        }
        ready()
    })
}

/// The stack's side: an [embassy-net driver](Driver).
///
/// Cost: an allocation, a queue operation and a free for each packet. A received packet that is not
/// answered at once costs another allocation and another free, because the stack asks for both
/// buffers together.
pub struct Device<'d> {
    /// Packets from the radio.
    received: Consumer<'d, BytesMut>,
    /// Packets to the radio.
    to_send: Producer<'d, BytesMut>,
    /// The news that it shares with the radio.
    events: &'d Events,
    /// Its place for received packets.
    on_received: Claim<'d>,
    /// Its place for room in the queue to the radio.
    on_room: Claim<'d>,
    /// Its place for changes of the link.
    on_link: Claim<'d>,
    /// Its place in the transmit pool.
    waiter: &'d mut Waiter,
    /// The address that the stack is told.
    hardware_address: HardwareAddress,
    /// The capabilities that the stack is told.
    capabilities: Capabilities,
}

impl<'d> Driver for Device<'d> {
    type RxToken<'a>
        = RxToken
    where
        Self: 'a;
    type TxToken<'a>
        = TxToken<'a, 'd>
    where
        Self: 'a;

    /// Returns the next received packet and a buffer for an answer: both, or none. If one of them
    /// is missing, the stack will be woken when it comes.
    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(RxToken, TxToken<'_, 'd>)> {
        let received = &self.received;
        ready_or_listen(&mut self.on_received, cx, || received.ready().then_some(()))?;
        let buffer = self.buffer(cx)?;
        let packet = self.received.dequeue()?;
        Some((RxToken { packet }, self.token(buffer)))
    }

    /// Returns a buffer of the transmit pool. None if the pool is empty, or if the queue to the
    /// radio is full: then the stack will be woken. While the link is down the queue does not
    /// matter, because the packet will be dropped.
    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<TxToken<'_, 'd>> {
        let buffer = self.buffer(cx)?;
        Some(self.token(buffer))
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        if !self.on_link.is_waiting_for(cx.waker()) {
            self.on_link.register(cx.waker());
        }
        if self.events.is_link_up() { LinkState::Up } else { LinkState::Down }
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn hardware_address(&self) -> HardwareAddress {
        self.hardware_address
    }
}

impl<'d> Device<'d> {
    /// A buffer for a packet to be sent. There is room for it in the queue, or it will be dropped
    /// because the link is down.
    fn buffer(&mut self, cx: &Context<'_>) -> Option<BytesMut> {
        let to_send = &self.to_send;
        if self.events.is_link_up() {
            ready_or_listen(&mut self.on_room, cx, || to_send.ready().then_some(()))?;
        }
        match self.waiter.poll_alloc(self.capabilities.max_transmission_unit, cx) {
            Poll::Ready(buffer) => buffer.ok(), // `new` has checked for both errors
            Poll::Pending => None,
        }
    }

    /// A token for the stack, with this buffer.
    fn token(&mut self, buffer: BytesMut) -> TxToken<'_, 'd> {
        TxToken { buffer, queue: &mut self.to_send, events: self.events }
    }
}

/// Gives up the place in the transmit pool.
impl Drop for Device<'_> {
    fn drop(&mut self) {
        self.waiter.leave();
    }
}

/// A received packet. Its buffer goes back to its pool when the stack has read it.
#[derive(Debug)]
pub struct RxToken {
    /// The packet.
    packet: BytesMut,
}

impl embassy_net_driver::RxToken for RxToken {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(mut self, read: F) -> R {
        read(&mut self.packet)
    }
}

/// A buffer for a packet to be sent. It goes back to its pool if the stack does not use it.
pub struct TxToken<'a, 'd> {
    /// The buffer, which is still empty.
    buffer: BytesMut,
    /// The queue to the radio.
    queue: &'a mut Producer<'d, BytesMut>,
    /// The news for the radio.
    events: &'d Events,
}

impl embassy_net_driver::TxToken for TxToken<'_, '_> {
    /// Fills the buffer with `len` zeros before the stack writes to it. If the link is down after
    /// that, the packet is dropped.
    ///
    /// # Panics
    /// If the packet is longer than the `max_transmission_unit` that the stack was told.
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(mut self, len: usize, write: F) -> R {
        assert!(
            len <= self.buffer.capacity(),
            "a packet longer than the driver's max_transmission_unit"
        );
        self.buffer.fill_to(len, 0);
        let result = write(&mut self.buffer);
        // There is room in the queue: the device saw it when it made this token, and nothing else
        // fills the queue. If there is no room, the link was down when the device looked.
        if self.events.is_link_up() && self.queue.enqueue(self.buffer).is_ok() {
            self.events.to_send.wake_after_store();
        } else {
            // Relaxed: a count publishes nothing.
            self.events.dropped.fetch_add(1, Relaxed);
        }
        result
    }
}

/// The radio's side, in parts for its tasks and interrupt handlers.
#[derive(Debug)]
pub struct Radio<'d> {
    /// Gives received packets to the stack.
    pub rx: RxRunner<'d>,
    /// Takes packets from the stack.
    pub tx: TxRunner<'d>,
    /// Tells the stack whether there is a link.
    pub link: LinkRunner<'d>,
}

/// Gives received packets to the stack.
pub struct RxRunner<'d> {
    /// The queue to the stack.
    received: Producer<'d, BytesMut>,
    /// The news for the stack.
    events: &'d Events,
}

impl RxRunner<'_> {
    /// Hands a received packet to the stack, and wakes it.
    ///
    /// Interrupt handler: yes. Cost: at most two read-modify-writes.
    ///
    /// # Errors
    /// The packet, if the queue is full. Then the stack is too slow: drop the packet and count a
    /// loss.
    ///
    /// ```
    /// use tierpool::net_driver::RxRunner;
    ///
    /// tierpool::pool! { static RX = [1514 x 8]; }
    ///
    /// /// The radio's interrupt handler. False if the frame is lost: no slot is free, or the stack is too slow.
    /// fn on_frame(stack: &mut RxRunner<'static>, fifo: &[u8]) -> bool {
    ///     let Ok(mut frame) = RX.alloc_pooled(fifo.len()) else { return false };
    ///     frame.extend_from_slice(fifo).is_ok() && stack.push(frame).is_ok()
    /// }
    /// ```
    pub fn push(&mut self, packet: BytesMut) -> Result<(), BytesMut> {
        self.received.enqueue(packet)?;
        self.events.received.wake_after_store();
        Ok(())
    }
}

/// Takes packets from the stack.
pub struct TxRunner<'d> {
    /// The queue from the stack.
    to_send: Consumer<'d, BytesMut>,
    /// The news for the stack.
    events: &'d Events,
    /// Its place for packets to be sent.
    on_packet: Claim<'d>,
}

impl TxRunner<'_> {
    /// Returns the next packet to be sent, if there is one. Drop the packet when it is sent: then
    /// the stack may write another.
    ///
    /// Interrupt handler: yes. Cost: at most two read-modify-writes.
    ///
    /// ```
    /// use tierpool::BytesMut;
    /// use tierpool::net_driver::TxRunner;
    ///
    /// /// The interrupt handler of a radio that has sent a packet: that one is dropped, and the next one begins.
    /// fn on_sent(packets: &mut TxRunner<'static>, on_air: &mut Option<BytesMut>) {
    ///     *on_air = None;
    ///     *on_air = packets.try_next();
    ///     if let Some(packet) = on_air {
    ///         start_dma(packet);
    ///     }
    /// }
    /// # fn start_dma(_: &[u8]) {}
    /// ```
    pub fn try_next(&mut self) -> Option<BytesMut> {
        let packet = self.to_send.dequeue()?;
        self.events.room.wake_after_store();
        Some(packet)
    }

    /// Waits for the next packet to be sent. If the future is dropped, no packet is lost.
    ///
    /// Cost: as [`try_next`](Self::try_next). If it has to wait, three more read-modify-writes and
    /// a clone of the waker.
    ///
    /// ```
    /// use tierpool::net_driver::TxRunner;
    ///
    /// /// The task of a radio.
    /// async fn transmit(mut packets: TxRunner<'static>) {
    ///     loop {
    ///         let packet = packets.next().await;
    ///         to_the_air(&packet).await;
    ///     } // the packet is dropped: the stack may write another
    /// }
    /// # async fn to_the_air(_: &[u8]) {}
    /// ```
    pub async fn next(&mut self) -> BytesMut {
        poll_fn(|cx| {
            let to_send = &self.to_send;
            let ready = ready_or_listen(&mut self.on_packet, cx, || to_send.ready().then_some(()));
            match ready.and_then(|()| self.try_next()) {
                Some(packet) => Poll::Ready(packet),
                None => Poll::Pending,
            }
        })
        .await
    }
}

/// Tells the stack whether there is a link.
pub struct LinkRunner<'d> {
    /// The news for the stack.
    events: &'d Events,
}

impl LinkRunner<'_> {
    /// Tells the stack that the link is up or down, and wakes it. At first the link is down. While
    /// it is down, the packets that the stack sends are [dropped](Self::dropped). Packets that it
    /// sent before stay in the queue: the radio takes them with [`try_next`](TxRunner::try_next),
    /// and sends or drops them.
    ///
    /// Interrupt handler: yes. Cost: at most two read-modify-writes.
    ///
    /// ```
    /// use embassy_net_driver::LinkState;
    /// use tierpool::net_driver::LinkRunner;
    ///
    /// fn on_carrier(link: &LinkRunner<'static>, sensed: bool) {
    ///     link.set(if sensed { LinkState::Up } else { LinkState::Down });
    /// }
    /// ```
    pub fn set(&self, state: LinkState) {
        // Relaxed: the wake-up below publishes the word.
        self.events.link_up.store(u32::from(state == LinkState::Up), Relaxed);
        self.events.link.wake_after_store();
    }

    /// The number of packets that the stack has sent while the link was down, modulo 2^32. They
    /// were dropped, and their buffers are free.
    ///
    /// Interrupt handler: yes. Cost: no read-modify-write.
    ///
    /// ```
    /// use tierpool::net_driver::LinkRunner;
    ///
    /// fn report(link: &LinkRunner<'static>) {
    ///     println!("{} packets sent without a link", link.dropped());
    /// }
    /// ```
    pub fn dropped(&self) -> u32 {
        // Relaxed: this is only a count.
        self.events.dropped.load(Relaxed)
    }
}

macro_rules! opaque_debug {
    ($($name:ident <$($lifetime:lifetime),+>),+) => {
        $(impl fmt::Debug for $name<$($lifetime),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })+
    };
}

opaque_debug!(Device<'_>, TxToken<'_, '_>, RxRunner<'_>, TxRunner<'_>, LinkRunner<'_>);

impl<const RX: usize, const TX: usize> fmt::Debug for State<RX, TX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("received", &self.received.len())
            .field("to_send", &self.to_send.len())
            .finish_non_exhaustive()
    }
}
