tierpool::pool! { static POOL = [256 x 16, 65537 x 1]; }

fn main() {}
