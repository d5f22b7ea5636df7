tierpool::pool! { static POOL = [256 x 16], align = 64, spill = 1, align = 32; }

fn main() {}
