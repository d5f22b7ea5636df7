//! What one operation costs on one thread, beside the global allocator: `cargo bench -p
//! tierpool-benches`.
//!
//! Times of one machine, for comparing one change with the next; `--help` tells how to filter and
//! repeat.

use std::alloc::Layout;
use std::hint::black_box;

use divan::Bencher;
use tierpool::{Bytes, BytesMut};

tierpool::pool! { static POOL = default; }

const LEN: usize = 500;

fn main() {
    divan::main();
}

fn filled(len: usize) -> BytesMut {
    POOL.zeroed(len).expect("a free slot")
}

#[divan::bench]
fn raw_pair_sized() {
    let layout = Layout::new::<[u8; LEN]>();
    let slot = POOL.allocate(black_box(layout)).expect("a free slot");
    // SAFETY: allocated just now with this layout.
    unsafe { POOL.deallocate_sized(black_box(slot.cast()), layout) };
}

#[divan::bench]
fn raw_pair_checked() {
    let slot = POOL.allocate(Layout::new::<[u8; LEN]>()).expect("a free slot");
    // SAFETY: allocated just now.
    unsafe { POOL.deallocate(black_box(slot.cast())) }.expect("a slot of the pool");
}

#[divan::bench]
fn handle_pair() {
    black_box(POOL.alloc(LEN).expect("a free slot"));
}

#[divan::bench]
fn box_pair() {
    black_box(Box::<[u8; LEN]>::new_uninit());
}

#[divan::bench]
fn clone_and_drop(bencher: Bencher) {
    let bytes = filled(LEN).freeze();
    bencher.bench_local(|| black_box(Bytes::clone(&bytes)));
}

#[divan::bench]
fn clone_and_drop_arc(bencher: Bencher) {
    let bytes = std::sync::Arc::<[u8]>::from([0; LEN]);
    bencher.bench_local(|| black_box(bytes.clone()));
}

#[divan::bench]
fn make_mut_while_shared(bencher: Bencher) {
    let shared = filled(200).freeze();
    bencher.bench_local(|| {
        let mut copy = shared.clone();
        copy.make_mut().expect("a free slot")[0] += 1;
        black_box(copy)
    });
}

#[divan::bench]
fn make_mut_while_shared_arc(bencher: Bencher) {
    let shared = std::sync::Arc::<[u8]>::from([0; 200]);
    bencher.bench_local(|| {
        let mut copy = shared.clone();
        std::sync::Arc::make_mut(&mut copy)[0] += 1;
        black_box(copy)
    });
}

#[divan::bench]
fn miss(bencher: Bencher) {
    tierpool::pool! { static FULL = [512 x 1]; }
    let _only = FULL.alloc(LEN);
    bencher.bench_local(|| FULL.alloc(black_box(LEN)).map(drop));
}
