//! What a chip has, and esp-hal leaves to it: kinds of memory, a cache, a channel of the DMA.

use crate::dma::{DmaDescriptor, DmaRxBuffer, DmaTxBuffer, Owner, Preparation};
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Where memory lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Internal,
    Psram,
    Flash,
}

static PLACES: Mutex<Vec<(Range<usize>, Place)>> = Mutex::new(Vec::new());

/// Says that these addresses lie elsewhere than in internal RAM, for ever.
pub fn place(addresses: Range<usize>, place: Place) {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner).push((addresses, place));
}

pub fn place_of(address: usize) -> Place {
    let places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    let found = places.iter().find(|(addresses, _)| addresses.contains(&address));
    found.map_or(Place::Internal, |(_, place)| *place)
}

pub fn is_internal(address: usize) -> bool {
    place_of(address) == Place::Internal
}

/// What lies behind the cache. It holds lines of 64 bytes. Behind a line that was never written
/// back nor invalidated lies [`UNKNOWN`](memory::UNKNOWN): such a line is taken for one that a core
/// has written, which goes to memory later, over what the DMA writes.
///
/// ```text
///   cores ── the program's own memory ── write_back ──► behind ──► the DMA
///                                     ◄── invalidate ──        ◄──
/// ```
pub mod memory {
    use super::{Place, place_of};
    use std::collections::BTreeMap;
    use std::sync::{Mutex, PoisonError};

    pub const LINE: usize = 64;
    pub const UNKNOWN: u8 = 0xEE;

    static BEHIND: Mutex<BTreeMap<usize, [u8; LINE]>> = Mutex::new(BTreeMap::new());

    fn is_cached(address: usize) -> bool {
        match place_of(address) {
            Place::Internal => cfg!(feature = "esp32p4"),
            Place::Psram => true,
            Place::Flash => false,
        }
    }

    /// Calls `work` with each line of a range, and what lies behind it.
    fn lines(
        start: *const u8,
        bytes: usize,
        is_known: bool,
        mut work: impl FnMut(*mut u8, &mut [u8; LINE]),
    ) {
        let mut behind = BEHIND.lock().unwrap_or_else(PoisonError::into_inner);
        let first = start.addr() / LINE * LINE;
        for line in (first..start.addr() + bytes).step_by(LINE) {
            let mut unknown = [UNKNOWN; LINE];
            let content = match is_known {
                true => behind.entry(line).or_insert(unknown),
                false => behind.get_mut(&line).unwrap_or(&mut unknown),
            };
            work(start.cast_mut().with_addr(line), content);
        }
    }

    pub fn write_back(start: *const u8, bytes: usize) {
        if bytes > 0 && is_cached(start.addr()) {
            // SAFETY: whole lines of a static, as on the chip: payload of a pool and memory for
            // descriptors begin and end on lines.
            lines(start, bytes, true, |line, content| unsafe {
                content.copy_from_slice(std::slice::from_raw_parts(line, LINE));
            });
        }
    }

    pub fn invalidate(start: *const u8, bytes: usize) {
        if bytes > 0 && is_cached(start.addr()) {
            // SAFETY: as above; the caller owns the lines. Where it does not, a test sees what it
            // has overwritten.
            lines(start, bytes, true, |line, content| unsafe {
                line.copy_from_nonoverlapping(content.as_ptr(), LINE);
            });
        }
    }

    /// As the DMA reads.
    pub(super) fn read(start: *const u8, bytes: usize) -> Vec<u8> {
        if !is_cached(start.addr()) {
            // SAFETY: a descriptor, or what one names: its owner keeps it allocated.
            return unsafe { std::slice::from_raw_parts(start, bytes) }.to_vec();
        }
        let mut read = Vec::new();
        lines(start, bytes, false, |line, content| {
            let from = start.addr().saturating_sub(line.addr());
            let to = (start.addr() + bytes - line.addr()).min(LINE);
            read.extend_from_slice(&content[from..to]);
        });
        read
    }

