//! The driver between a stack, of which this file has what its trait asks for, and a radio.
//!
//! All buffers of xarxa's pool belong to the program, so the tests run one after the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tierpool::Pool;
use tierpool_testkit::Count;
use tierpool_xarxa::{Device, Radio, State};
use xarxa_driver::config::{PACKET_BUF_COUNT, PACKET_BUF_SIZE};
use xarxa_driver::{Capabilities, Driver, HardwareAddress, LinkState, PacketBuf};

const ADDRESS: HardwareAddress = HardwareAddress::Ethernet([2, 0, 0, 0, 0, 1]);

fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn stack() -> (Arc<Count>, Waker) {
    let counter = Arc::new(Count::default());
    (counter.clone(), counter.into())
}

/// A driver for whole Ethernet frames. Its link is down.
fn driver<'d, const RX: usize, const TX: usize>(
    state: &'d mut State<RX, TX>,
    pool: &'static Pool,
) -> (Device<'d>, Radio<'d>) {
    tierpool_xarxa::new(state, pool, ADDRESS, Capabilities::default()).unwrap()
}

fn packet(bytes: &[u8]) -> PacketBuf {
    let mut packet = PacketBuf::try_new().unwrap();
    packet.reserve(14);
    packet.set_len(bytes.len());
    packet.copy_from_slice(bytes);
    packet
}

#[test]
fn packets_pass_both_ways() {
    let _alone = alone();
    tierpool::pool! { static POOL = [64 x 4, 1514 x 4], waiters = 1; }
    let mut state = State::<3, 3>::new();
    let (mut device, mut radio) = driver(&mut state, &POOL);
    let (woken, waker) = stack();
    device.register_waker(&waker).unwrap();
    assert_eq!((device.link_state(), device.hardware_address()), (LinkState::Down, ADDRESS));
    radio.link.set(LinkState::Up);
    assert_eq!((device.link_state(), woken.take()), (LinkState::Up, 1));

    device.register_waker(&waker).unwrap();
    assert!(device.receive().is_none());
    radio.rx.push(POOL.copy_from_slice(b"from the air").unwrap()).unwrap();
    assert_eq!(woken.take(), 1);
    assert_eq!(&device.receive().unwrap()[..], b"from the air");
    assert_eq!(POOL.stats().tiers()[0].in_use, 0, "its slot is free again");

    assert!(device.can_transmit());
    device.transmit(packet(b"from the stack")).unwrap();
    assert_eq!(radio.tx.try_next().unwrap(), "from the stack");
    drop((device, radio));
    assert!(POOL.is_idle());
}

#[test]
fn a_full_queue_and_an_empty_pool_hold_the_stack_back() {
    let _alone = alone();
    tierpool::pool! { static POOL = [1514 x 2], waiters = 1; }
    let mut state = State::<3, 3>::new();
    let (mut device, mut radio) = driver(&mut state, &POOL);
    radio.link.set(LinkState::Up);
    for text in [b"one", b"two"] {
        assert!(device.can_transmit());
        device.transmit(packet(text)).unwrap();
    }
    let (woken, waker) = stack();
    device.register_waker(&waker).unwrap();
    assert!(!device.can_transmit(), "the queue is full");
    let refused = device.transmit(packet(b"too many")).unwrap_err();
    assert_eq!(&refused[..], b"too many");

    let on_air = radio.tx.try_next().unwrap();
    assert_eq!((&on_air[..], woken.take()), (&b"one"[..], 1));
    device.register_waker(&waker).unwrap();
    assert!(!device.can_transmit(), "no buffer is left");
    drop(on_air);
    assert_eq!(woken.take(), 1, "a buffer that comes back wakes");
    assert!(device.can_transmit());
    device.transmit(refused).unwrap();
    for text in ["two", "too many"] {
        assert_eq!(radio.tx.try_next().unwrap(), text);
    }
}

