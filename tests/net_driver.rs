//! The embassy-net driver, polled by hand: what it hands out, what it says "not now" to, and who
//! wakes it then.

#![cfg(feature = "embassy-net-driver-02")]

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tierpool::net_driver::{self, Device, Radio, State};
use tierpool::{Pool, WaitError};
use tierpool_testkit::{Count, leak, waker_that_when_cloned};

const MTU: usize = 100;

/// A driver on `pool`, with queues for two packets each; the stack's wake-ups, and its waker.
fn driver(pool: &'static Pool) -> (Device<'static>, Radio<'static>, Arc<Count>, Waker) {
    let woken = Arc::<Count>::default();
    let (device, radio) = try_driver(pool).unwrap();
    radio.link.set(LinkState::Up);
    (device, radio, woken.clone(), Waker::from(woken))
}

fn try_driver(pool: &'static Pool) -> Result<(Device<'static>, Radio<'static>), WaitError> {
    driver_in(leak(Box::new(State::new())), pool)
}

fn driver_in<'d>(
    state: &'d mut State<3, 3>,
    pool: &'static Pool,
) -> Result<(Device<'d>, Radio<'d>), WaitError> {
    let mut capabilities = Capabilities::default();
    capabilities.max_transmission_unit = MTU;
    net_driver::new(state, pool, HardwareAddress::Ip, capabilities)
}

fn send(device: &mut Device<'_>, cx: &mut Context<'_>, packet: &[u8]) -> bool {
    let token = device.transmit(cx);
    token
        .map(|token| token.consume(packet.len(), |buffer| buffer.copy_from_slice(packet)))
        .is_some()
}

#[test]
fn packets_are_the_pools_own_buffers() {
    tierpool::pool! { static TX = [MTU x 1], waiters = 1; }
    tierpool::pool! { static RX = [MTU x 1]; }
    let (mut device, mut radio, woken, waker) = driver(&TX);
    assert_eq!(device.capabilities().max_transmission_unit, MTU);
    assert_eq!(device.hardware_address(), HardwareAddress::Ip);
    let cx = &mut Context::from_waker(&waker);
    assert!(device.receive(cx).is_none());
    let frame = RX.copy_from_slice(b"question").unwrap();
    let address = frame.as_ptr();
    radio.rx.push(frame).unwrap();
    assert_eq!(woken.take(), 1);
    let (received, answer) = device.receive(cx).expect("a packet, and a buffer for the answer");
    received.consume(|bytes| assert_eq!((&bytes[..], bytes.as_ptr()), (&b"question"[..], address)));
    assert!(RX.is_idle());
    let written = answer.consume(6, |bytes| {
        assert_eq!(bytes, [0; 6]);
        bytes.copy_from_slice(b"answer");
        bytes.as_ptr()
    });
    let sent = radio.tx.try_next().expect("the answer");
    assert_eq!(&sent[..], &b"answer"[..]);
    assert_eq!(sent.as_ptr(), written);
    drop(sent);
    assert!(TX.is_idle());
}

#[test]
fn an_empty_pool_waits_for_the_next_free() {
    tierpool::pool! { static TX = [MTU x 1], waiters = 1; }
    tierpool::pool! { static RX = [MTU x 1]; }
    let (mut device, mut radio, woken, waker) = driver(&TX);
    let cx = &mut Context::from_waker(&waker);
    assert!(send(&mut device, cx, b"one"));
    assert!(!send(&mut device, cx, b"two"));
    radio.rx.push(RX.copy_from_slice(b"kept").unwrap()).unwrap();
    assert!(device.receive(cx).is_none(), "nothing to answer with");
    let sent = radio.tx.try_next().unwrap();
    assert_eq!(woken.take(), 0, "the radio still has it");
    drop(sent);
    assert_eq!(woken.take(), 1);
    let (received, unused) = device.receive(cx).expect("what has waited");
    drop(unused);
    received.consume(|bytes| assert_eq!(bytes, b"kept"));
    assert!(TX.is_idle(), "a token that is not used gives its buffer back");
}

