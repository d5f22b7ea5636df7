fn main() {
    let object = {
        let pool = tierpool::ObjectPool::<u32, 4>::new();
        pool.alloc(1).unwrap()
    };
    assert_eq!(*object, 1);
}
