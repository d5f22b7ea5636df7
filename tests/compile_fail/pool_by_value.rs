tierpool::pool! { static POOL = default; }

fn main() {
    let pool: tierpool::Pool = POOL;
    let _ = pool;
}