#[test]
fn a_full_queue_says_not_now_and_the_radio_wakes() {
    tierpool::pool! { static TX = [MTU x 4], waiters = 1; }
    let (mut device, mut radio, woken, waker) = driver(&TX);
    let cx = &mut Context::from_waker(&waker);
    assert!(send(&mut device, cx, b"one") && send(&mut device, cx, b"two"));
    assert!(!send(&mut device, cx, b"three"));
    let sent = radio.tx.try_next().unwrap();
    assert_eq!(woken.take(), 1);
    assert!(send(&mut device, cx, b"three"));
    assert_eq!(
        [sent, radio.tx.try_next().unwrap(), radio.tx.try_next().unwrap()]
            .map(|packet| packet.len()),
        [3, 3, 5]
    );
}

#[test]
fn a_stack_that_is_behind_gives_the_packet_back() {
    tierpool::pool! { static TX = [MTU x 1], waiters = 1; }
    tierpool::pool! { static RX = [MTU x 3]; }
    let (_device, mut radio, ..) = driver(&TX);
    let pushed = [b"1", b"2", b"3"].map(|bytes| radio.rx.push(RX.copy_from_slice(bytes).unwrap()));
    assert!(matches!(pushed, [Ok(()), Ok(()), Err(third)] if third == "3"));
}

#[test]
fn the_radio_waits_for_packets() {
    tierpool::pool! { static TX = [MTU x 1], waiters = 1; }
    let (mut device, mut radio, _, waker) = driver(&TX);
    let woken = Arc::<Count>::default();
    let radio_waker = Waker::from(woken.clone());
    let cx = &mut Context::from_waker(&radio_waker);
    assert!(pin!(radio.tx.next()).poll(cx).is_pending());
    assert!(send(&mut device, &mut Context::from_waker(&waker), b"one"));
    assert_eq!(woken.take(), 1);
    assert!(matches!(pin!(radio.tx.next()).poll(cx), Poll::Ready(packet) if packet == "one"));
}

#[test]
fn the_link_wakes_the_stack() {
    tierpool::pool! { static TX = [MTU x 1], waiters = 1; }
    let (mut device, radio, woken, waker) = driver(&TX);
    let cx = &mut Context::from_waker(&waker);
    for state in [LinkState::Down, LinkState::Up] {
        assert!(device.link_state(cx) != state);
        radio.link.set(state);
        assert_eq!(woken.take(), 1);
        assert!(device.link_state(cx) == state);
    }
}

#[test]
fn a_driver_needs_a_tier_and_a_place() {
    tierpool::pool! { static SMALL = [{MTU - 1} x 1], waiters = 1; }
    tierpool::pool! { static NO_PLACE = [MTU x 1]; }
    tierpool::pool! { static ONE = [MTU x 1], waiters = 1; }
    assert_eq!(try_driver(&SMALL).unwrap_err(), WaitError::Oversized);
    assert_eq!(try_driver(&NO_PLACE).unwrap_err(), WaitError::TooManyWaiters);
    let first = try_driver(&ONE).unwrap();
    assert_eq!(try_driver(&ONE).unwrap_err(), WaitError::TooManyWaiters);
    drop(first);
    assert!(try_driver(&ONE).is_ok(), "a dropped driver leaves its place");
}

/// Forgotten, and not dropped: what it had claimed is free for the next one on the same state,
/// whatever its pool.
#[test]
fn a_forgotten_driver_leaves_its_places() {
    tierpool::pool! { static ONE = [MTU x 1], waiters = 1; }
    tierpool::pool! { static OTHER = [MTU x 1], waiters = 1; }
    let woken = Arc::<Count>::default();
    let waker = Waker::from(woken.clone());
    let mut state = State::new();
    for pool in [&ONE, &ONE, &OTHER, &ONE] {
        let (mut device, mut radio) = driver_in(&mut state, pool).expect("a place in the pool");
        radio.link.set(LinkState::Up);
        let cx = &mut Context::from_waker(&waker);
        assert!(device.receive(cx).is_none() && device.link_state(cx) == LinkState::Up);
        let held = pool.alloc(1).unwrap();
        assert!(device.transmit(cx).is_none() && pin!(radio.tx.next()).poll(cx).is_pending());
        drop(held);
        assert_eq!(woken.take(), 1);
        assert!(send(&mut device, cx, b"one"));
        drop(radio.tx.try_next().expect("what was sent"));
        woken.take();
        assert!(pin!(radio.tx.next()).poll(cx).is_pending());
        std::mem::forget((device, radio));
    }
    drop(state);
    assert!(
        [&ONE, &OTHER].iter().all(|pool| try_driver(pool).is_ok()),
        "a state that is dropped leaves the place to others"
    );
}