    /// As the DMA writes.
    pub(super) fn write(start: *mut u8, bytes: &[u8]) {
        if !is_cached(start.addr()) {
            // SAFETY: as above; for this the owner has lent it.
            unsafe { start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            return;
        }
        let mut rest = bytes;
        lines(start, bytes.len(), false, |line, content| {
            let from = start.addr().saturating_sub(line.addr());
            let part = rest.len().min(LINE - from);
            content[from..from + part].copy_from_slice(&rest[..part]);
            rest = &rest[part..];
        });
    }
}

/// A channel of the DMA: it follows descriptors, as hardware does, when a test says so.
#[derive(Debug)]
pub struct Channel(*mut DmaDescriptor);

impl Channel {
    /// A channel that will start at the descriptors of a buffer.
    pub fn new(preparation: Preparation) -> Channel {
        Channel(preparation.start)
    }

    fn descriptor(&self) -> DmaDescriptor {
        let bytes = memory::read(self.0.cast(), size_of::<DmaDescriptor>());
        // SAFETY: as many bytes as one has, which has no padding, and any bytes are one.
        unsafe { bytes.as_ptr().cast::<DmaDescriptor>().read_unaligned() }
    }

    /// The peripheral has received these bytes, which end a packet. Returns how many had room.
    pub fn receive(&mut self, packet: &[u8]) -> usize {
        let mut taken = 0;
        while taken < packet.len() && !self.0.is_null() {
            let mut descriptor = self.descriptor();
            assert_eq!(descriptor.owner(), Owner::Dma);
            let part = descriptor.size().min(packet.len() - taken);
            memory::write(descriptor.buffer, &packet[taken..taken + part]);
            taken += part;
            descriptor.set_length(part);
            descriptor.set_owner(Owner::Cpu);
            self.write(&descriptor);
            self.0 = descriptor.next;
        }
        taken
    }

    /// The hardware is wrong: the current descriptor says so many bytes.
    pub fn claim(&mut self, bytes: usize) {
        let mut descriptor = self.descriptor();
        descriptor.set_length(bytes);
        self.write(&descriptor);
    }

    fn write(&self, descriptor: &DmaDescriptor) {
        // SAFETY: without padding, each of its bytes is initialised.
        let bytes = unsafe {
            std::slice::from_raw_parts(
                (&raw const *descriptor).cast::<u8>(),
                size_of::<DmaDescriptor>(),
            )
        };
        memory::write(self.0.cast(), bytes);
    }

    /// What the peripheral gets to send, and the bytes of each descriptor.
    pub fn send(&mut self) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut parts) = (Vec::new(), Vec::new());
        while !self.0.is_null() {
            let descriptor = self.descriptor();
            assert_eq!(descriptor.owner(), Owner::Dma);
            assert_eq!(descriptor.flags.suc_eof(), descriptor.next.is_null());
            assert!(descriptor.len() <= descriptor.size());
            bytes.extend(memory::read(descriptor.buffer, descriptor.len()));
            parts.push(descriptor.len());
            self.0 = descriptor.next;
        }
        (bytes, parts)
    }
}

/// A transfer, which owns a buffer while the channel works, as those of esp-hal's drivers.
macro_rules! transfer {
    ($name:ident, $buffer:ident) => {
        pub struct $name<B: $buffer> {
            pub channel: Channel,
            view: ManuallyDrop<B::View>,
        }

        impl<B: $buffer> $name<B> {
            pub fn start(mut buffer: B) -> Self {
                let channel = Channel::new(buffer.prepare());
                $name { channel, view: ManuallyDrop::new(buffer.into_view()) }
            }

            /// The DMA has stopped.
            pub fn stop(mut self) -> B::Final {
                // SAFETY: once: this value is forgotten.
                let view = unsafe { ManuallyDrop::take(&mut self.view) };
                std::mem::forget(self);
                B::from_view(view)
            }

            /// As `wait` of the asynchronous UHCI driver of esp-hal 1.2.2 behind an error: it turns
            /// the view back, and its drop does so once more.
            pub fn stop_twice(mut self) -> B::Final {
                // SAFETY: none. A buffer has to bear it.
                B::from_view(unsafe { ManuallyDrop::take(&mut self.view) })
            }
        }

        impl<B: $buffer> Drop for $name<B> {
            fn drop(&mut self) {
                // SAFETY: nobody uses it afterwards.
                drop(B::from_view(unsafe { ManuallyDrop::take(&mut self.view) }));
            }
        }
    };
}

transfer!(Receive, DmaRxBuffer);
transfer!(Send, DmaTxBuffer);
