//! glibc's malloc and mimalloc: by name, and under `bytes` and `Arc<[u8]>` by way of the
//! [switch](crate::switch).

use crate::opaque::opaque;
use std::sync::Arc;

use bytes::BytesMut;
use libmimalloc_sys as mi;

use super::{Candidate, Kind, LEN};
use crate::switch::Heap;

pub const GLIBC: &str = "glibc malloc";
pub const MIMALLOC: &str = "mimalloc";
pub const BYTES_GLIBC: &str = "bytes on glibc";
pub const BYTES_MIMALLOC: &str = "bytes on mimalloc";
pub const ARC_GLIBC: &str = "Arc<[u8]> on glibc";
pub const ARC_MIMALLOC: &str = "Arc<[u8]> on mimalloc";

pub fn pairs() -> Vec<Candidate> {
    let bytes = |name, heap| {
        Candidate::new(name, Kind::Counted, |work| {
            work.repeat(|| drop(opaque(BytesMut::with_capacity(LEN))))
        })
        .on(heap)
    };
    let arc = |name, heap| {
        Candidate::new(name, Kind::Counted, |work| {
            work.repeat(|| drop(opaque(Arc::<[u8]>::new_uninit_slice(LEN))))
        })
        .on(heap)
    };
    vec![
        bytes(BYTES_GLIBC, Heap::Glibc),
        bytes(BYTES_MIMALLOC, Heap::Mimalloc),
        arc(ARC_GLIBC, Heap::Glibc),
        arc(ARC_MIMALLOC, Heap::Mimalloc),
        Candidate::new(GLIBC, Kind::Allocator, |work| {
            // SAFETY: freed once, just allocated.
            work.repeat(|| unsafe { libc::free(opaque(libc::malloc(LEN))) })
        }),
        Candidate::new(MIMALLOC, Kind::Allocator, |work| {
            // SAFETY: freed once, just allocated.
            work.repeat(|| unsafe { mi::mi_free(opaque(mi::mi_malloc(LEN))) })
        }),
    ]
}
