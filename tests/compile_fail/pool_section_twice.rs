tierpool::pool! { static POOL = [256 x 16], section = ".dma", section = ".dma"; }

fn main() {}
