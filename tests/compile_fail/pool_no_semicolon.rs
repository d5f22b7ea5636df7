tierpool::pool! { static POOL = [256 x 16], spill = 1 }

fn main() {}
