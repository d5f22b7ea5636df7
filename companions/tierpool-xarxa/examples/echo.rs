//! A radio and a stack that answers each frame, with a driver between them.
//!
//! ```sh
//! cargo run --example echo
//! ```
//!
//! xarxa itself is not published yet. So the stack here is a loop over its driver's trait: it
//! receives a packet, and transmits one that answers. The radio's side is what a program writes.

use tierpool_xarxa::{Device, Radio, State};
use xarxa_driver::{Capabilities, Driver, HardwareAddress, LinkState, PacketBuf};

tierpool::pool! {
    /// What the radio receives.
    static RX = [256 x 8, 1514 x 4];
}
tierpool::pool! {
    /// What the stack sends. The driver takes the one place of a waiter.
    static TX = [1514 x 4], waiters = 1;
}

const ADDRESS: HardwareAddress = HardwareAddress::Ethernet([2, 0, 0, 0, 0, 1]);

fn main() -> Result<(), tierpool::Error> {
    let mut state = State::<9, 5>::new();
    let (mut device, mut radio) =
        tierpool_xarxa::new(&mut state, &TX, ADDRESS, Capabilities::default())?;
    radio.link.set(LinkState::Up);

    for number in 0..20_u8 {
        // In firmware this is the interrupt handler of the radio.
        let mut frame = RX.alloc_pooled(200)?;
        frame.extend_from_slice(&[number; 100])?;
        if radio.rx.push(frame).is_err() {
            println!("the queue is full: frame {number} is dropped");
        }
        answer(&mut device);
        send(&mut radio, number);
    }

    println!("{:#}\n\n{:#}", RX.stats(), TX.stats());
    drop((device, radio)); // the driver keeps one buffer ready for the stack
    assert!(RX.is_idle() && TX.is_idle());
    Ok(())
}

/// The stack: it answers what it has received.
fn answer(device: &mut Device<'_>) {
    while device.can_transmit() {
        let Some(received) = device.receive() else { return };
        let Some(mut reply) = PacketBuf::try_new() else { return };
        reply.set_len(received.len());
        reply.copy_from_slice(&received);
        if device.transmit(reply).is_err() {
            println!("the queue was full after all");
        }
    }
}

/// The radio's side of what is sent.
fn send(radio: &mut Radio<'_>, number: u8) {
    while let Some(frame) = radio.tx.try_next() {
        assert_eq!(frame[..], [number; 100]);
    }
}
