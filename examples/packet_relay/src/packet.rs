//! Frames and packets of Reticulum's shapes.
//!
//! ```text
//!   frame    ├ link header (8) ─┼─ packet (at most MTU = 500) ─┤        at most 508, a LoRa modem's frame
//!   link     ├ sequence (4) ─┼ length (2) ┼ marks (2) ─┤
//!   packet   ├ flags (1) ┼ hops (1) ┼ [transport ID (16)] ┼ destination (16) ┼ context (1) ┼─ payload ─┤
//!            └────────────────── header: 19 bytes, 35 in transport ──────────────────────┘
//! ```
//!
//! The payload is one byte, repeated, so that a byte of another packet in it would show.

use std::ops::RangeInclusive;
use tierpool::{AllocError, BytesMut};

pub const LINK_HEADER: usize = 8;
const MARKS: [u8; 2] = *b"LK";
const IN_TRANSPORT: u8 = 0x40;

/// Offset of the hop count in a packet.
pub const HOPS: usize = 1;
pub const HOP_LIMIT: u8 = 128;
pub const DESTINATION: usize = 16;

/// One kind of packet: its share of the traffic, its header, and its payload.
struct Kind {
    /// In 100. The mix is this example's; the sizes are Reticulum's.
    share: u32,
    in_transport: bool,
    payload: RangeInclusive<usize>,
}

/// An encrypted payload of `plain` bytes: 48 bytes of token around blocks of 16, with the ephemeral
/// key of 32 bytes where no link has agreed on one.
const fn token(plain: usize) -> usize {
    48 + (plain + 1).next_multiple_of(16)
}

/// The payloads of proofs.
const PROOFS: [usize; 2] = [96, 64];

const KINDS: &[Kind] = &[
    // Announce: keys, hashes and signature, 148 bytes, then application data; with a ratchet 32
    // more.
    Kind { share: 20, in_transport: false, payload: 148..=148 + 32 },
    Kind { share: 10, in_transport: true, payload: 180..=180 + 32 },
    // Proof: a signature, with the packet's hash or without.
    Kind { share: 15, in_transport: false, payload: PROOFS[0]..=PROOFS[0] },
    Kind { share: 15, in_transport: false, payload: PROOFS[1]..=PROOFS[1] },
    // A single packet: up to 383 bytes of plain text.
    Kind { share: 20, in_transport: true, payload: 32 + token(1)..=32 + token(383) },
    // On a link: up to 431.
    Kind { share: 20, in_transport: false, payload: token(1)..=token(431) },
];

/// What the air carries next: enough to write the frame, and to know it again.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub sequence: u32,
    in_transport: bool,
    hops: u8,
    destination: u16,
    payload: usize,
    damaged: bool,
}

impl Shape {
    /// One frame in 512 is damaged, one in 64 goes to nobody we know, one in 256 has come too far.
    pub fn random(sequence: u32, random: &mut fastrand::Rng) -> Shape {
        let mut ticket = random.u32(..100);
        let drawn = KINDS.iter().find(|kind| match ticket.checked_sub(kind.share) {
            None => true,
            Some(rest) => {
                ticket = rest;
                false
            }
        });
        let kind = drawn.expect("the shares add up to 100");
        Shape {
            sequence,
            in_transport: kind.in_transport,
            hops: if random.u8(..) == 0 { HOP_LIMIT } else { random.u8(..8) },
            destination: random.u16(..64),
            payload: random.usize(kind.payload.clone()),
            damaged: random.u16(..512) == 0,
        }
    }

    /// Bytes of the frame.
    pub fn frame_len(&self) -> usize {
        LINK_HEADER + header_len(self.in_transport) + self.payload
    }

    /// Writes the frame, as a modem would over its bus.
    pub fn write(&self, frame: &mut BytesMut) -> Result<(), AllocError> {
        let length = (self.frame_len() - LINK_HEADER) as u16;
        frame.extend_from_slice(&link_header(
            self.sequence,
            if self.damaged { !length } else { length },
        ))?;
        frame.extend_from_slice(&[if self.in_transport { IN_TRANSPORT } else { 0 }, self.hops])?;
        if self.in_transport {
            frame.extend_from_slice(&[0x11; DESTINATION])?;
        }
        frame.extend_from_slice(&destination(self.destination))?;
        frame.push(0)?;
        frame.resize(self.frame_len(), filler(self.sequence))
    }
}

