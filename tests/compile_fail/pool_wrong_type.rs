tierpool::pool! { static POOL = [256 x 16], spill = true; }

fn main() {}
