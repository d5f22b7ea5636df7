//! The DMA writes into buffers of a pool: a channel that follows descriptors, as hardware does, on
//! the stand-in for esp-hal (`tests/esp-hal`).

mod common;

use common::{ALIGN, descriptors, pattern};
use esp_hal::dma::aligned::InternalMemory;
use esp_hal::dma::{DmaDescriptor, DmaRxBuffer, Preparation};
use esp_hal::host::{self, Channel, Place, Receive};
use tierpool_esp_hal::{CHUNK, Descriptors, Error, RxBuffer};

#[test]
fn received_bytes_come_behind_the_data() {
    tierpool::pool! { static POOL = [512 x 2], align = 64; }
    let mut buffer = POOL.alloc(500).unwrap();
    buffer.resize(ALIGN, b'h').unwrap();
    let start = buffer.as_ptr();
    let to_fill = RxBuffer::new(descriptors::<1>(), buffer).unwrap();
    assert_eq!(to_fill.room(), 512 - ALIGN);

    let mut transfer = Receive::start(to_fill);
    assert_eq!(transfer.channel.receive(b"a packet"), 8);
    let (descriptors, buffer) = transfer.stop();
    assert_eq!((buffer.as_ptr(), descriptors.count()), (start, 1));
    assert!(buffer[..ALIGN].iter().all(|byte| *byte == b'h'));
    assert_eq!(buffer[ALIGN..], *b"a packet");
    drop(buffer);
    POOL.assert_idle();
}

/// As the SPI driver, which keeps the buffer itself, and returns that.
#[test]
fn a_driver_may_return_the_buffer_itself() {
    tierpool::pool! { static POOL = [512 x 1], align = 64; }
    let mut to_fill = RxBuffer::new(descriptors::<1>(), POOL.alloc(500).unwrap()).unwrap();
    let mut channel = Channel::new(to_fill.prepare());
    channel.receive(b"a packet");
    let (descriptors, buffer) = to_fill.into_parts();
    assert_eq!(buffer, "a packet");
    drop(buffer);
    // One that was not prepared.
    let to_fill = RxBuffer::new(descriptors, POOL.alloc(500).unwrap()).unwrap();
    assert!(to_fill.into_parts().1.is_empty());
}

#[test]
fn descriptors_serve_one_transfer_after_another() {
    tierpool::pool! { static POOL = [512 x 1], align = 64; }
    let mut descriptors = descriptors::<3>();
    for packet in [&b"the first, which is longer"[..], b"second", b""] {
        let to_fill = RxBuffer::new(descriptors, POOL.alloc(500).unwrap()).unwrap();
        let mut transfer = Receive::start(to_fill);
        transfer.channel.receive(packet);
        let (again, buffer) = transfer.stop();
        assert_eq!(buffer, packet);
        descriptors = again;
    }
}

#[test]
fn a_large_buffer_takes_several_descriptors() {
    tierpool::pool! { static POOL = [16384 x 1], align = 64; }
    let packet = pattern(2 * CHUNK + 100);
    let to_fill = RxBuffer::new(descriptors::<5>(), POOL.alloc(16384).unwrap()).unwrap();
    assert_eq!(to_fill.room(), 16384);
    let mut transfer = Receive::start(to_fill);
    assert_eq!(transfer.channel.receive(&packet), packet.len());
    assert_eq!(transfer.stop().1, packet);
}

#[test]
fn a_full_buffer_is_full() {
    tierpool::pool! { static POOL = [8192 x 1], align = 64; }
    let packet = pattern(8200);
    let to_fill = RxBuffer::new(descriptors::<3>(), POOL.alloc(8192).unwrap()).unwrap();
    let mut transfer = Receive::start(to_fill);
    assert_eq!(transfer.channel.receive(&packet), 8192);
    assert_eq!(transfer.stop().1, packet[..8192]);
}

/// Between the packets lie bytes that nobody has written.
#[test]
fn bytes_behind_a_gap_do_not_count() {
    tierpool::pool! { static POOL = [16384 x 1], align = 64; }
    let to_fill = RxBuffer::new(descriptors::<5>(), POOL.alloc(16384).unwrap()).unwrap();
    let mut transfer = Receive::start(to_fill);
    transfer.channel.receive(b"one packet");
    transfer.channel.receive(b"another");
    assert_eq!(transfer.stop().1, "one packet");
}