/// True for a proof, by its length.
pub fn is_proof(packet: &[u8]) -> bool {
    PROOFS.contains(&packet.len().saturating_sub(header_len(false)))
}

const fn header_len(in_transport: bool) -> usize {
    if in_transport { 35 } else { 19 }
}

/// The address of destination number `n`. Number 0 is in nobody's routing table.
pub fn destination(n: u16) -> [u8; DESTINATION] {
    let mut address = [0xd0; DESTINATION];
    address[..2].copy_from_slice(&n.to_le_bytes());
    address
}

pub fn link_header(sequence: u32, length: u16) -> [u8; LINK_HEADER] {
    let mut header = [0; LINK_HEADER];
    header[..4].copy_from_slice(&sequence.to_le_bytes());
    header[4..6].copy_from_slice(&length.to_le_bytes());
    header[6..].copy_from_slice(&MARKS);
    header
}

/// The sequence number of a frame, if its link header is right.
pub fn check_link_header(frame: &[u8]) -> Option<u32> {
    let (header, packet) = frame.split_first_chunk::<LINK_HEADER>()?;
    let sequence = u32::from_le_bytes(*header.first_chunk()?);
    (*header == link_header(sequence, packet.len() as u16)).then_some(sequence)
}

/// Where a packet wants to go; none if it is too short to say.
pub fn destination_of(packet: &[u8]) -> Option<&[u8]> {
    let payload = header_len(packet.first()? & IN_TRANSPORT != 0);
    packet.get(payload - 1 - DESTINATION..payload - 1)
}

/// Whether a packet is the one of that sequence number, with that hop count, byte for byte where it
/// can be told.
pub fn is_sound(packet: &[u8], sequence: u32, hops: u8) -> bool {
    let (header, payload) = packet.split_at(header_len(packet[0] & IN_TRANSPORT != 0));
    header[HOPS] == hops && payload.iter().all(|&byte| byte == filler(sequence))
}

fn filler(sequence: u32) -> u8 {
    sequence as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    tierpool::pool! { static POOL = default; }

    #[test]
    fn sizes_are_reticulums() {
        assert_eq!(KINDS.iter().map(|kind| kind.share).sum::<u32>(), 100);
        let largest = |kind: &Kind| header_len(kind.in_transport) + kind.payload.end();
        assert_eq!(KINDS.iter().map(largest).max(), Some(499), "within the MTU of 500");
        assert_eq!(header_len(false) + KINDS[0].payload.start(), 167);
        assert_eq!(header_len(false) + 180, 199);
        assert!(
            KINDS.iter().all(|kind| LINK_HEADER + largest(kind) <= 508),
            "within a LoRa modem's frame"
        );
    }

    #[test]
    fn what_is_written_is_known_again() {
        let mut random = fastrand::Rng::with_seed(7);
        for sequence in 0..1000 {
            let shape = Shape { damaged: false, ..Shape::random(sequence, &mut random) };
            let mut frame = POOL.alloc(shape.frame_len()).unwrap();
            shape.write(&mut frame).unwrap();
            assert_eq!(frame.len(), shape.frame_len());
            assert_eq!(check_link_header(&frame), Some(sequence));
            frame.advance(LINK_HEADER).unwrap();
            assert_eq!(destination_of(&frame), Some(&destination(shape.destination)[..]));
            assert_eq!(destination_of(&frame[..17]), None);
            assert!(is_sound(&frame, sequence, shape.hops));
            assert!(
                !is_sound(&frame, sequence, shape.hops + 1)
                    && !is_sound(&frame, sequence + 1, shape.hops)
            );
            *frame.last_mut().unwrap() ^= 1;
            assert!(!is_sound(&frame, sequence, shape.hops));
        }
    }

    #[test]
    fn damage_shows() {
        let shape = Shape { damaged: true, ..Shape::random(1, &mut fastrand::Rng::with_seed(7)) };
        let mut frame = POOL.alloc(shape.frame_len()).unwrap();
        shape.write(&mut frame).unwrap();
        assert_eq!(check_link_header(&frame), None);
    }
}
