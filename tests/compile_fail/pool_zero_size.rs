tierpool::pool! { static POOL = [64 x 4, 0 x 4]; }

fn main() {}
