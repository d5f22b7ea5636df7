//! The switch of the global allocator. Alone in its process: the choice is everybody's.

use tierpool_benches::switch::{Heap, is_in_region};

#[test]
fn a_block_goes_back_to_where_it_came_from() {
    let glibc = vec![1u8; 1000];
    Heap::Mimalloc.choose();
    let mut mimalloc = vec![2u8; 1000];
    drop(glibc);
    Heap::Glibc.choose();
    assert!(is_in_region(mimalloc.as_ptr()));
    mimalloc.resize(100_000, 3);
    assert!(is_in_region(mimalloc.as_ptr()));
    assert_eq!(mimalloc[999], 2);
    assert_eq!(mimalloc[99_999], 3);
    assert!(!is_in_region(Box::into_raw(Box::new(1u64)).cast()));
}
