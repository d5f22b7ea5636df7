//! Core 0: receives what is on the air, in bursts, and hands it to the router.

use std::num::NonZeroU32;
use std::sync::mpsc::SyncSender;
use std::thread;
use tierpool::BytesMut;

use crate::RX;
use crate::packet::Shape;
use crate::traffic::{Cause, Traffic, count};

/// The longest burst, in frames. Longer than the 32 slots that fit them, so some of it may find no
/// buffer.
const BURST: usize = 40;

/// Receives until the traffic is stopped. Between bursts the air is quiet until the router has
/// caught up. With `leak`, a buffer is forgotten after so many frames, over and over.
pub fn receive(traffic: &Traffic, router: SyncSender<BytesMut>, leak: Option<NonZeroU32>) {
    let mut random = fastrand::Rng::with_seed(1);
    let mut sequence = 0;
    while !traffic.is_stopped() {
        for _ in 0..random.usize(1..=BURST) {
            let shape = Shape::random(sequence, &mut random);
            sequence = sequence.wrapping_add(1);
            count(&traffic.offered);
            if leak.is_some_and(|every| sequence % every == 0) {
                std::mem::forget(RX.alloc(shape.frame_len()));
            }
            match RX.alloc(shape.frame_len()) {
                Ok(mut frame) => {
                    shape.write(&mut frame).expect("the buffer has room for the frame");
                    count(&traffic.received);
                    router.send(frame).expect("the router stops after the radio");
                }
                Err(_) => traffic.drop_for(Cause::NoReceiveBuffer),
            }
        }
        while !traffic.router_is_idle() {
            thread::yield_now();
        }
    }
}