/// The wait began without a waker, or with another one.
#[test]
fn the_waker_that_came_last_is_woken() {
    let _alone = alone();
    tierpool::pool! { static POOL = [1514 x 1], waiters = 1; }
    let mut state = State::<3, 3>::new();
    let (mut device, radio) = driver(&mut state, &POOL);
    radio.link.set(LinkState::Up);
    let only = POOL.alloc(1).unwrap();
    assert!(!device.can_transmit());
    let ((old, first), (new, second)) = (stack(), stack());
    device.register_waker(&first).unwrap();
    device.register_waker(&second).unwrap();
    drop(only);
    assert_eq!((old.take(), new.take()), (0, 1));
    assert!(device.can_transmit());

    device.transmit(packet(b"it goes out")).unwrap();
    assert!(!device.can_transmit());
}

#[test]
fn a_buffer_that_is_back_before_the_waker_is_not_missed() {
    let _alone = alone();
    tierpool::pool! { static POOL = [1514 x 1], waiters = 1; }
    let mut state = State::<3, 3>::new();
    let (mut device, radio) = driver(&mut state, &POOL);
    radio.link.set(LinkState::Up);
    let only = POOL.alloc(1).unwrap();
    assert!(!device.can_transmit());
    drop(only);
    let (woken, waker) = stack();
    device.register_waker(&waker).unwrap();
    assert_eq!(woken.take(), 1);
    assert!(device.can_transmit());
}

#[test]
fn without_a_link_packets_are_dropped_and_counted() {
    let _alone = alone();
    tierpool::pool! { static POOL = [1514 x 1], waiters = 1; }
    let mut state = State::<3, 2>::new();
    let (mut device, mut radio) = driver(&mut state, &POOL);
    for _ in 0..3 {
        assert!(device.can_transmit());
        device.transmit(packet(b"lost")).unwrap();
    }
    assert_eq!((radio.link.dropped(), radio.tx.try_next().is_none()), (3, true));
    radio.link.set(LinkState::Up);
    device.transmit(packet(b"kept")).unwrap();
    radio.link.set(LinkState::Down);
    device.transmit(packet(b"lost")).unwrap();
    assert_eq!((radio.link.dropped(), radio.tx.try_next().unwrap().len()), (4, 4));
}

#[test]
fn the_stack_without_buffers_leaves_packets_in_the_queue() {
    let _alone = alone();
    tierpool::pool! { static POOL = [2000 x 2], waiters = 1; }
    let mut state = State::<4, 2>::new();
    let (mut device, mut radio) = driver(&mut state, &POOL);
    radio.rx.push(POOL.zeroed(PACKET_BUF_SIZE + 1).unwrap()).unwrap();
    radio.rx.push(POOL.copy_from_slice(b"waits").unwrap()).unwrap();
    let all: Vec<_> = (0..PACKET_BUF_COUNT).map(|_| PacketBuf::try_new().unwrap()).collect();
    assert!(device.receive().is_none());
    assert_eq!(radio.link.dropped(), 1, "the one that is too long");
    drop(all);
    assert_eq!(&device.receive().unwrap()[..], b"waits");
}

#[test]
fn the_radio_waits_for_packets() {
    let _alone = alone();
    tierpool::pool! { static POOL = [1514 x 2], waiters = 1; }
    let mut state = State::<2, 3>::new();
    let (mut device, mut radio) = driver(&mut state, &POOL);
    radio.link.set(LinkState::Up);
    let (woken, waker) = stack();
    let cx = &mut Context::from_waker(&waker);
    let mut next = std::pin::pin!(radio.tx.next());
    assert!(next.as_mut().poll(cx).is_pending());
    device.transmit(packet(b"now")).unwrap();
    assert_eq!(woken.take(), 1);
    assert!(matches!(next.poll(cx), Poll::Ready(packet) if packet == "now"));
}

#[test]
fn a_pool_that_does_not_fit_is_refused() {
    tierpool::pool! { static POOL = [1500 x 1], waiters = 1; }
    let mut state = State::<2, 2>::new();
    let refused = tierpool_xarxa::new(&mut state, &POOL, ADDRESS, Capabilities::default());
    assert_eq!(refused.unwrap_err(), tierpool::WaitError::Oversized);
}
