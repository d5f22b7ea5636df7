tierpool::pool! { static POOL = [256 x 16], unsafe section = ".dma", unsafe section = ".dma"; }

fn main() {}
