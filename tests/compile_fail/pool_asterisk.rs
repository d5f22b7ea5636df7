tierpool::pool! { static POOL = [64 x 4, 256 * 16]; }

fn main() {}
