//! SPI: the driver gives the buffers themselves back, so their `into_parts` ends the transfer.

use crate::BUFFERS;
use esp_hal::gpio::interconnect::{InputSignal, OutputSignal};
use esp_hal::peripherals::SPI2;
use esp_hal::spi::master::{AnySpi, Config, Spi, SpiMasterDmaChannel};
use esp_hal::time::Rate;
use esp_println::println;
use tierpool_esp_hal::{Descriptors, RxBuffer, TxBuffer};

pub fn run(
    spi: SPI2<'static>,
    channel: impl SpiMasterDmaChannel<'static, AnySpi<'static>>,
    (miso, mosi): (InputSignal<'static>, OutputSignal<'static>),
    (mut tx, mut rx): (Descriptors, Descriptors),
) -> (Descriptors, Descriptors) {
    let mut spi = Spi::new(spi, Config::default().with_frequency(Rate::from_mhz(1)))
        .expect("1 MHz")
        .with_miso(miso)
        .with_mosi(mosi)
        .with_dma(channel);
    let packet = BUFFERS.copy_from_slice(b"to two receivers").expect("16 slots").freeze();
    for receiver in ["one", "two"] {
        // A clone: the bytes stay where they are.
        let to_send = TxBuffer::new(tx, packet.clone()).expect("in internal RAM");
        let buffer = BUFFERS.alloc_pooled(64).expect("16 slots");
        let to_fill = RxBuffer::new(rx, buffer).expect("aligned, in internal RAM");
        let (filled, sent);
        match spi.transfer_buffers(packet.len(), to_fill, packet.len(), to_send) {
            Ok(transfer) => (spi, (filled, sent)) = transfer.wait(),
            Err((error, idle, to_fill, to_send)) => {
                println!("spi: {error:?}");
                (spi, filled, sent) = (idle, to_fill, to_send);
            }
        }
        let received;
        ((rx, received), (tx, _)) = (filled.into_parts(), sent.into_parts());
        println!("spi: {receiver} got {received:?}");
    }
    (tx, rx)
}
