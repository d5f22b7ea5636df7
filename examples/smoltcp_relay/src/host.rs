//! One host: an interface with one TCP socket, through which it sends its bytes and checks those
//! that come.

use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpCidr, Ipv4Address};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{self, Duration};

use crate::port::{Counts, Port};
use crate::stream::Stream;

/// More than the slots of a pool can hold: TCP would like to send more than there is room for.
const WINDOW: usize = 32 * 1024;
const TCP_PORT: u16 = 7;
/// A transfer that has not moved for so long does not end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which host. The left one connects, the right one listens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Address {
    Left,
    Right,
}

impl Address {
    fn peer(self) -> Address {
        match self {
            Address::Left => Address::Right,
            Address::Right => Address::Left,
        }
    }

    fn ip(self) -> Ipv4Address {
        Ipv4Address::new(10, 0, 0, self as u8 + 1)
    }

    /// What a host sends follows from this.
    fn seed(self) -> u64 {
        self as u64 + 1
    }
}

pub struct Host<'a> {
    port: Port<'a>,
    interface: Interface,
    sockets: SocketSet<'static>,
    socket: SocketHandle,
    bytes: u64,
    outgoing: Stream,
    incoming: Stream,
    first_wrong: Option<u64>,
}

/// What a host has seen.
#[derive(Debug)]
pub struct Outcome {
    pub sent: u64,
    pub received: u64,
    /// The first byte that is not what was sent.
    pub first_wrong: Option<u64>,
    pub closed: bool,
    pub counts: Counts,
}

impl<'a> Host<'a> {
    /// Has `bytes` to send, one of them wrong if `spoiled` says so, and expects as many.
    pub fn new(address: Address, mut port: Port<'a>, bytes: u64, spoiled: Option<u64>) -> Host<'a> {
        let mut interface =
            Interface::new(Config::new(HardwareAddress::Ip), &mut port, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(address.ip().into(), 24)).expect("room for one")
        });
        let buffer = || SocketBuffer::new(vec![0; WINDOW]);
        let mut tcp = Socket::new(buffer(), buffer());
        match address {
            Address::Left => tcp
                .connect(interface.context(), (address.peer().ip(), TCP_PORT), 49_152)
                .expect("a fresh socket"),
            Address::Right => tcp.listen(TCP_PORT).expect("a fresh socket"),
        }
        let mut sockets = SocketSet::new(vec![]);
        let socket = sockets.add(tcp);
        let [outgoing, incoming] =
            [Stream::new(address.seed(), spoiled), Stream::new(address.peer().seed(), None)];
        Host { port, interface, sockets, socket, bytes, outgoing, incoming, first_wrong: None }
    }

    /// Until both hosts have `finished`: one that is done still answers the other.
    pub fn run(mut self, finished: &AtomicUsize) -> Outcome {
        let start = time::Instant::now();
        let (mut moved, mut last_moved, mut closed) = (0, start, false);
        // Relaxed: nothing is handed over by it; the threads are joined.
        while finished.load(Relaxed) < 2 && last_moved.elapsed() < PATIENCE {
            let now = Instant::from_micros(start.elapsed().as_micros() as i64);
            let result = self.interface.poll(now, &mut self.port, &mut self.sockets);
            self.send_and_check();
            let position = self.outgoing.position() + self.incoming.position();
            if position > moved {
                (moved, last_moved) = (position, time::Instant::now());
            }
            if !closed && self.is_closed() {
                closed = true;
                finished.fetch_add(1, Relaxed);
            }
            if result == PollResult::None {
                thread::yield_now(); // the peer's turn
            }
        }
        let (sent, received) = (self.outgoing.position(), self.incoming.position());
        Outcome { sent, received, first_wrong: self.first_wrong, closed, counts: self.port.counts }
    }

    fn send_and_check(&mut self) {
        let socket = self.sockets.get_mut::<Socket>(self.socket);
        let left = self.bytes - self.outgoing.position();
        if left == 0 {
            socket.close();
        } else if socket.can_send() {
            let sent = socket.send(|free| {
                let chunk = free.len().min(left.try_into().unwrap_or(usize::MAX));
                self.outgoing.fill(&mut free[..chunk]);
                (chunk, ())
            });
            sent.expect("the socket is open");
        }
        // What lies in a ring is up to two pieces.
        while socket.can_recv() {
            let received = socket.recv(|bytes| {
                let wrong = self.incoming.check(bytes);
                self.first_wrong = self.first_wrong.or(wrong);
                (bytes.len(), ())
            });
            received.expect("there is something to read");
        }
    }

    /// Both directions have been closed, our end acknowledged, and all that came has been checked.
    fn is_closed(&self) -> bool {
        let socket = self.sockets.get::<Socket>(self.socket);
        self.outgoing.position() == self.bytes
            && matches!(socket.state(), State::Closed | State::TimeWait)
            && !socket.can_recv()
    }
}
