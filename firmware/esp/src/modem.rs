//! The modem, as a driver sees it: a chip at the other end of SPI, whose frames are read by DMA.
//!
//! ```text
//!   a buffer of RX ── receive ──► SPI's DMA writes into it ── received ──► it has the frame
//!                                       ▲ MOSI is MISO: no wiring
//!   AIR, shared ────────────────► SPI's DMA reads it
//! ```

use crate::pools::AIR;
use esp_hal::Blocking;
use esp_hal::spi::master::{SpiDma, SpiDmaTransfer};
use static_cell::ConstStaticCell;
use tierpool::{AllocError, Bytes, BytesMut};
use tierpool_esp_hal::{DescriptorMemory, Descriptors, RxBuffer, TxBuffer};

/// The largest frame of the radio.
pub const FRAME: usize = 508;

type Spi = SpiDma<'static, Blocking>;

enum State {
    Idle(Spi, Descriptors, Descriptors),
    Receives(SpiDmaTransfer<'static, Blocking, (RxBuffer, TxBuffer)>),
}

pub struct Modem {
    /// None while one becomes the other.
    state: Option<State>,
    /// What is in the air: the frame that the modem gives us over and over.
    air: Bytes,
    /// The bytes that the transfer is to receive.
    asked: usize,
}

impl Modem {
    /// Called once.
    pub fn new(spi: Spi) -> Result<Modem, AllocError> {
        static RX: ConstStaticCell<DescriptorMemory<1>> =
            ConstStaticCell::new(Descriptors::memory());
        static TX: ConstStaticCell<DescriptorMemory<1>> =
            ConstStaticCell::new(Descriptors::memory());
        const { assert!(Descriptors::needed(FRAME) == 1) };
        let idle = State::Idle(spi, Descriptors::new(RX.take()), Descriptors::new(TX.take()));
        Ok(Modem { state: Some(idle), air: AIR.zeroed(FRAME)?.freeze(), asked: 0 })
    }

    /// Starts to receive `bytes` bytes into a buffer. False if that could not be: then the buffer
    /// is dropped.
    pub fn receive(&mut self, buffer: BytesMut, bytes: usize) -> bool {
        let Some(State::Idle(spi, rx, tx)) = self.state.take() else { return false };
        let to_fill = match RxBuffer::new(rx, buffer) {
            Ok(to_fill) => to_fill,
            Err(refused) => return self.rest(spi, refused.descriptors, tx),
        };
        // A clone: what is in the air stays there.
        let to_send = match TxBuffer::new(tx, self.air.clone()) {
            Ok(to_send) => to_send,
            Err(refused) => return self.rest(spi, to_fill.into_parts().0, refused.descriptors),
        };
        match spi.transfer_buffers(bytes, to_fill, bytes, to_send) {
            Ok(transfer) => {
                self.asked = bytes;
                self.state = Some(State::Receives(transfer));
                true
            }
            Err((_, spi, to_fill, to_send)) => {
                self.rest(spi, to_fill.into_parts().0, to_send.into_parts().0)
            }
        }
    }

    fn rest(&mut self, spi: Spi, rx: Descriptors, tx: Descriptors) -> bool {
        self.state = Some(State::Idle(spi, rx, tx));
        false
    }

    /// The frame that has come, if one was asked for. Waits until it is complete.
    pub fn received(&mut self) -> Option<BytesMut> {
        match self.state.take()? {
            State::Receives(transfer) => {
                let (spi, (filled, sent)) = transfer.wait();
                let ((rx, mut frame), (tx, _)) = (filled.into_parts(), sent.into_parts());
                self.rest(spi, rx, tx);
                if cfg!(feature = "esp32") {
                    // The last descriptor may not say how many bytes came.
                    // SAFETY: SPI has clocked so many into it, for which it has room: `FRAME` at
                    // most.
                    unsafe { frame.set_len(self.asked.min(frame.capacity())) };
                }
                Some(frame)
            }
            idle => {
                self.state = Some(idle);
                None
            }
        }
    }
}
