//! Two controllers without a radio: what one host sends, the other one receives.
//!
//! ```text
//!   host 0 ── command, ACL data ──► Radio 0 ──┐ shared: a queue for each host
//!     ▲───── event, ACL data ◄──── queue 0 ◄──┤
//!   host 1 ── command, ACL data ──► Radio 1 ──┤
//!     ▲───── event, ACL data ◄──── queue 1 ◄──┘
//! ```
//!
//! It knows the commands that a connection takes, and answers all others with success. The numbers
//! are those of the Bluetooth Core Specification, volume 4, part E.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use bt_hci::transport::{PacketKind, PacketToController, PacketToHost, Transport};
use bt_hci_transport::ReadHciError;

/// The handle of the one connection.
const CONNECTION: [u8; 2] = [1, 0];
/// Bytes of one ACL packet: so few that larger messages are cut, and put together again.
const ACL_BYTES: u8 = 64;
/// ACL packets that a controller keeps.
const ACL_PACKETS: u8 = 4;

const DISCONNECT: u16 = 0x0406;
const READ_ADDRESS: u16 = 0x1009;
const READ_BUFFER_SIZE: u16 = 0x2002;
const SET_RANDOM_ADDRESS: u16 = 0x2005;
const ADVERTISE: u16 = 0x200A;
const CONNECT: u16 = 0x200D;
const READ_ACCEPT_LIST_SIZE: u16 = 0x200F;

const DISCONNECTED: u8 = 0x05;
const COMMAND_COMPLETE: u8 = 0x0E;
const COMMAND_STATUS: u8 = 0x0F;
const PACKETS_SENT: u8 = 0x13;
const LE_META: u8 = 0x3E;
const LE_CONNECTED: u8 = 0x01;

/// One controller.
#[derive(Default)]
struct Half {
    to_host: VecDeque<(PacketKind, Vec<u8>)>,
    reader: Option<Waker>,
    address: [u8; 6],
    advertises: bool,
    initiates: bool,
}

impl Half {
    fn send(&mut self, kind: PacketKind, packet: Vec<u8>) {
        self.to_host.push_back((kind, packet));
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn event(&mut self, code: u8, parameters: &[u8]) {
        self.send(PacketKind::Event, [&[code, parameters.len() as u8], parameters].concat());
    }
}

/// A controller as its host sees it.
pub struct Radio {
    air: Rc<RefCell<[Half; 2]>>,
    number: usize,
}

/// Both controllers.
pub fn radios() -> [Radio; 2] {
    let air = Rc::<RefCell<[Half; 2]>>::default();
    [0, 1].map(|number| Radio { air: air.clone(), number })
}

impl Radio {
    fn command(&self, opcode: u16, parameters: &[u8]) {
        let mut air = self.air.borrow_mut();
        let own = &mut air[self.number];
        let [low, high] = opcode.to_le_bytes();
        if matches!(opcode, CONNECT | DISCONNECT) {
            own.event(COMMAND_STATUS, &[0, 1, low, high]);
        } else {
            let result: &[u8] = match opcode {
                READ_ADDRESS => &[self.number as u8 + 1; 6],
                READ_BUFFER_SIZE => &[ACL_BYTES, 0, ACL_PACKETS],
                READ_ACCEPT_LIST_SIZE => &[8],
                _ => &[],
            };
            own.event(COMMAND_COMPLETE, &[&[1, low, high, 0], result].concat());
        }
        match opcode {
            SET_RANDOM_ADDRESS => own.address.copy_from_slice(parameters),
            ADVERTISE => own.advertises = parameters[0] == 1,
            CONNECT => own.initiates = true,
            DISCONNECT => {
                let [handle_low, handle_high] = CONNECTION;
                for half in air.iter_mut() {
                    half.event(DISCONNECTED, &[0, handle_low, handle_high, parameters[2]]);
                }
            }
            _ => {}
        }
        connect(&mut air);
    }

    /// ACL data of this host go to the other one.
    fn data(&self, mut packet: Vec<u8>) {
        // A packet that begins a message has other bits on its way to a host.
        if packet[1] & 0x30 == 0 {
            packet[1] |= 0x20;
        }
        let mut air = self.air.borrow_mut();
        let [handle_low, handle_high] = CONNECTION;
        air[1 - self.number].send(PacketKind::AclData, packet);
        air[self.number].event(PACKETS_SENT, &[1, handle_low, handle_high, 1, 0]);
    }
}

/// Connects, if one advertises and the other one asks for a connection.
fn connect(air: &mut [Half; 2]) {
    let Some(central) = (0..2).find(|&half| air[half].initiates && air[1 - half].advertises) else {
        return;
    };
    for number in 0..2 {
        let peer = air[1 - number].address;
        let role = u8::from(number != central);
        let mut event = vec![LE_CONNECTED, 0, CONNECTION[0], CONNECTION[1], role, 1];
        event.extend(peer);
        // Interval, latency, timeout, accuracy of the clock.
        event.extend([24, 0, 0, 0, 200, 0, 0]);
        let half = &mut air[number];
        (half.advertises, half.initiates) = (false, false);
        half.event(LE_META, &event);
    }
}

impl embedded_io::ErrorType for Radio {
    type Error = ReadHciError<Infallible>;
}

impl Transport for Radio {
    async fn read<'a, P: PacketToHost<'a>>(&self, rx: &'a mut [u8]) -> Result<P, Self::Error> {
        let (kind, packet) = poll_fn(|cx| {
            let own = &mut self.air.borrow_mut()[self.number];
            match own.to_host.pop_front() {
                Some(packet) => Poll::Ready(packet),
                None => {
                    own.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await;
        P::read_hci(kind, &mut packet.as_slice(), rx)
    }

    async fn write<P: PacketToController>(&self, tx: &P) -> Result<(), Self::Error> {
        let mut packet = vec![0; tx.size()];
        tx.write_hci(packet.as_mut_slice()).expect("as long as its size");
        match P::KIND {
            PacketKind::Cmd => {
                self.command(u16::from_le_bytes([packet[0], packet[1]]), &packet[3..]);
            }
            PacketKind::AclData => self.data(packet),
            kind => unimplemented!("{kind:?}"),
        }
        Ok(())
    }
}
