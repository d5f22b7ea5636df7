//! Core 1: strips the link header, routes, and gives every packet to three interfaces, each in its
//! own way.

use std::collections::{HashSet, VecDeque};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;
use tierpool::{AllocError, Bytes, BytesMut};

use crate::TX;
use crate::packet::{self, DESTINATION, HOP_LIMIT, HOPS, LINK_HEADER};
use crate::traffic::{Cause, Traffic, count};

/// Routes until the radio has hung up, then sends what still waits.
pub fn route(traffic: &Traffic, radio: Receiver<BytesMut>) {
    let mut router = Router {
        traffic,
        routes: (1..64).map(packet::destination).collect(),
        wifi: Interface::new(&"waits for WiFi"),
        serial: Interface::new(&"waits for the serial line"),
        lora: Interface::new(&"waits for LoRa"),
        random: fastrand::Rng::with_seed(2),
        lora_frames: 0,
    };
    loop {
        // Polled: the core has nothing else to do, and to put its thread to sleep and wake it costs
        // more than a burst.
        match radio.try_recv() {
            Ok(frame) => {
                match router.forward(frame) {
                    Ok(()) => count(&traffic.routed),
                    Err(cause) => traffic.drop_for(cause),
                }
                traffic.handled();
                router.transmit();
            }
            Err(TryRecvError::Empty) => thread::yield_now(),
            Err(TryRecvError::Disconnected) => return router.finish(),
        }
    }
}

struct Router<'a> {
    traffic: &'a Traffic,
    /// Addresses are of a fixed size: they lie in the table itself, not in buffers of a pool.
    routes: HashSet<[u8; DESTINATION]>,
    wifi: Interface,
    serial: Interface,
    lora: Interface,
    random: fastrand::Rng,
    lora_frames: u32,
}

impl Router<'_> {
    fn forward(&mut self, mut frame: BytesMut) -> Result<(), Cause> {
        let sequence = packet::check_link_header(&frame).ok_or(Cause::DamagedOnAir)?;
        frame.advance(LINK_HEADER).map_err(|_| Cause::DamagedOnAir)?;
        let packet = frame.freeze();
        let destination = packet::destination_of(&packet).ok_or(Cause::DamagedOnAir)?;
        if !self.routes.contains(destination) {
            return Err(Cause::NoRoute);
        }
        let hops = packet[HOPS];
        if hops >= HOP_LIMIT {
            return Err(Cause::HopLimit);
        }
        // WiFi takes the received buffer as it is.
        self.wifi.enqueue(
            self.traffic,
            || Ok(packet.clone()),
            Expected { sequence, hops, front: 0 },
        );
        // Serial gets another hop count: one byte, and with it a copy of its own, since WiFi holds
        // the original.
        let expected = Expected { sequence, hops: hops + 1, front: 0 };
        self.serial.enqueue(self.traffic, || one_hop_more(packet.clone()), expected);
        // LoRa wants a link header in front, which the copy has room for.
        self.lora_frames += 1;
        let expected = Expected { sequence, hops, front: LINK_HEADER };
        self.lora.enqueue(self.traffic, || with_link_header(packet, self.lora_frames), expected);
        Ok(())
    }

    /// What the interfaces manage while the next packet comes in: WiFi everything, the serial line
    /// two packets, LoRa six, if nobody else is on the air.
    fn transmit(&mut self) {
        self.wifi.transmit(self.traffic, usize::MAX);
        self.serial.transmit(self.traffic, 2);
        if self.random.u8(..4) == 0 {
            self.lora.transmit(self.traffic, 6);
        }
    }

    fn finish(&mut self) {
        for interface in [&mut self.wifi, &mut self.serial, &mut self.lora] {
            interface.transmit(self.traffic, usize::MAX);
        }
    }
}

fn one_hop_more(mut packet: Bytes) -> Result<Bytes, AllocError> {
    if packet::is_proof(&packet) {
        let mut copy = TX.alloc_reserved(packet.len())?;
        copy.extend_from_slice(&packet)?;
        copy[HOPS] += 1;
        return Ok(copy.freeze());
    }
    packet.make_mut_in(&TX)?[HOPS] += 1;
    Ok(packet)
}

fn with_link_header(packet: Bytes, sequence: u32) -> Result<Bytes, AllocError> {
    let length = packet.len() as u16;
    let mut frame = packet.into_mut_in(&TX, LINK_HEADER)?;
    frame.prepend(&packet::link_header(sequence, length))?;
    Ok(frame.freeze())
}

/// What must come out of an interface.
struct Expected {
    sequence: u32,
    hops: u8,
    /// Bytes of link header in front of the packet.
    front: usize,
}

/// A queue of packets that wait for the line.
struct Interface {
    queue: VecDeque<(Bytes, Expected)>,
    /// Who holds a packet in the queue.
    holder: &'static &'static str,
}

impl Interface {
    const QUEUE: usize = 8;

    fn new(holder: &'static &'static str) -> Interface {
        Interface { queue: VecDeque::new(), holder }
    }

    /// Makes the packet, if there is room for it to wait.
    fn enqueue(
        &mut self,
        traffic: &Traffic,
        make: impl FnOnce() -> Result<Bytes, AllocError>,
        expected: Expected,
    ) {
        if self.queue.len() == Self::QUEUE {
            return traffic.drop_for(Cause::QueueFull);
        }
        match make() {
            Ok(packet) => {
                packet.mark(self.holder);
                self.queue.push_back((packet, expected));
            }
            Err(_) => traffic.drop_for(Cause::NoTransmitBuffer),
        }
    }

    /// Sends up to `most` packets, and looks at each for the last time.
    fn transmit(&mut self, traffic: &Traffic, most: usize) {
        let ready = self.queue.len().min(most);
        for (bytes, Expected { sequence, hops, front }) in self.queue.drain(..ready) {
            let header_is_right = front == 0 || packet::check_link_header(&bytes).is_some();
            if !header_is_right || !packet::is_sound(&bytes[front..], sequence, hops) {
                count(&traffic.spoiled);
            }
            count(&traffic.sent);
        }
    }
}
