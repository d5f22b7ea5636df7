//! The bytes of a handle stay where they are when it moves: drivers on `embedded-dma` and views of
//! `yoke` rely on it.
#![cfg(feature = "stable_deref_trait")]

use embedded_dma::{ReadBuffer, WriteBuffer};
use std::ops::Deref;
use tierpool::{Bytes, BytesMut, Config, Object, ObjectPool, Pool, RecyclePool, SharedObject};
use tierpool_testkit::{Heap, assert_all_home, fresh_pool};
use yoke::{Yoke, Yokeable};

fn pool() -> &'static Pool {
    fresh_pool(&Config::new(&[(32, 2), (64, 2)])).unwrap()
}

/// The address before and after a move, and after the calls of `look`.
fn stays<H: Deref>(handle: H, look: impl FnOnce(&H)) -> H {
    let before = (&raw const *handle).cast::<u8>();
    let moved = Box::new(handle);
    look(&moved);
    let back = *moved;
    assert_eq!(before, (&raw const *back).cast::<u8>());
    back
}

fn look_at_shared(bytes: &Bytes) {
    let others = [bytes.clone(), bytes.slice_clamped(1, 9), bytes.slice_ref(bytes).unwrap()];
    assert!(bytes.is_empty() || !bytes.is_unique());
    drop(others);
    let _ = (bytes.footprint(), bytes.is_pooled(), format!("{bytes:?}"));
}

#[test]
fn every_handle_on_bytes_has_one_address() {
    static HEAP: Heap<true, false> = Heap::exact();
    let pool = fresh_pool(&Config::new(&[(32, 2)]).fallback(&HEAP)).unwrap();
    let slots = [pool.copy_from_slice(b"slot").unwrap(), pool.alloc(0).unwrap()];
    let of_heap = pool.copy_from_slice(&[7; 40]).unwrap();
    assert!(!of_heap.is_pooled());
    for buffer in slots.into_iter().chain([of_heap]) {
        let buffer = stays(buffer, |buffer| assert!(buffer.capacity() >= buffer.len()));
        let shared = stays(buffer.freeze(), look_at_shared);
        stays(shared.slice_clamped(1, 2), look_at_shared);
    }
    for bytes in [Bytes::new(), Bytes::from_static(b"static"), Bytes::from_static(b"")] {
        stays(bytes, look_at_shared);
    }
    let empty = Bytes::new().try_into_mut().unwrap();
    assert_eq!(stays(empty, |empty| assert!(empty.is_empty())).capacity(), 0);
    let mut of_one = pool.copy_from_slice(b"abc").unwrap().freeze();
    let nothing = of_one.split_off(3).unwrap();
    stays(nothing, look_at_shared);
    drop(of_one);
    assert_all_home(pool);
}

#[test]
fn a_clone_has_the_address_of_the_first() {
    let pool = pool();
    let one = pool.copy_from_slice(b"shared").unwrap().freeze();
    let two = one.clone();
    assert_eq!(one.as_ptr(), two.as_ptr());
    drop(one);
    assert_eq!(two, "shared");

    let objects = ObjectPool::<[u8; 4], 1>::new();
    let one = objects.alloc([7; 4]).unwrap().share();
    let two = one.clone();
    assert!(std::ptr::eq(&*one, &*two));
    drop(one);
    assert_eq!(*two, [7; 4]);
}

#[test]
fn every_handle_on_a_value_has_one_address() {
    let objects = ObjectPool::<[u8; 4], 2>::new();
    let object: Object<'_, _, 2> = stays(objects.alloc([7; 4]).unwrap(), |_| ());
    let shared: SharedObject<'_, _, 2> = stays(object.share(), |shared| drop(shared.clone()));
    drop(shared);
    let recycled = RecyclePool::<[u8; 4], 1>::new([[7; 4]]);
    stays(recycled.request().unwrap(), |_| ());
}

// ---- embedded-dma

