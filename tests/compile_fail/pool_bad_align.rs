tierpool::pool! { static POOL = [256 x 16], align = 48; }

fn main() {}
