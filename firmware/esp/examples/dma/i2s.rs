//! I2S: a tone is sent over and over without a copy; what is larger than any slot comes from the
//! fallback, and takes several descriptors.

use crate::{BUFFERS, RECORDINGS};
use esp_hal::gpio::interconnect::{InputSignal, OutputSignal};
use esp_hal::i2s::master::{Channels, DataFormat, I2s, I2sMasterDmaChannel, TdmConfig};
use esp_hal::peripherals::I2S0;
use esp_hal::time::Rate;
use esp_println::println;
use tierpool_esp_hal::{Descriptors, RxBuffer, TxBuffer};

/// The bytes of a recording: 46 ms.
pub const RECORDING: usize = 8192;

pub fn run(
    i2s: I2S0<'static>,
    channel: impl I2sMasterDmaChannel<'static, I2S0<'static>>,
    (input, output): (InputSignal<'static>, OutputSignal<'static>),
    (mut tx, rx): (Descriptors, Descriptors),
) {
    let config = TdmConfig::new_tdm_philips()
        .with_sample_rate(Rate::from_hz(44_100))
        .with_data_format(DataFormat::Data16Channel16)
        .with_channels(Channels::STEREO);
    let i2s = I2s::new(i2s, channel, config).expect("44.1 kHz");
    let mut sender = i2s.i2s_tx.with_dout(output).build();
    let receiver = i2s.i2s_rx.with_din(input).build();

    let buffer = RECORDINGS.alloc(RECORDING).expect("in the heap");
    let recording = match RxBuffer::new(rx, buffer) {
        Ok(to_fill) => receiver.read(to_fill).ok(),
        // On ESP32 the DMA does not reach PSRAM.
        Err(refused) => {
            println!("i2s: {refused}");
            None
        }
    };
    let square = (0..512).map(|byte| if byte / 64 % 2 == 0 { 0x20 } else { 0xE0 });
    let tone = BUFFERS.copy_from_iter(square).expect("16 slots").freeze();
    for _ in 0..16 {
        let to_send = TxBuffer::new(tx, tone.clone()).expect("in internal RAM");
        match sender.write(to_send) {
            Ok(transfer) => (_, sender, (tx, _)) = transfer.wait(),
            Err((error, idle, to_send)) => {
                println!("i2s: {error:?}");
                (sender, tx) = (idle, to_send.into_parts().0);
            }
        }
    }
    if let Some(transfer) = recording {
        let (_, (_, recorded)) = transfer.stop();
        println!("i2s: recorded {} bytes", recorded.len());
    }
}
