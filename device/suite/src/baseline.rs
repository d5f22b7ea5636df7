//! What any firmware has: copying and filling of memory. In both images whose sizes are compared.

/// Declares bytes that the compiler cannot know. A macro, so that both images have the same statements in place.
macro_rules! copied {
    ($to:ident) => {
        let (from, mut $to) = ([1u8; 32], [0u8; 32]);
        let (length, value) = (black_box(32), black_box(0));
        // SAFETY: inside both arrays.
        unsafe {
            $to.as_mut_ptr().write_bytes(value, length);
            $to.as_mut_ptr().copy_from_nonoverlapping(black_box(&from).as_ptr(), length);
        }
    };
}