#[test]
fn more_than_there_is_room_for_is_not_believed() {
    tierpool::pool! { static POOL = [512 x 1], align = 64; }
    let to_fill = RxBuffer::new(descriptors::<1>(), POOL.alloc(500).unwrap()).unwrap();
    let mut transfer = Receive::start(to_fill);
    transfer.channel.claim(4095);
    assert_eq!(transfer.stop().1.len(), 512);
    tierpool::pool! { static LARGE = [16384 x 1], align = 64; }
    let to_fill = RxBuffer::new(descriptors::<5>(), LARGE.alloc(16384).unwrap()).unwrap();
    let mut transfer = Receive::start(to_fill);
    transfer.channel.claim(4095);
    assert_eq!(transfer.stop().1.len(), CHUNK);
}

// ---- transfers that end otherwise

#[test]
fn a_transfer_that_stops_early_keeps_nothing() {
    tierpool::pool! { static POOL = [512 x 1], align = 64; }
    let descriptors = descriptors::<1>();
    let transfer = Receive::start(RxBuffer::new(descriptors, POOL.alloc(500).unwrap()).unwrap());
    let (descriptors, buffer) = transfer.stop();
    assert!(buffer.is_empty());
    drop(buffer);
    drop(Receive::start(RxBuffer::new(descriptors, POOL.alloc(500).unwrap()).unwrap()));
    POOL.assert_idle();
}

#[test]
fn a_forgotten_transfer_keeps_its_slot() {
    tierpool::pool! { static POOL = [512 x 1], align = 64; }
    let to_fill = RxBuffer::new(descriptors::<1>(), POOL.alloc(500).unwrap()).unwrap();
    std::mem::forget(Receive::start(to_fill));
    assert!(POOL.alloc(500).is_err());
}

#[test]
fn a_view_that_is_turned_back_twice_is_one() {
    tierpool::pool! { static POOL = [512 x 2], align = 64; }
    let to_fill = RxBuffer::new(descriptors::<1>(), POOL.alloc(500).unwrap()).unwrap();
    let mut transfer = Receive::start(to_fill);
    transfer.channel.receive(b"a packet");
    let (descriptors, buffer) = transfer.stop_twice();
    assert_eq!(buffer, "a packet");
    let other = POOL.alloc(500).unwrap();
    assert!(other.as_ptr() != buffer.as_ptr(), "the slot is free, and in use");
    drop((buffer, other));
    POOL.assert_idle();
    // They serve again.
    let to_fill = RxBuffer::new(descriptors, POOL.alloc(500).unwrap()).unwrap();
    let mut transfer = Receive::start(to_fill);
    transfer.channel.receive(b"another");
    assert_eq!(transfer.stop().1, "another");
}

/// What the transfer before has left in the descriptors is not of this one.
#[test]
fn a_view_without_a_transfer_has_received_nothing() {
    tierpool::pool! { static POOL = [512 x 1], align = 64; }
    let to_fill = RxBuffer::new(descriptors::<1>(), POOL.alloc(500).unwrap()).unwrap();
    let mut transfer = Receive::start(to_fill);
    transfer.channel.receive(b"a packet");
    let (descriptors, buffer) = transfer.stop();
    drop(buffer);
    let to_fill = RxBuffer::new(descriptors, POOL.alloc(500).unwrap()).unwrap();
    let (_, buffer) = RxBuffer::from_view(to_fill.into_view());
    assert!(buffer.is_empty() && buffer.capacity() == 512);
}

#[test]
fn memory_of_descriptors_may_hold_anything() {
    tierpool::pool! { static POOL = [512 x 1], align = 64; }
    let mut used = DmaDescriptor::EMPTY;
    used.buffer = std::ptr::dangling_mut();
    used.set_size(100);
    used.set_length(100);
    let descriptors = Descriptors::new(Box::leak(Box::new(InternalMemory::new([used]))));
    let to_fill = RxBuffer::new(descriptors, POOL.alloc(500).unwrap()).unwrap();
    assert!(to_fill.into_parts().1.is_empty());
}

