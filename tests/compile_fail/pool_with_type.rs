tierpool::pool! { pub static POOL: Pool = [256 x 16]; }

fn main() {}
