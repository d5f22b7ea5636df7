//! Two embassy-net stacks, each on a thread of its own, talk over two radios whose transmit pools
//! run empty.
//!
//! ```text
//!   stack 0 ─► TX 0 ─► queue ─► air 0 ─► RX 1 ─► queue ─► stack 1      each `air` is the slow radio of its sender: it
//!   stack 0 ◄─ queue ◄─ RX 0 ◄─ air 1 ◄─ queue ◄─ TX 1 ◄─ stack 1      carries a frame's bytes into the peer's pool
//! ```

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use embassy_executor::{Executor, Spawner};
use embassy_futures::join::join;
use embassy_net::driver::{Capabilities, HardwareAddress, LinkState};
use embassy_net::tcp::TcpSocket;
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_net::{
    Config, IpEndpoint, Ipv4Address, Ipv4Cidr, Stack, StackResources, StaticConfigV4,
};
use embassy_time::Timer;
use tierpool::Pool;
use tierpool::net_driver::{self, Device, Radio, RxRunner, State, TxRunner};
use tierpool_testkit::Pattern;

const MTU: usize = 1514;
/// Bytes that each side sends by TCP.
const STREAM: usize = 400_000;
const DATAGRAMS: u32 = 100;
const PORT: u16 = 7;

tierpool::pool! { static TX_0 = [MTU x 2], waiters = 1; }
tierpool::pool! { static TX_1 = [MTU x 3], waiters = 1; }
tierpool::pool! { static RX_0 = [MTU x 4], waiters = 1; }
tierpool::pool! { static RX_1 = [MTU x 4], waiters = 1; }
static TX: [&Pool; 2] = [&TX_0, &TX_1];
static RX: [&Pool; 2] = [&RX_0, &RX_1];

/// Sides that have sent and received all.
static DONE: AtomicUsize = AtomicUsize::new(0);
static STOP: AtomicBool = AtomicBool::new(false);

fn address(side: usize) -> Ipv4Address {
    Ipv4Address::new(10, 0, 0, side as u8 + 1)
}

/// A driver on a transmit pool, and its radio.
fn driver(side: usize) -> (Device<'static>, Radio<'static>) {
    // As many places as the peer's radio has buffers: its pushes never fail.
    let state = Box::leak(Box::new(State::<5, 4>::new()));
    let mut capabilities = Capabilities::default();
    capabilities.max_transmission_unit = MTU;
    let mac = HardwareAddress::Ethernet([2, 0, 0, 0, 0, side as u8]);
    net_driver::new(state, TX[side], mac, capabilities).expect("a place in the transmit pool")
}

#[embassy_executor::task(pool_size = 2)]
async fn stack(mut runner: embassy_net::Runner<'static, Device<'static>>) {
    runner.run().await;
}

/// Sends one frame after the other, and takes its time.
#[embassy_executor::task(pool_size = 2)]
async fn air(mut from: TxRunner<'static>, mut to: RxRunner<'static>, pool: &'static Pool) {
    loop {
        let frame = from.next().await;
        Timer::after_micros(20).await;
        let mut received =
            pool.alloc_wait(frame.len()).await.expect("a place, and a frame of MTU bytes");
        received.extend_from_slice(&frame).expect("as long as was asked for");
        to.push(received).expect("a place for each buffer");
    }
}

#[embassy_executor::task(pool_size = 2)]
async fn app(stack: Stack<'static>, side: usize) {
    stack.wait_config_up().await;
    datagrams(stack, side).await;
    stream(stack, side).await;
    DONE.fetch_add(1, Relaxed);
}

/// Wakes its executor again and again, so that it looks whether to stop, and no other task.
#[embassy_executor::task(pool_size = 2)]
async fn tick() {
    loop {
        Timer::after_millis(1).await;
    }
}

