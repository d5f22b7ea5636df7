tierpool::pool! { pub const POOL = [256 x 16]; }

fn main() {}
