//! What becomes of packets, counted by the threads that move them and read by the one that watches.
//!
//! ```text
//!   offered ─┬─► received ─┬─► routed ──► x 3 interfaces ─┬─► sent
//!            └ no receive  ├ damaged on the air           ├ no transmit buffer
//!              buffer      ├ no route                     └ interface queue full
//!                          └ hop limit
//! ```

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};

/// Interfaces that every routed packet goes to.
pub const INTERFACES: u64 = 3;

/// Why a packet, or one interface's copy of it, goes no further.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cause {
    NoReceiveBuffer,
    DamagedOnAir,
    NoRoute,
    HopLimit,
    NoTransmitBuffer,
    QueueFull,
}

impl Cause {
    pub const ALL: [Cause; 6] = [
        Cause::NoReceiveBuffer,
        Cause::DamagedOnAir,
        Cause::NoRoute,
        Cause::HopLimit,
        Cause::NoTransmitBuffer,
        Cause::QueueFull,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Cause::NoReceiveBuffer => "no receive buffer",
            Cause::DamagedOnAir => "damaged on the air",
            Cause::NoRoute => "no route",
            Cause::HopLimit => "hop limit reached",
            Cause::NoTransmitBuffer => "no transmit buffer",
            Cause::QueueFull => "interface queue full",
        }
    }

    /// What such drops are a share of, and its name.
    pub fn out_of(self, traffic: &Traffic) -> (u64, &'static str) {
        let (counter, copies, name) = match self {
            Cause::NoReceiveBuffer => (&traffic.offered, 1, "offered"),
            Cause::DamagedOnAir | Cause::NoRoute | Cause::HopLimit => {
                (&traffic.received, 1, "received")
            }
            Cause::NoTransmitBuffer | Cause::QueueFull => {
                (&traffic.routed, INTERFACES, "the interfaces' copies")
            }
        };
        (counter.load(Relaxed) * copies, name)
    }
}

/// The counts. All are statistics (Relaxed), but for the two by which threads wait for each other.
#[derive(Debug, Default)]
pub struct Traffic {
    pub offered: AtomicU64,
    pub received: AtomicU64,
    pub routed: AtomicU64,
    pub sent: AtomicU64,
    /// Sent with other bytes than were received. Must stay 0.
    pub spoiled: AtomicU64,
    /// Whole replays of the trace.
    pub replays: AtomicU64,
    drops: [AtomicU64; Cause::ALL.len()],
    /// Received packets that the router is done with.
    handled: AtomicU64,
    stopped: AtomicBool,
}

/// Adds one.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

impl Traffic {
    pub fn drop_for(&self, cause: Cause) {
        count(&self.drops[cause as usize]);
    }

    pub fn dropped(&self, cause: Cause) -> u64 {
        self.drops[cause as usize].load(Relaxed)
    }

    /// The router is done with a packet.
    pub fn handled(&self) {
        // Release: pairs with the Acquire in `router_is_idle`; the packet's buffers have been freed
        // or queued before.
        self.handled.fetch_add(1, Release);
    }

    /// The router is done with all packets received so far. For the thread that receives them.
    pub fn router_is_idle(&self) -> bool {
        // Acquire: see `handled`.
        self.handled.load(Acquire) == self.received.load(Relaxed)
    }

    pub fn stop(&self) {
        // Relaxed: nothing is handed over by it; the threads are joined.
        self.stopped.store(true, Relaxed);
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    /// Every packet is either sent or dropped for a cause.
    pub fn balances(&self) -> bool {
        let [offered, received, routed, sent] =
            [&self.offered, &self.received, &self.routed, &self.sent]
                .map(|counter| counter.load(Relaxed));
        let dropped =
            |causes: &[Cause]| causes.iter().map(|&cause| self.dropped(cause)).sum::<u64>();
        offered == received + dropped(&[Cause::NoReceiveBuffer])
            && received == routed + dropped(&[Cause::DamagedOnAir, Cause::NoRoute, Cause::HopLimit])
            && routed * INTERFACES == sent + dropped(&[Cause::NoTransmitBuffer, Cause::QueueFull])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_packet_unaccounted_for_upsets_the_balance() {
        let traffic = Traffic::default();
        (0..2).for_each(|_| count(&traffic.offered));
        assert!(!traffic.balances());
        count(&traffic.received);
        traffic.drop_for(Cause::NoReceiveBuffer);
        assert!(!traffic.balances());
        count(&traffic.routed);
        (0..2).for_each(|_| count(&traffic.sent));
        traffic.drop_for(Cause::QueueFull);
        assert!(traffic.balances());
    }
}
