tierpool::pool! { static POOL = [64 x 4, 128 x 0]; }

fn main() {}