/// A transfer in a driver: it owns the buffer, and writes by the pointer after it has moved.
struct Transfer<B> {
    buffer: B,
    pointer: *mut u8,
    len: usize,
}

impl<B: WriteBuffer<Word = u8>> Transfer<B> {
    fn start(mut buffer: B) -> Self {
        // SAFETY: the transfer keeps the buffer, and touches it in no other way.
        let (pointer, len) = unsafe { buffer.write_buffer() };
        Transfer { buffer, pointer, len }
    }

    fn finish(self) -> B {
        // SAFETY: so many bytes are there, as `WriteBuffer` says.
        unsafe { self.pointer.write_bytes(0xA5, self.len) };
        self.buffer
    }
}

/// What a driver sends.
fn sent<B: ReadBuffer<Word = u8>>(buffer: B) -> Vec<u8> {
    // SAFETY: the buffer lives until the end of this function.
    let (pointer, len) = unsafe { buffer.read_buffer() };
    let moved = Box::new(buffer);
    // SAFETY: the bytes stay where they were.
    let bytes = unsafe { std::slice::from_raw_parts(pointer, len) }.to_vec();
    drop(moved);
    bytes
}

#[test]
fn a_driver_receives_into_a_buffer() {
    let pool = pool();
    let transfer = Box::new(Transfer::start(pool.zeroed(20).unwrap()));
    let received: BytesMut = transfer.finish();
    assert_eq!(received, [0xA5; 20]);
    assert_eq!(sent(received), [0xA5; 20]);
    assert_all_home(pool);
}

/// A driver writes one half of a buffer, while its other half is filled, and goes.
#[test]
fn a_driver_receives_into_a_half() {
    let pool = pool();
    let mut rest = pool.zeroed(20).unwrap();
    let transfer = Transfer::start(rest.split_to(8).unwrap());
    rest.fill(7);
    let mut other = stays(rest, |rest| assert_eq!(rest.len(), 12));
    other.reserve(40).unwrap(); // may move its data
    drop(other);
    assert_eq!(transfer.finish(), [0xA5; 8]);
    assert_all_home(pool);
}

#[test]
fn a_driver_sends_shared_bytes_and_objects() {
    let pool = pool();
    let bytes = pool.copy_from_slice(b"frame").unwrap().freeze();
    assert_eq!(
        (sent(bytes.clone()), sent(bytes.slice_clamped(1, 2))),
        (b"frame".into(), b"ra".into())
    );
    static FRAMES: ObjectPool<[u8; 4], 1> = ObjectPool::new();
    let frame = FRAMES.alloc([1; 4]).unwrap();
    assert_eq!(*Transfer::start(frame).finish(), [0xA5; 4]);
}

// ---- yoke

/// A parsed packet.
#[derive(Yokeable)]
struct View<'b> {
    name: &'b str,
    payload: &'b [u8],
}

impl<'b> View<'b> {
    fn parse(bytes: &'b [u8]) -> Option<Self> {
        let at = bytes.iter().position(|byte| *byte == b';')?;
        let (name, payload) = (std::str::from_utf8(&bytes[..at]).ok()?, &bytes[at + 1..]);
        Some(View { name, payload })
    }
}

fn parse<C: stable_deref_trait::StableDeref<Target = [u8]>>(cart: C) -> Yoke<View<'static>, C> {
    Yoke::try_attach_to_cart(cart, |bytes| View::parse(bytes).ok_or(())).unwrap()
}

#[test]
fn a_view_owns_its_buffer() {
    let pool = pool();
    let packet = pool.copy_from_slice(b"node;hello").unwrap();
    let view = Box::new(parse(packet));
    assert_eq!((view.get().name, view.get().payload), ("node", &b"hello"[..]));
    let packet: BytesMut = view.into_backing_cart();
    let shared = packet.freeze();
    let views = [parse(shared.clone()), parse(shared)];
    let [one, two] = views;
    drop(one);
    std::thread::spawn(move || assert_eq!(two.get().payload, b"hello")).join().unwrap();
    assert_all_home(pool);
}