#[test]
fn a_transfer_that_did_not_start_gives_all_back() {
    tierpool::pool! { static POOL = [512 x 1], align = 64; }
    let mut to_fill = RxBuffer::new(descriptors::<1>(), POOL.alloc(500).unwrap()).unwrap();
    to_fill.prepare();
    let (descriptors, buffer) = to_fill.into_parts();
    assert!(buffer.is_empty());
    let mut to_fill = RxBuffer::new(descriptors, buffer).unwrap();
    let first = to_fill.prepare();
    assert_eq!(to_fill.prepare(), first, "not the same again");
    let Preparation { start, check_owner, auto_write_back, .. } = first;
    assert!(!start.is_null() && check_owner.is_none() && auto_write_back);
}

// ---- what is refused

#[test]
fn no_room_is_refused() {
    tierpool::pool! { static POOL = [64 x 1], align = 64; }
    let refused = RxBuffer::new(descriptors::<1>(), POOL.zeroed(64).unwrap()).unwrap_err();
    assert_eq!(refused.error, Error::Empty);
    assert_eq!(refused.buffer, [0; 64]);
}

#[test]
fn room_that_starts_anywhere_is_refused() {
    tierpool::pool! { static POOL = [512 x 1], align = 64; }
    let refused = RxBuffer::new(descriptors::<1>(), POOL.copy_from_slice(b"x").unwrap());
    let refused = refused.unwrap_err();
    assert_eq!(refused.error, Error::Unaligned { align: ALIGN });
    assert_eq!(refused.buffer, "x");
}

/// A line of the cache that is only in part the buffer's is none of its room.
#[test]
fn room_is_whole_lines() {
    tierpool::pool! { static POOL = [502 x 1]; }
    let to_fill = RxBuffer::new(descriptors::<1>(), POOL.alloc(502).unwrap()).unwrap();
    assert_eq!(to_fill.room(), 502 / ALIGN * ALIGN);
    let mut transfer = Receive::start(to_fill);
    let packet = pattern(600);
    assert_eq!(transfer.channel.receive(&packet), 502 / ALIGN * ALIGN);
    assert_eq!(transfer.stop().1, packet[..502 / ALIGN * ALIGN]);
}

#[test]
fn too_few_descriptors_are_refused() {
    tierpool::pool! { static POOL = [8192 x 1], align = 64; }
    let refused = RxBuffer::new(descriptors::<2>(), POOL.alloc(8192).unwrap()).unwrap_err();
    assert_eq!(refused.error, Error::TooFewDescriptors { needed: 3, available: 2 });
    assert_eq!(refused.to_string(), "needs 3 descriptors, has 2");
    assert_eq!((refused.descriptors.count(), refused.buffer.capacity()), (2, 8192));
    let refused = RxBuffer::new(descriptors::<0>(), refused.buffer).unwrap_err();
    assert_eq!(refused.error, Error::TooFewDescriptors { needed: 3, available: 0 });
}

#[test]
fn a_descriptor_takes_at_most_4095_bytes() {
    tierpool::pool! { static POOL = [65536 x 1], align = 64; }
    let to_fill = RxBuffer::new(descriptors::<17>(), POOL.alloc(65536).unwrap()).unwrap();
    let mut transfer = Receive::start(to_fill);
    let packet = pattern(65536);
    assert_eq!(transfer.channel.receive(&packet), 65536);
    assert_eq!(transfer.stop().1, packet);
}

// ---- PSRAM

#[test]
fn psram_is_for_chips_whose_dma_reaches_it() {
    tierpool::pool! { static POOL = [1024 x 1], align = 128; }
    let buffer = POOL.alloc(1024).unwrap();
    let start = buffer.as_ptr().addr();
    host::place(start..start + 1024, Place::Psram);
    let to_fill = RxBuffer::new(descriptors::<1>(), buffer);

    #[cfg(feature = "_psram")]
    {
        let mut to_fill = to_fill.unwrap();
        assert!(to_fill.prepare().accesses_psram);
        let mut transfer = Receive::start(to_fill);
        transfer.channel.receive(b"a packet");
        assert_eq!(transfer.stop().1, "a packet");
        tierpool::pool! { static INTERNAL = [512 x 1], align = 64; }
        let mut internal = RxBuffer::new(descriptors::<1>(), INTERNAL.alloc(9).unwrap()).unwrap();
        assert!(!internal.prepare().accesses_psram);
    }
    #[cfg(not(feature = "_psram"))]
    {
        let refused = to_fill.unwrap_err();
        assert_eq!(refused.error, Error::OutOfReach);
        assert_eq!(refused.buffer.capacity(), 1024);
    }
}
