//! [`RxBuffer`]: the DMA writes into the spare capacity of a [`BytesMut`].
//!
//! ```text
//!   ├─ headroom ─┼─ data ─┼───────── room ─────────┼ rest ┤     room: whole lines of the cache
//!                         ├─ received ─┤
//!                ├──────── data ───────┤                       when the transfer has ended
//! ```

use core::mem::{self, MaybeUninit};
use core::sync::atomic::{Ordering, compiler_fence};

use esp_hal::dma::{DmaRxBuffer, Preparation};
use tierpool::{Bytes, BytesMut};

use crate::InTransfer;
use crate::chip;
use crate::descriptors::Descriptors;
use crate::error::{Error, Refused};

/// A pool buffer that the DMA fills, for the drivers of esp-hal.
///
/// What is received comes behind the bytes that the buffer already has. When the transfer has
/// ended, the driver returns the descriptors, and the buffer with these bytes added; the SPI driver
/// returns this value, for [`into_parts`](Self::into_parts). A transfer that was cancelled returns
/// what had come until then.
///
/// If the transfer is dropped, the buffer is freed. If it is forgotten, the buffer is lost, and
/// nothing else: the DMA writes to memory that stays allocated.
///
/// ```
/// use static_cell::ConstStaticCell;
/// use tierpool_esp_hal::{DescriptorMemory, Descriptors, RxBuffer};
///
/// tierpool::pool! { static RX = [512 x 4], align = 64; }
/// static MEMORY: ConstStaticCell<DescriptorMemory<1>> =
///     ConstStaticCell::new(Descriptors::memory());
///
/// let descriptors = Descriptors::new(MEMORY.take());
/// let to_fill = RxBuffer::new(descriptors, RX.alloc_pooled(500)?).unwrap();
/// assert_eq!(to_fill.room(), 512);
/// // let transfer = uhci_rx.read(to_fill)…;
/// // let (result, uhci_rx, (descriptors, frame)) = transfer.wait();
/// # Ok::<(), tierpool::AllocError>(())
/// ```
#[derive(Debug)]
pub struct RxBuffer {
    descriptors: Descriptors,
    buffer: BytesMut,
    /// The bytes behind the data that the DMA may write.
    room: usize,
}

impl RxBuffer {
    /// Prepares a buffer for receiving.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// # Errors
    /// The buffer and the descriptors, as they were, with the [reason](Error).
    pub fn new(
        descriptors: Descriptors,
        mut buffer: BytesMut,
    ) -> Result<RxBuffer, Refused<BytesMut>> {
        match room(&mut buffer, descriptors.count()) {
            Ok(room) => Ok(RxBuffer { descriptors, buffer, room }),
            Err(error) => Err(Refused { error, descriptors, buffer }),
        }
    }

    /// The number of bytes that a transfer can receive. It is the spare capacity of the buffer,
    /// rounded down to what the chip asks for.
    pub const fn room(&self) -> usize {
        self.room
    }

    /// The descriptors, and the buffer with what a transfer has received. The SPI driver returns
    /// this value, and so does any driver that could not start a transfer.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn into_parts(mut self) -> (Descriptors, BytesMut) {
        if self.descriptors.is_linked() {
            self.take_received();
        }
        (self.descriptors, self.buffer)
    }

    /// Adds what the DMA has written to the data. To be called when the DMA has stopped.
    fn take_received(&mut self) {
        // The driver has seen, by a register, that the DMA has stopped. What the DMA has written is
        // read behind this.
        compiler_fence(Ordering::SeqCst);
        let received = self.descriptors.received(self.room);
        self.descriptors.unlink();
        // SAFETY: whole lines, which no core has written since `prepare`.
        unsafe { chip::invalidate(self.spare()) };
        let len = self.buffer.len() + received;
        // SAFETY: the room lies within the capacity, and the DMA has written its first `received`
        // bytes: `received` counts entries that are full, and the beginning of the next.
        unsafe { self.buffer.set_len(len) };
    }

    /// What the DMA may write.
    fn spare(&mut self) -> &mut [MaybeUninit<u8>] {
        // `new` has found so much.
        self.buffer.spare_capacity_mut().get_mut(..self.room).unwrap_or_default()
    }
}

fn room(buffer: &mut BytesMut, available: usize) -> Result<usize, Error> {
    let spare = buffer.spare_capacity_mut();
    let align = chip::rx_align(spare.as_ptr().addr());
    let room = spare.len() - spare.len() % align;
    let needed = Descriptors::needed(room);
    if room == 0 {
        Err(Error::Empty)
    } else if !spare.as_ptr().addr().is_multiple_of(align) {
        Err(Error::Unaligned { align })
    } else if !chip::can_receive(spare.get_mut(..room).unwrap_or_default()) {
        Err(Error::OutOfReach)
    } else if needed > available {
        Err(Error::TooFewDescriptors { needed, available })
    } else {
        Ok(room)
    }
}

// SAFETY: the trait wants descriptors and memory that stay valid while the DMA uses them.
//
// - The descriptors lie in memory that `Descriptors` has for ever, and does not lend meanwhile.
// - The memory is the slot of `buffer`, or its block of the fallback. It stays allocated, and where
//   it is, for as long as the handle lives, also when the handle moves. The handle lives in this
//   value, or in the view, which the driver has during the transfer, and drops or gives back only
//   when it has stopped the DMA. A transfer that is forgotten keeps the slot for ever.
// - The room that the descriptors name is spare capacity of a `BytesMut`, which nobody else can
//   read or write. Its lines of the cache hold nothing else (`chip.rs`).
//
// What esp-hal's drivers promise is the rest: they give the value back, or call `from_view`, when
// the DMA has stopped. Some lend the view mutably, so a program that swaps the views of two running
// transfers breaks this promise, for esp-hal's own buffers, too.
unsafe impl DmaRxBuffer for RxBuffer {
    type View = InTransfer<RxBuffer>;
    type Final = (Descriptors, BytesMut);

    fn prepare(&mut self) -> Preparation {
        let spare = self.spare();
        let (start, bytes) = (spare.as_mut_ptr().cast::<u8>(), spare.len());
        // A line that a core has written would go to memory at any time later, over what the DMA
        // has written there.
        // SAFETY: whole lines, whose content nobody wants.
        unsafe { chip::invalidate(spare) };
        let first = self.descriptors.link(start, bytes, |entry, _, _| entry.reset_for_rx());
        chip::preparation(first, start.addr(), true)
    }

    fn into_view(mut self) -> Self::View {
        // A driver has prepared it before, so this is for others: what an earlier transfer left in
        // the descriptors must not be taken for received bytes.
        if !self.descriptors.is_linked() {
            self.prepare();
        }
        InTransfer(self)
    }

    fn from_view(InTransfer(mut this): Self::View) -> Self::Final {
        if !this.descriptors.is_linked() {
            // This is a second copy of a view that was turned back before: the asynchronous UHCI
            // driver of esp-hal 1.2.2 makes one, in `wait` behind an error. The buffer is the
            // first's.
            mem::forget(this.buffer);
            return (this.descriptors, nothing());
        }
        this.take_received();
        (this.descriptors, this.buffer)
    }
}

/// A handle without a buffer.
fn nothing() -> BytesMut {
    match Bytes::new().try_into_mut() {
        Ok(nothing) => nothing,
        Err(_) => unreachable!("no bytes, so nobody shares them"),
    }
}
