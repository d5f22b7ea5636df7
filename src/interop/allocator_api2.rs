//! `Allocator` for `&'static Pool`, and [`Fallback`](crate::Fallback) out of two allocators, for each version of the crate `allocator-api2`
//! that is in use: their traits are distinct types, so each has its impl, and all of them share `block`.
//!
//! | version | known users |
//! |---|---|
//! | 0.2 | `hashbrown`, `bumpalo` |
//! | 0.3 | `esp-alloc` 0.11 |
//! | 0.4 | |

/// The module of one version.
macro_rules! version {
    ($feature:literal, $version:literal, $name:ident) => {
        #[doc = concat!("Pools as allocators of `allocator-api2` ", $version, ".")]
        ///
        /// `&'static Pool` implements `Allocator`: collections take it, and their memory comes from the pool's tiers. A pool
        /// that is exhausted is an allocation error (collections then abort, or return it from `try_reserve`); the pool's
        /// own fallback is not asked, since it makes buffers with handles.
        ///
        /// A block that grows or shrinks stays where it is while its slot fits, and moves down to a smaller tier with a free
        /// slot. A request for no bytes takes no slot. A pool's hook that panics while a collection frees or moves stops the program:
        /// the collection would go on with memory that it has given up.
        ///
        /// Interrupt handler: yes. Cost: one compare-and-swap to allocate and one to free.
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

            // SAFETY: a block is a slot that `allocate` has popped, which nobody else gets until it is freed; a static
            // pool lives for ever, so copies of the reference are the same allocator.
            unsafe impl Allocator for &'static Pool {
                #[inline]
                fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                    self.allocate_block(layout).ok_or(AllocError)
                }

                #[inline]
                unsafe fn deallocate(&self, pointer: NonNull<u8>, layout: Layout) {
                    // SAFETY: the caller's promise.
                    unsafe { self.deallocate_block(pointer, layout) }
                }

                unsafe fn grow(&self, pointer: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                    // SAFETY: the caller's promise.
                    unsafe { self.resize_block(pointer, old, new) }.ok_or(AllocError)
                }

                unsafe fn grow_zeroed(&self, pointer: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                    // SAFETY: the caller's promise.
                    let grown = unsafe { self.grow(pointer, old, new) }?;
                    // SAFETY: the bytes behind the old ones, as far as the slot goes, which is the caller's alone.
                    unsafe { grown.cast::<u8>().add(old.size()).write_bytes(0, grown.len() - old.size()) };
                    Ok(grown)
                }

                unsafe fn shrink(&self, pointer: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                    // SAFETY: the caller's promise.
                    unsafe { self.resize_block(pointer, old, new) }.ok_or(AllocError)
                }
            }

            /// An allocator as a pool's fallback. Control blocks, which hold the reference counts, lie in front of the payload;
            /// or, [with a second allocator](Self::with_control), in its memory. So payload may lie where atomics do not
            /// work, such as the PSRAM of ESP32, S2 and S3.
            ///
            /// Last drops are deferred, so neither allocator is called in an interrupt handler, or while its own lock is held.
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
            /// static LARGE: AllocatorFallback<Global, &Pool> = unsafe { AllocatorFallback::with_control(Global, &CONTROL) };
            ///
            /// tierpool::pool! { static POOL = default, fallback = &LARGE; }
            /// let large = POOL.zeroed(100_000)?;
            /// assert_eq!(CONTROL.stats().hits(), 1);
            /// # Ok::<(), tierpool::AllocError>(())
            /// ```
            #[derive(Clone, Copy, Debug)]
            pub struct AllocatorFallback<P, C = P> {
                payload: P,
                control: Option<ControlBlocks<C>>,
            }

            #[derive(Clone, Copy, Debug)]
            struct ControlBlocks<C>(C);

            impl<P> AllocatorFallback<P> {
                /// All from one allocator, a buffer in one block.
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
                /// Payload from one allocator, control blocks (16 bytes each on 32-bit targets) from the other.
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
                /// static HEAP: AllocatorFallback<Global, Global> = unsafe { AllocatorFallback::with_control(Global, Global) };
                /// ```
                pub const unsafe fn with_control(payload: P, control: C) -> Self {
                    AllocatorFallback { payload, control: Some(ControlBlocks(control)) }
                }
            }

            // SAFETY: an allocator's memory is valid while the allocator lives, and a pool holds its fallback for ever;
            // atomics work where control blocks lie, by `new` and `with_control`; frees are deferred.
            // Else the message for a type that is no fallback would depend on the features.
            #[diagnostic::do_not_recommend]
            unsafe impl<P: Allocator + Sync, C: Allocator + Sync> Fallback for AllocatorFallback<P, C> {
                fn free_in_interrupt(&self) -> bool {
                    false
                }

                fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
                    self.payload.allocate(layout).ok().map(NonNull::cast)
                }

                unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
                    // SAFETY: the caller's promise.
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
                    // SAFETY: the caller's promise.
                    unsafe { self.0.deallocate(memory, layout) }
                }
            }
        }
    };
}

version!("allocator-api2-02", "0.2", allocator_api2_02);
version!("allocator-api2-03", "0.3", allocator_api2_03);
