tierpool::pool! { static POOL = [8 x 1, 8 x 1, 8 x 1, 8 x 1, 8 x 1, 8 x 1, 8 x 1, 8 x 1, 8 x 1, 8 x 1, 8 x 1, 8 x 1, 8 x 1, 8 x 1, 8 x 1, 8 x 1, 8 x 1]; }

fn main() {}
