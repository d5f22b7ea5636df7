//! The DMA reads shared bytes where they are: on the stand-in for esp-hal (`tests/esp-hal`).

mod common;

use common::{descriptors, pattern};
use esp_hal::dma::{DmaTxBuffer, Preparation};
use esp_hal::host::{self, Place, Send};
use tierpool::Bytes;
use tierpool_esp_hal::{CHUNK, Error, TxBuffer};

#[test]
fn shared_bytes_are_sent_where_they_are() {
    tierpool::pool! { static POOL = [512 x 1]; }
    let packet = POOL.copy_from_slice(b"a packet").unwrap().freeze();
    let mut transfer = Send::start(TxBuffer::new(descriptors::<1>(), packet.clone()).unwrap());
    assert_eq!(transfer.channel.send(), (b"a packet".to_vec(), vec![8]));
    let (descriptors, sent) = transfer.stop();
    assert_eq!((sent.as_ptr(), descriptors.count()), (packet.as_ptr(), 1));
    drop((sent, packet));
    POOL.assert_idle();
}

/// While the DMA reads, a change goes to a copy.
#[test]
fn bytes_on_their_way_do_not_change() {
    tierpool::pool! { static POOL = [512 x 2]; }
    let mut packet = POOL.copy_from_slice(b"hop 0").unwrap().freeze();
    let mut transfer = Send::start(TxBuffer::new(descriptors::<1>(), packet.clone()).unwrap());
    packet = packet.try_into_mut().unwrap_err();
    packet.make_mut().unwrap()[4] = b'1';
    assert_eq!(packet, "hop 1");
    assert_eq!(transfer.channel.send().0, b"hop 0");
    drop(transfer);
    assert_eq!(POOL.stats().tiers()[0].in_use, 1);
}

#[test]
fn two_transfers_send_the_same_bytes() {
    tierpool::pool! { static POOL = [512 x 1]; }
    let packet = POOL.copy_from_slice(b"to all").unwrap().freeze();
    let mut one = Send::start(TxBuffer::new(descriptors::<1>(), packet.clone()).unwrap());
    let mut two = Send::start(TxBuffer::new(descriptors::<1>(), packet).unwrap());
    assert_eq!(one.channel.send().0, b"to all");
    drop(one);
    assert_eq!(two.channel.send().0, b"to all");
    assert_eq!(two.stop().1, "to all");
    POOL.assert_idle();
}

#[test]
fn many_bytes_take_several_descriptors() {
    tierpool::pool! { static POOL = [16384 x 1]; }
    for (len, parts) in [
        (CHUNK, vec![CHUNK]),
        (CHUNK + 1, vec![CHUNK, 1]),
        (2 * CHUNK + 100, vec![CHUNK, CHUNK, 100]),
    ] {
        let packet = POOL.copy_from_slice(&pattern(len)).unwrap().freeze();
        let mut transfer = Send::start(TxBuffer::new(descriptors::<4>(), packet).unwrap());
        assert_eq!(transfer.channel.send(), (pattern(len), parts));
    }
}

/// ESP32 reads whole words.
#[test]
fn a_part_may_start_anywhere_but_on_esp32() {
    tierpool::pool! { static POOL = [512 x 1]; }
    let packet = POOL.copy_from_slice(b"header|payload").unwrap().freeze();
    let part = TxBuffer::new(descriptors::<1>(), packet.slice(7..).unwrap());
    if cfg!(feature = "esp32") {
        let refused = part.unwrap_err();
        assert_eq!(refused.error, Error::Unaligned { align: 4 });
        assert_eq!(refused.buffer, "payload");
    } else {
        assert_eq!(Send::start(part.unwrap()).channel.send().0, b"payload");
    }
    let part = TxBuffer::new(descriptors::<1>(), packet.slice(4..).unwrap()).unwrap();
    assert_eq!(Send::start(part).channel.send().0, b"er|payload");
}

#[test]
fn flash_is_refused() {
    static TEXT: [u8; 128] = [b'f'; 128];
    let start = TEXT.as_ptr().addr();
    host::place(start..start + 128, Place::Flash);
    for text in [Bytes::from_static(&TEXT), Bytes::from_static(&TEXT[..3])] {
        let refused = TxBuffer::new(descriptors::<1>(), text.clone()).unwrap_err();
        assert_eq!((refused.error, refused.buffer.as_ptr()), (Error::OutOfReach, text.as_ptr()));
    }
}

#[test]
fn psram_is_for_chips_whose_dma_reaches_it() {
    tierpool::pool! { static POOL = [1024 x 1], align = 128; }
    let packet = POOL.copy_from_slice(b"a packet").unwrap().freeze();
    let start = packet.as_ptr().addr();
    host::place(start..start + 1024, Place::Psram);
    let to_send = TxBuffer::new(descriptors::<1>(), packet);
    #[cfg(feature = "_psram")]
    {
        let mut to_send = to_send.unwrap();
        assert!(to_send.prepare().accesses_psram);
        assert_eq!(Send::start(to_send).channel.send().0, b"a packet");
    }
    #[cfg(not(feature = "_psram"))]
    assert_eq!(to_send.unwrap_err().error, Error::OutOfReach);
}

#[test]
fn nothing_is_refused() {
    let refused = TxBuffer::new(descriptors::<1>(), Bytes::new()).unwrap_err();
    assert_eq!(refused.error, Error::Empty);
}

#[test]
fn too_few_descriptors_are_refused() {
    tierpool::pool! { static POOL = [8192 x 1]; }
    let packet = POOL.zeroed(8192).unwrap().freeze();
    let refused = TxBuffer::new(descriptors::<2>(), packet).unwrap_err();
    assert_eq!(refused.error, Error::TooFewDescriptors { needed: 3, available: 2 });
    assert_eq!(refused.buffer.len(), 8192);
}

#[test]
fn a_view_that_is_turned_back_twice_is_one() {
    tierpool::pool! { static POOL = [512 x 1]; }
    let packet = POOL.copy_from_slice(b"a packet").unwrap().freeze();
    let transfer = Send::start(TxBuffer::new(descriptors::<1>(), packet.clone()).unwrap());
    let (_, sent) = transfer.stop_twice();
    assert_eq!((&sent[..], sent.is_unique()), (&b"a packet"[..], false));
    drop(packet);
    assert!(sent.is_unique());
    drop(sent);
    POOL.assert_idle();
}

#[test]
fn a_view_without_a_transfer_is_turned_back() {
    tierpool::pool! { static POOL = [512 x 1]; }
    let packet = POOL.copy_from_slice(b"a packet").unwrap().freeze();
    let to_send = TxBuffer::new(descriptors::<1>(), packet).unwrap();
    assert_eq!(TxBuffer::from_view(to_send.into_view()).1, "a packet");
    POOL.assert_idle();
}

#[test]
fn a_transfer_that_did_not_start_gives_all_back() {
    tierpool::pool! { static POOL = [512 x 1]; }
    let packet = POOL.copy_from_slice(b"a packet").unwrap().freeze();
    let mut to_send = TxBuffer::new(descriptors::<1>(), packet).unwrap();
    let Preparation { start, check_owner, auto_write_back, .. } = to_send.prepare();
    assert!(!start.is_null() && check_owner.is_none() && !auto_write_back);
    let (_, packet) = to_send.into_parts();
    assert!(packet == "a packet" && packet.is_unique());
}
