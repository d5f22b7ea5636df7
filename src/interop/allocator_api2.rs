//! `Allocator` for `&'static Pool`, and a [`Fallback`](crate::Fallback) made of two allocators, for
//! each version of the crate `allocator-api2` that is in use. The traits of two versions are
//! distinct types. So each version has its own impl, and all of them share `block`.
//!
//! | version | known users |
//! |---|---|
//! | 0.2 | `hashbrown`, `bumpalo` |
//! | 0.3 | `esp-alloc` 0.11 |
//! | 0.4 | |

/// Declares the module of one version.
macro_rules! version {
    ($feature:literal, $version:literal, $name:ident) => {
        #[doc = concat!("Pools as allocators of `allocator-api2` ", $version, ".")]
        ///
        /// `&'static Pool` implements `Allocator`: a collection takes it, and the memory of the
        /// collection comes from the tiers of the pool. If the pool is exhausted, that is an
        /// allocation error. Collections then abort, or return the error from `try_reserve`. The
        /// pool does not ask its own fallback, because the fallback makes buffers with handles.
        ///
        /// A block that grows or shrinks stays where it is while its slot fits. If a smaller tier
        /// fits and has a free slot, a block that shrinks moves down to it. A request for no bytes
        /// takes no slot. If the hook of the pool panics while a collection frees or moves, the
        /// program stops, because the collection would go on with memory that it has given up.
        ///
        /// Interrupt handler: yes. Cost: one compare-and-swap to allocate, and one to free.
        ///
        /// ```
        #[doc = concat!("use ", stringify!($name), "::{boxed::Box, vec::Vec};")]
        /// use tierpool::Pool;
        ///
        /// tierpool::pool! { static POOL = [32 x 8, 64 x 8]; }
        ///
        /// let mut bytes: Vec<u8, &Pool> = Vec::with_capacity_in(16, &POOL);
        /// bytes.extend_from_slice(b"twenty-eight bytes, in place");
        /// assert_eq!((bytes.len(), POOL.stats().hits()), (28, 1), "it has grown within its slot");
        ///
        /// let boxed: Box<[u8], &Pool> = bytes.into_boxed_slice();
        /// assert!(POOL.owns(boxed.as_ptr()));
        /// drop(boxed);
        /// assert!(POOL.is_idle());
        /// ```
        #[cfg(feature = $feature)]
        pub mod $name {
            use ::$name::alloc::{AllocError, Allocator};
            use core::alloc::Layout;
            use core::ptr::NonNull;

            use crate::pool::Pool;
            use crate::pool::fallback::Fallback;

            // SAFETY: a block is a slot that `allocate` has popped. Nothing else gets it until it
            // is freed. A static pool lives for ever, so copies of the reference are the same
            // allocator.
            unsafe impl Allocator for &'static Pool {
                #[inline]
                fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                    self.allocate_block(layout).ok_or(AllocError)
                }

                #[inline]
                unsafe fn deallocate(&self, pointer: NonNull<u8>, layout: Layout) {
                    // SAFETY: the caller promises it.
                    unsafe { self.deallocate_block(pointer, layout) }
                }

                unsafe fn grow(&self, pointer: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                    // SAFETY: the caller promises it.
                    unsafe { self.resize_block(pointer, old, new) }.ok_or(AllocError)
                }

                unsafe fn grow_zeroed(&self, pointer: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                    // SAFETY: the caller promises it.
                    let grown = unsafe { self.grow(pointer, old, new) }?;
                    // SAFETY: these are the bytes behind the old ones, up to the end of the slot,
                    // which only the caller owns.
                    unsafe { grown.cast::<u8>().add(old.size()).write_bytes(0, grown.len() - old.size()) };
                    Ok(grown)
                }

                unsafe fn shrink(&self, pointer: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                    // SAFETY: the caller promises it.
                    unsafe { self.resize_block(pointer, old, new) }.ok_or(AllocError)
                }
            }

            /// An allocator as the fallback of a pool. Control blocks hold the reference counts.
            /// They lie in front of the payload, or [in the memory of a second
            /// allocator](Self::with_control). So payload may lie where atomics do not work, such
            /// as the PSRAM of ESP32, S2 and S3.
            ///
            /// Last drops are deferred. So no allocator is called in an interrupt handler, or while
            /// its own lock is held.
            ///
            /// ```
            #[doc = concat!("use ", stringify!($name), "::alloc::Global;")]
            #[doc = concat!("use tierpool::{Pool, ", stringify!($name), "::AllocatorFallback};")]
            ///
            /// tierpool::pool! {
            ///     /// Control blocks of large buffers.
            ///     static CONTROL = [64 x 16];
            /// }
            /// // SAFETY: atomics work in a static pool.
            /// static LARGE: AllocatorFallback<Global, &Pool> =
            ///     unsafe { AllocatorFallback::with_control(Global, &CONTROL) };
            ///
            /// tierpool::pool! { static POOL = default, fallback = &LARGE; }
            /// let large = POOL.zeroed(100_000)?;
            /// assert_eq!(CONTROL.stats().hits(), 1);
            /// # Ok::<(), tierpool::AllocError>(())
            /// ```
            #[derive(Clone, Copy, Debug)]
            pub struct AllocatorFallback<P, C = P> {
                /// The memory of the payload, and of the control blocks too if there is no
                /// `control`.
                payload: P,
                /// The memory of the control blocks, if it is not that of the payload.
                control: Option<ControlBlocks<C>>,
            }

            /// The fallback of the control blocks.
            #[derive(Clone, Copy, Debug)]
            struct ControlBlocks<C>(C);

            impl<P> AllocatorFallback<P> {
                /// Takes all memory from one allocator, and each buffer in one block.
                ///
                /// Interrupt handler: yes. Cost: no atomic operation.
                ///
                /// # Safety
                /// Atomic instructions work in the memory of `allocator`.
                ///
                /// ```
                #[doc = concat!("use ", stringify!($name), "::alloc::Global;")]
                #[doc = concat!("use tierpool::", stringify!($name), "::AllocatorFallback;")]
                ///
                /// // SAFETY: atomics work in the global allocator's memory.
                /// static HEAP: AllocatorFallback<Global> = unsafe { AllocatorFallback::new(Global) };
                /// ```
                pub const unsafe fn new(allocator: P) -> Self {
                    AllocatorFallback { payload: allocator, control: None }
                }
            }

            impl<P, C> AllocatorFallback<P, C> {
                /// Takes the payload from one allocator, and the control blocks (16 bytes each on
                /// 32-bit targets) from the other.
                ///
                /// Interrupt handler: yes. Cost: no atomic operation.
                ///
                /// # Safety
                /// Atomic instructions work in the memory of `control`.
                ///
                /// ```
                #[doc = concat!("use ", stringify!($name), "::alloc::Global;")]
                #[doc = concat!("use tierpool::", stringify!($name), "::AllocatorFallback;")]
                ///
                /// // SAFETY: atomics work in the global allocator's memory.
                /// static HEAP: AllocatorFallback<Global, Global> =
                ///     unsafe { AllocatorFallback::with_control(Global, Global) };
                /// ```
                pub const unsafe fn with_control(payload: P, control: C) -> Self {
                    AllocatorFallback { payload, control: Some(ControlBlocks(control)) }
                }
            }

            // SAFETY: the memory of an allocator is valid while the allocator lives, and a pool
            // holds its fallback for ever. Atomics work where control blocks lie, as the callers of
            // `new` and `with_control` promise. Frees are deferred. `do_not_recommend`: without it,
            // the message for a type that is no fallback would depend on the features.
            #[diagnostic::do_not_recommend]
            unsafe impl<P: Allocator + Sync, C: Allocator + Sync> Fallback for AllocatorFallback<P, C> {
                fn free_in_interrupt(&self) -> bool {
                    false
                }

                fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
                    self.payload.allocate(layout).ok().map(NonNull::cast)
                }

                unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
                    // SAFETY: the caller promises it.
                    unsafe { self.payload.deallocate(memory, layout) }
                }

                fn control(&self) -> Option<&dyn Fallback> {
                    self.control.as_ref().map(|control| control as &dyn Fallback)
                }
            }

            // SAFETY: as above.
            #[diagnostic::do_not_recommend]
            unsafe impl<C: Allocator + Sync> Fallback for ControlBlocks<C> {
                fn free_in_interrupt(&self) -> bool {
                    false
                }

                fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
                    self.0.allocate(layout).ok().map(NonNull::cast)
                }

                unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
                    // SAFETY: the caller promises it.
                    unsafe { self.0.deallocate(memory, layout) }
                }
            }
        }
    };
}

version!("allocator-api2-02", "0.2", allocator_api2_02);
version!("allocator-api2-03", "0.3", allocator_api2_03);
