tierpool::pool! { static POOL = [256 x 16, 512 x 16, 500 x 4]; }

fn main() {}