/// Question and answer: each datagram holds its number.
async fn datagrams(stack: Stack<'static>, side: usize) {
    let (mut rx_meta, mut rx, mut tx_meta, mut tx) =
        ([PacketMetadata::EMPTY; 4], [0; 4096], [PacketMetadata::EMPTY; 4], [0; 4096]);
    let mut socket = UdpSocket::new(stack, &mut rx_meta, &mut rx, &mut tx_meta, &mut tx);
    socket.bind(PORT).expect("a free port");
    let peer = IpEndpoint::new(address(1 - side).into(), PORT);
    let mut packet = [0; 1000];
    for number in 0..DATAGRAMS {
        let expected = [number as u8; 1000];
        if side == 0 {
            socket.send_to(&expected, peer).await.expect("a route");
        }
        let (len, from) = socket.recv_from(&mut packet).await.expect("a datagram of 1000 bytes");
        assert_eq!(from.endpoint, peer);
        assert_eq!(&packet[..len], &expected[..]);
        if side == 1 {
            socket.send_to(&packet, peer).await.expect("a route");
        }
    }
    socket.flush().await;
}

/// What `side` sends, from byte `at` on.
fn sent_by(side: usize, at: usize) -> Pattern {
    Pattern::new(side as u64).moved(at as isize)
}

/// Both send at once, and check what they receive.
async fn stream(stack: Stack<'static>, side: usize) {
    let (mut rx, mut tx) = ([0; 8192], [0; 8192]);
    let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
    if side == 0 {
        while socket.connect((address(1), PORT)).await.is_err() {
            Timer::after_millis(1).await; // the peer does not listen yet
        }
    } else {
        socket.accept(PORT).await.expect("a connection");
    }
    let (mut reader, mut writer) = socket.split();
    let send = async {
        let mut sent = 0;
        while sent < STREAM {
            let chunk = sent_by(side, sent).vec(1000.min(STREAM - sent));
            sent += writer.write(&chunk).await.expect("an open connection");
        }
        writer.flush().await.expect("an open connection");
    };
    let receive = async {
        let mut chunk = [0; 1000];
        let mut received = 0;
        while received < STREAM {
            let len = reader.read(&mut chunk).await.expect("an open connection");
            assert!(len > 0, "closed after {received} bytes");
            sent_by(1 - side, received).check(&chunk[..len]);
            received += len;
        }
    };
    join(send, receive).await;
    socket.close();
    socket.flush().await.expect("a connection that ends in good order");
}

fn start(
    spawner: Spawner,
    side: usize,
    device: Device<'static>,
    tx: TxRunner<'static>,
    to: RxRunner<'static>,
) {
    let address = Ipv4Cidr::new(address(side), 24);
    let config = Config::ipv4_static(StaticConfigV4 {
        address,
        gateway: None,
        dns_servers: Default::default(),
    });
    let resources = Box::leak(Box::new(StackResources::<3>::new()));
    let (net, runner) = embassy_net::new(device, config, resources, side as u64);
    spawner.spawn(stack(runner).expect("a task of its own"));
    spawner.spawn(air(tx, to, RX[1 - side]).expect("a task of its own"));
    spawner.spawn(app(net, side).expect("a task of its own"));
    spawner.spawn(tick().expect("a task of its own"));
}

#[test]
fn two_stacks_talk_over_pools_that_run_empty() {
    let (device_0, radio_0) = driver(0);
    let (device_1, radio_1) = driver(1);
    radio_0.link.set(LinkState::Up);
    radio_1.link.set(LinkState::Up);
    let sides = [(device_0, radio_0.tx, radio_1.rx), (device_1, radio_1.tx, radio_0.rx)];
    let pools = || TX.iter().chain(&RX);
    thread::scope(|scope| {
        for (side, (device, tx, to)) in sides.into_iter().enumerate() {
            scope.spawn(move || {
                let executor = Box::leak(Box::new(Executor::new()));
                executor.run_until(
                    |spawner| start(spawner, side, device, tx, to),
                    || STOP.load(Relaxed),
                );
            });
        }
        let late = Instant::now() + Duration::from_secs(60);
        while DONE.load(Relaxed) < 2 || !pools().all(|pool| pool.is_idle()) {
            if Instant::now() > late {
                STOP.store(true, Relaxed);
                panic!(
                    "{} of 2 sides done; {:?}",
                    DONE.load(Relaxed),
                    pools().map(|pool| pool.stats().to_string()).collect::<Vec<_>>()
                );
            }
            thread::sleep(Duration::from_millis(5));
        }
        STOP.store(true, Relaxed);
    });
    for pool in TX {
        assert!(
            pool.stats().tiers()[0].missed > 0,
            "the transmit pool has never run empty: {}",
            pool.stats()
        );
    }
}
