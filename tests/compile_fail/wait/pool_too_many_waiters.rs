tierpool::pool! { static POOL = [64 x 1], waiters = 100_000; }

fn main() {}
