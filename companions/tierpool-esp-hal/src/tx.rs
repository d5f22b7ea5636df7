//! [`TxBuffer`]: the DMA reads shared [`Bytes`] where they are.

use core::mem;
use core::sync::atomic::{Ordering, compiler_fence};

use esp_hal::dma::{DmaTxBuffer, Preparation};
use tierpool::Bytes;

use crate::InTransfer;
use crate::chip;
use crate::descriptors::Descriptors;
use crate::error::{Error, Refused};

/// Bytes of a pool that the DMA sends, for the drivers of esp-hal. Others may hold the same bytes,
/// and read them or send them at the same time.
///
/// When the transfer has ended, the driver returns the descriptors and the bytes; the SPI driver
/// returns this value, for [`into_parts`](Self::into_parts). If the transfer is dropped, so is this
/// handle on the bytes. If it is forgotten, the buffer is lost, and nothing else.
///
/// ```
/// use static_cell::ConstStaticCell;
/// use tierpool_esp_hal::{DescriptorMemory, Descriptors, TxBuffer};
///
/// tierpool::pool! { static TX = [512 x 4]; }
/// static MEMORY: ConstStaticCell<DescriptorMemory<1>> =
///     ConstStaticCell::new(Descriptors::memory());
///
/// let packet = TX.copy_from_slice(b"to be sent")?.freeze();
/// let descriptors = Descriptors::new(MEMORY.take());
/// let to_send = TxBuffer::new(descriptors, packet.clone()).unwrap();
/// // let transfer = uhci_tx.write(to_send)…;
/// assert_eq!(packet, "to be sent"); // it may be read meanwhile
/// # Ok::<(), tierpool::AllocError>(())
/// ```
#[derive(Debug)]
pub struct TxBuffer {
    descriptors: Descriptors,
    packet: Bytes,
}

impl TxBuffer {
    /// Prepares bytes for sending.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// # Errors
    /// The bytes and the descriptors, as they were, with the [reason](Error). Bytes of
    /// [`Bytes::from_static`] lie in flash, which the DMA cannot reach: copy them into a pool
    /// first.
    pub fn new(descriptors: Descriptors, packet: Bytes) -> Result<TxBuffer, Refused<Bytes>> {
        match check(&packet, descriptors.count()) {
            Ok(()) => Ok(TxBuffer { descriptors, packet }),
            Err(error) => Err(Refused { error, descriptors, buffer: packet }),
        }
    }

    /// The descriptors and the bytes. The SPI driver returns this value, and so does any driver
    /// that could not start a transfer.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn into_parts(mut self) -> (Descriptors, Bytes) {
        self.end();
        (self.descriptors, self.packet)
    }

    /// To be called when the DMA has stopped.
    fn end(&mut self) {
        // The driver has seen, by a register, that the DMA has stopped. A later owner writes to the
        // buffer behind this.
        compiler_fence(Ordering::SeqCst);
        self.descriptors.unlink();
    }
}

fn check(packet: &[u8], available: usize) -> Result<(), Error> {
    let needed = Descriptors::needed(packet.len());
    if packet.is_empty() {
        Err(Error::Empty)
    } else if !chip::can_send(packet) {
        Err(Error::OutOfReach)
    } else if !packet.as_ptr().addr().is_multiple_of(chip::TX_ALIGN) {
        Err(Error::Unaligned { align: chip::TX_ALIGN })
    } else if needed > available {
        Err(Error::TooFewDescriptors { needed, available })
    } else {
        Ok(())
    }
}

// SAFETY: the trait wants descriptors and memory that stay valid while the DMA uses them.
//
// - The descriptors lie in memory that `Descriptors` has for ever, and does not lend meanwhile.
// - The memory is the slot of `packet`, or its block of the fallback. It stays allocated, and where
//   it is, for as long as one handle lives. This one lives in this value, or in the view, which the
//   driver has during the transfer, and drops or gives back only when it has stopped the DMA. A
//   transfer that is forgotten keeps the slot for ever.
// - Nobody writes these bytes meanwhile: a `Bytes` derefs to `&[u8]` alone, and what makes one
//   writable (`make_mut`, `into_mut`, `try_into_mut`) copies, or fails, if it is not the only
//   handle. The handle in here is another. The DMA itself reads alone.
//
// For swapped views, see `rx.rs`.
unsafe impl DmaTxBuffer for TxBuffer {
    type View = InTransfer<TxBuffer>;
    type Final = (Descriptors, Bytes);

    fn prepare(&mut self) -> Preparation {
        chip::write_back(&self.packet);
        // The DMA does not write there, though the descriptor's type says that it may.
        let start = self.packet.as_ptr().cast_mut();
        let first = self.descriptors.link(start, self.packet.len(), |entry, part, last| {
            entry.set_length(part);
            entry.reset_for_tx(last);
        });
        chip::preparation(first, start.addr(), false)
    }

    fn into_view(mut self) -> Self::View {
        // As in `rx.rs`.
        if !self.descriptors.is_linked() {
            self.prepare();
        }
        InTransfer(self)
    }

    fn from_view(InTransfer(mut this): Self::View) -> Self::Final {
        if !this.descriptors.is_linked() {
            // A second copy of a view, as in `rx.rs`.
            mem::forget(this.packet);
            return (this.descriptors, Bytes::new());
        }
        this.end();
        (this.descriptors, this.packet)
    }
}