#[test]
fn packets_without_a_link_are_counted() {
    tierpool::pool! { static TX = [MTU x 4], waiters = 1; }
    tierpool::pool! { static RX = [MTU x 1]; }
    let (mut device, mut radio, woken, waker) = driver(&TX);
    let cx = &mut Context::from_waker(&waker);
    assert!(device.link_state(cx) == LinkState::Up);
    assert!(send(&mut device, cx, b"one") && send(&mut device, cx, b"two"));
    radio.link.set(LinkState::Down);
    assert!((0..10).all(|_| send(&mut device, cx, b"lost")), "a full queue does not matter");
    radio.rx.push(RX.copy_from_slice(b"late").unwrap()).unwrap();
    let (received, answer) = device.receive(cx).expect("what came before the link went down");
    received.consume(|bytes| assert_eq!(bytes, b"late"));
    answer.consume(1, |_| ());
    assert_eq!(radio.link.dropped(), 11);

    // The link comes up between the token and the packet, whose place in the queue nobody has
    // looked for.
    let token = device.transmit(cx).unwrap();
    radio.link.set(LinkState::Up);
    token.consume(1, |_| ());
    assert_eq!(radio.link.dropped(), 12);
    assert!(device.transmit(cx).is_none(), "the queue is full");
    assert_eq!(
        [radio.tx.try_next().unwrap(), radio.tx.try_next().unwrap()].map(|packet| packet[0]),
        [b'o', b't']
    );
    assert!(radio.tx.try_next().is_none() && TX.is_idle());
    woken.take();
    assert!(send(&mut device, cx, b"three"));
    assert_eq!(radio.tx.try_next().unwrap().len(), 5);
    assert_eq!(radio.link.dropped(), 12);
}

#[test]
#[should_panic(expected = "longer than the driver's max_transmission_unit")]
fn a_packet_longer_than_promised_panics() {
    tierpool::pool! { static TX = [MTU x 1], waiters = 1; }
    let (mut device, _radio, _, waker) = driver(&TX);
    device.transmit(&mut Context::from_waker(&waker)).unwrap().consume(MTU + 1, |_| ());
}

/// A registration that is of no use any more does not make the driver wait: here the heap has
/// served another waker's poll.
#[test]
fn a_waker_that_waited_in_vain_waits_no_more() {
    static HEAP: tierpool_testkit::Heap<true> = tierpool_testkit::Heap::new();
    tierpool::pool! { static TX = [MTU x 1], waiters = 1, fallback = &HEAP; }
    let (mut device, _radio, _woken, waker) = driver(&TX);
    let held = TX.alloc(MTU).unwrap();
    HEAP.allow(0);
    let mut polled = |waker: &Waker| device.transmit(&mut Context::from_waker(waker)).is_some();
    assert!(!polled(&waker));
    HEAP.allow(usize::MAX);
    assert!(polled(Waker::noop()) && polled(&waker));
    drop(held);
}

/// What comes while the waker is registered wakes nobody: the second look has to find it.
#[test]
fn what_comes_between_the_two_looks_is_found() {
    tierpool::pool! { static TX = [MTU x 4], waiters = 4; }
    tierpool::pool! { static RX = [MTU x 1]; }

    let (mut device, mut radio, ..) = driver(&TX);
    let waker =
        waker_that_when_cloned(move || radio.rx.push(RX.copy_from_slice(b"now").unwrap()).unwrap());
    let (received, _) =
        device.receive(&mut Context::from_waker(&waker)).expect("a packet has come");
    received.consume(|bytes| assert_eq!(bytes, b"now"));

    let (mut device, mut radio, _, waker) = driver(&TX);
    let cx = &mut Context::from_waker(&waker);
    assert!(send(&mut device, cx, b"one") && send(&mut device, cx, b"two"));
    let waker = waker_that_when_cloned(move || drop(radio.tx.try_next().unwrap()));
    assert!(
        send(&mut device, &mut Context::from_waker(&waker), b"three"),
        "there is room in the queue"
    );

    let (mut device, mut radio, ..) = driver(&TX);
    let waker = waker_that_when_cloned(move || {
        assert!(send(&mut device, &mut Context::from_waker(Waker::noop()), b"now"))
    });
    let Poll::Ready(packet) = pin!(radio.tx.next()).poll(&mut Context::from_waker(&waker)) else {
        panic!("there is a packet")
    };
    assert_eq!(packet, b"now"[..]);
}
