tierpool::pool! { static POOL = [256 x 16], align = 8192; }

fn main() {}
