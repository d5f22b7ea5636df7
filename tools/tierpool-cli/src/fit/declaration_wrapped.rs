tierpool::pool! {
    pub static WRAPPED = [
        4 x 10, 8 x 9, 12 x 8, 16 x 7, 24 x 6, 32 x 5, 48 x 4, 64 x 3, 128 x 2, 256 x 1, 512 x 1,
        1024 x 1, 2048 x 1,
    ], spill = 1;
}
