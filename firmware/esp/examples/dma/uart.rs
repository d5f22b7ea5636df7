//! UART by UHCI: a transfer ends when the line falls silent. The buffer knows how much came.

use crate::BUFFERS;
use esp_hal::gpio::interconnect::{InputSignal, OutputSignal};
use esp_hal::peripherals::{UART1, UHCI0};
use esp_hal::uart::uhci::{RxConfig, TxConfig, Uhci, UhciDmaChannel};
use esp_hal::uart::{Config, Uart};
use esp_println::println;
use tierpool_esp_hal::{Descriptors, RxBuffer, TxBuffer};

pub fn run(
    uart: UART1<'static>,
    uhci: UHCI0<'static>,
    channel: impl UhciDmaChannel<'static>,
    (receives, sends): (InputSignal<'static>, OutputSignal<'static>),
    (tx, rx): (Descriptors, Descriptors),
) -> (Descriptors, Descriptors) {
    let uart = Uart::new(uart, Config::default()).expect("115 200 baud");
    let mut uhci = Uhci::new(uart.with_rx(receives).with_tx(sends), uhci, channel);
    let to_fill = RxBuffer::new(rx, BUFFERS.alloc(512).expect("16 slots")).expect("aligned");
    // More than the buffer has room for would stop the driver for ever.
    let limit = RxConfig::default().with_chunk_limit(to_fill.room() as u16);
    uhci.apply_rx_config(&limit).expect("at most 4 095 bytes");
    uhci.apply_tx_config(&TxConfig::default()).expect("the defaults");
    let (receiver, sender) = uhci.split();

    let message = BUFFERS.copy_from_slice(b"a message").expect("16 slots").freeze();
    let to_send = TxBuffer::new(tx, message).expect("in internal RAM");
    let receives = receiver.read(to_fill);
    let sends = sender.write(to_send);
    match (receives, sends) {
        (Ok(receives), Ok(sends)) => {
            let (_, _, (tx, _)) = sends.wait();
            let (result, _, (rx, received)) = receives.wait();
            println!("uart: {result:?}, {received:?}");
            (tx, rx)
        }
        (receives, sends) => {
            println!("uart: not started");
            let rx = match receives {
                // Stops the DMA, and gives all back.
                Ok(transfer) => transfer.cancel().1.0,
                Err((_, _, to_fill)) => to_fill.into_parts().0,
            };
            let tx = match sends {
                Ok(transfer) => transfer.cancel().1.0,
                Err((_, _, to_send)) => to_send.into_parts().0,
            };
            (tx, rx)
        }
    }
}
