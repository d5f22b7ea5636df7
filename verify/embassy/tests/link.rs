//! An embassy-net stack that goes on sending while the link is down: the driver drops what it
//! sends, so that no buffer is held.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use embassy_executor::{Executor, Spawner};
use embassy_net::driver::{Capabilities, HardwareAddress, LinkState};
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_net::{
    Config, IpEndpoint, Ipv4Address, Ipv4Cidr, Stack, StackResources, StaticConfigV4,
};
use embassy_time::{Timer, with_timeout};
use tierpool::net_driver::{self, Device, Radio, State};

const MTU: usize = 1514;
const DATAGRAMS: u32 = 20;
tierpool::pool! { static TX = [MTU x 2], waiters = 1; }

static DONE: AtomicBool = AtomicBool::new(false);
/// Polls of the stack's task.
static POLLS: AtomicUsize = AtomicUsize::new(0);

#[embassy_executor::task]
async fn stack(mut runner: embassy_net::Runner<'static, Device<'static>>) {
    let mut run = std::pin::pin!(runner.run());
    std::future::poll_fn(|cx| {
        POLLS.fetch_add(1, Relaxed);
        run.as_mut().poll(cx).map(|never| never)
    })
    .await;
}

/// Wakes the executor again and again, so that it looks whether to stop.
#[embassy_executor::task]
async fn tick() {
    loop {
        Timer::after_millis(1).await;
    }
}

#[embassy_executor::task]
async fn app(stack: Stack<'static>, mut radio: Radio<'static>) {
    stack.wait_config_up().await;
    let (mut rx_meta, mut rx, mut tx_meta, mut tx) =
        ([PacketMetadata::EMPTY; 1], [0; 64], [PacketMetadata::EMPTY; 4], [0; 256]);
    let mut socket = UdpSocket::new(stack, &mut rx_meta, &mut rx, &mut tx_meta, &mut tx);
    socket.bind(7).expect("a free port");
    // To all, so that the stack asks nobody for an address first.
    let all = IpEndpoint::new(Ipv4Address::BROADCAST.into(), 7);
    let received = |radio: &mut Radio<'static>| std::iter::from_fn(|| radio.tx.try_next()).count();
    let mut send = async || {
        socket.send_to(b"a datagram", all).await.expect("a route");
        socket.flush().await;
    };

    received(&mut radio); // what the stack sends by itself when the link comes up
    send().await;
    assert_eq!(received(&mut radio), 1);
    assert_eq!(radio.link.dropped(), 0);

    radio.link.set(LinkState::Down);
    stack.wait_link_down().await;
    let polls = POLLS.load(Relaxed);
    for sent in 0..DATAGRAMS {
        with_timeout(embassy_time::Duration::from_secs(5), send())
            .await
            .unwrap_or_else(|_| panic!("stuck after {sent}: {}", TX.stats()));
    }
    assert!(TX.is_idle(), "buffers are held without a link: {}", TX.stats());
    assert_eq!(received(&mut radio), 0);
    assert_eq!(radio.link.dropped(), DATAGRAMS);
    Timer::after_millis(50).await;
    let polls = POLLS.load(Relaxed) - polls;
    assert!(polls < 10 * DATAGRAMS as usize, "the stack spins without a link: {polls} polls");

    radio.link.set(LinkState::Up);
    stack.wait_link_up().await;
    received(&mut radio);
    send().await;
    assert_eq!(received(&mut radio), 1);
    assert_eq!(radio.link.dropped(), DATAGRAMS);
    DONE.store(true, Relaxed);
}

fn start(spawner: Spawner) {
    let state = Box::leak(Box::new(State::<3, 3>::new()));
    let mut capabilities = Capabilities::default();
    capabilities.max_transmission_unit = MTU;
    let mac = HardwareAddress::Ethernet([2, 0, 0, 0, 0, 1]);
    let (device, radio) =
        net_driver::new(state, &TX, mac, capabilities).expect("a place in the transmit pool");
    radio.link.set(LinkState::Up);
    let address = Ipv4Cidr::new(Ipv4Address::new(10, 0, 0, 1), 24);
    let config = Config::ipv4_static(StaticConfigV4 {
        address,
        gateway: None,
        dns_servers: Default::default(),
    });
    let (net, runner) =
        embassy_net::new(device, config, Box::leak(Box::new(StackResources::<2>::new())), 0);
    spawner.spawn(stack(runner).expect("a task of its own"));
    spawner.spawn(app(net, radio).expect("a task of its own"));
    spawner.spawn(tick().expect("a task of its own"));
}

#[test]
fn packets_without_a_link_hold_no_buffer() {
    let late = Instant::now() + Duration::from_secs(60);
    Box::leak(Box::new(Executor::new()))
        .run_until(start, || DONE.load(Relaxed) || Instant::now() > late);
    assert!(DONE.load(Relaxed), "not done: {}", TX.stats());
}
