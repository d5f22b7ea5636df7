//! What `esp_hal::dma` has, by the same names.

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DmaDescriptorFlags(
    /// A word, so that there is no padding behind it.
    usize,
);

/// As on the chip: size in bits 0 to 11, length in 12 to 23, end in 30, owner in 31.
impl DmaDescriptorFlags {
    fn set(&mut self, bit: u32, mask: usize, value: usize) {
        self.0 = self.0 & !(mask << bit) | (value & mask) << bit;
    }

    pub fn suc_eof(&self) -> bool {
        self.0 >> 30 & 1 == 1
    }
}

#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DmaDescriptor {
    pub flags: DmaDescriptorFlags,
    pub buffer: *mut u8,
    pub next: *mut DmaDescriptor,
}

// SAFETY: as in esp-hal: nothing in it is tied to a thread.
unsafe impl Send for DmaDescriptor {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Cpu,
    Dma,
}

impl DmaDescriptor {
    pub const EMPTY: Self = DmaDescriptor {
        flags: DmaDescriptorFlags(0),
        buffer: std::ptr::null_mut(),
        next: std::ptr::null_mut(),
    };

    pub fn reset_for_rx(&mut self) {
        self.set_owner(Owner::Dma);
        self.flags.set(30, 1, 0);
        self.set_length(0);
    }

    pub fn reset_for_tx(&mut self, eof: bool) {
        self.set_owner(Owner::Dma);
        self.flags.set(30, 1, eof.into());
    }

    pub fn set_size(&mut self, bytes: usize) {
        self.flags.set(0, 0xFFF, bytes);
    }

    pub fn set_length(&mut self, bytes: usize) {
        self.flags.set(12, 0xFFF, bytes);
    }

    pub fn size(&self) -> usize {
        self.flags.0 & 0xFFF
    }

    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.flags.0 >> 12 & 0xFFF
    }

    pub fn set_owner(&mut self, owner: Owner) {
        self.flags.set(31, 1, (owner == Owner::Dma).into());
    }

    pub fn owner(&self) -> Owner {
        if self.flags.0 >> 31 & 1 == 1 { Owner::Dma } else { Owner::Cpu }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmaAlignmentError {
    Address,
    Size,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmaBufError {
    BufferTooSmall,
    InsufficientDescriptors,
    UnsupportedMemoryRegion,
    InvalidAlignment(DmaAlignmentError),
    InvalidChunkSize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BurstConfig {
    Disabled,
    Enabled,
}

impl BurstConfig {
    pub const DEFAULT: Self = BurstConfig::Disabled;
}

#[derive(Debug, PartialEq, Eq)]
pub struct Preparation {
    pub start: *mut DmaDescriptor,
    #[cfg(feature = "_psram")]
    pub accesses_psram: bool,
    pub burst_transfer: BurstConfig,
    pub check_owner: Option<bool>,
    pub auto_write_back: bool,
}

/// # Safety
/// The implementing type must keep all its descriptors and the buffers they point to valid while
/// the buffer is being transferred.
pub unsafe trait DmaTxBuffer {
    type View;
    type Final;

    fn prepare(&mut self) -> Preparation;
    fn into_view(self) -> Self::View;
    fn from_view(view: Self::View) -> Self::Final;
}

/// # Safety
/// As for [`DmaTxBuffer`].
pub unsafe trait DmaRxBuffer {
    type View;
    type Final;

    fn prepare(&mut self) -> Preparation;
    fn into_view(self) -> Self::View;
    fn from_view(view: Self::View) -> Self::Final;
}

pub mod aligned {
    use super::{DmaAlignmentError, DmaBufError};
    use crate::host::{self, Place};

    /// 64 bytes where internal RAM has a cache.
    #[cfg_attr(feature = "esp32p4", repr(C, align(64)))]
    #[cfg_attr(not(feature = "esp32p4"), repr(C, align(4)))]
    #[derive(Debug)]
    pub struct InternalMemory<T>(T);

    impl<T> InternalMemory<T> {
        pub const fn new(init: T) -> Self {
            InternalMemory(init)
        }

        pub fn get_mut(&mut self) -> DmaAlignedMut<'_, T> {
            assert!(host::is_internal((&raw const self.0).addr()));
            DmaAlignedMut(&mut self.0)
        }
    }

    /// Region first, then size, then address, as in esp-hal.
    fn validate(address: usize, bytes: usize) -> Result<(), DmaBufError> {
        let align = match host::place_of(address) {
            _ if bytes == 0 => return Ok(()),
            Place::Internal => align_of::<InternalMemory<()>>(),
            Place::Psram if cfg!(feature = "esp32p4") => 128,
            Place::Psram if cfg!(feature = "_psram") => 32,
            _ => return Err(DmaBufError::UnsupportedMemoryRegion),
        };
        if !bytes.is_multiple_of(align) {
            Err(DmaBufError::InvalidAlignment(DmaAlignmentError::Size))
        } else if !address.is_multiple_of(align) {
            Err(DmaBufError::InvalidAlignment(DmaAlignmentError::Address))
        } else {
            Ok(())
        }
    }

    #[derive(Debug)]
    pub struct DmaAlignedMut<'a, T: ?Sized>(&'a mut T);

    impl<'a, T: ?Sized> DmaAlignedMut<'a, T> {
        pub fn new(value: &'a mut T) -> Result<Self, DmaBufError> {
            validate((&raw const *value).addr(), size_of_val(value))?;
            Ok(DmaAlignedMut(value))
        }

        /// # Safety
        /// The lines of the cache hold nothing else.
        pub const unsafe fn new_unchecked(value: &'a mut T) -> Self {
            DmaAlignedMut(value)
        }

        #[cfg(feature = "_psram")]
        pub fn invalidate(&self) {
            host::memory::invalidate(&raw const *self.0 as *const u8, size_of_val(self.0));
        }

        pub fn into_inner(self) -> &'a mut T {
            self.0
        }
    }

    impl<'a, T, const N: usize> DmaAlignedMut<'a, [T; N]> {
        pub fn unsize(self) -> DmaAlignedMut<'a, [T]> {
            DmaAlignedMut(self.0)
        }
    }

    #[derive(Debug)]
    pub struct DmaAlignedRef<'a, T: ?Sized>(&'a T);

    impl<'a, T: ?Sized> DmaAlignedRef<'a, T> {
        pub fn new(value: &'a T) -> Result<Self, DmaBufError> {
            validate((&raw const *value).addr(), size_of_val(value))?;
            Ok(DmaAlignedRef(value))
        }

        /// # Safety
        /// The lines of the cache hold nothing else.
        pub const unsafe fn new_unchecked(value: &'a T) -> Self {
            DmaAlignedRef(value)
        }

        #[cfg(feature = "_psram")]
        pub fn writeback(&self) {
            host::memory::write_back(&raw const *self.0 as *const u8, size_of_val(self.0));
        }
    }
}
