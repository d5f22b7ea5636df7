tierpool::pool! { static POOL = [64 x 1023]; }

fn main() {}
