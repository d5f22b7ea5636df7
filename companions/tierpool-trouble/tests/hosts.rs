//! Two hosts talk over a controller without a radio, on pools of this crate.

mod common;

use embassy_time::{Duration, with_timeout};
use tierpool::Pool;
use tierpool_trouble::{Packets, StaticPool};
use trouble_host::PacketPool;
use trouble_host::prelude::DefaultPacketPool;

tierpool::pool! {
    static OF_SENSOR = [100 x 12, 256 x 4];
    static OF_PHONE = [251 x 16];
}

struct Sensor;

impl StaticPool for Sensor {
    const MTU: usize = 100;

    fn pool() -> &'static Pool {
        &OF_SENSOR
    }
}

struct Phone;

impl StaticPool for Phone {
    const MTU: usize = 251;

    fn pool() -> &'static Pool {
        &OF_PHONE
    }
}

/// What comes of a conversation, unless it hangs.
fn talk<OfSensor: PacketPool, OfPhone: PacketPool>() {
    let talk = with_timeout(Duration::from_secs(60), common::talk::<OfSensor, OfPhone>());
    let talked = embassy_futures::block_on(talk);
    assert!(talked.is_ok(), "{:#}\n{:#}", OF_SENSOR.stats(), OF_PHONE.stats());
}

#[test]
fn two_hosts_talk_on_pools() {
    talk::<Packets<Sensor>, Packets<Phone>>();
    for pool in [&OF_SENSOR, &OF_PHONE] {
        let stats = pool.stats();
        assert!(stats.hits() >= 2 * u64::from(common::ROUNDS), "{stats:#}");
        assert_eq!(stats.misses(), 0, "{stats:#}");
        assert!(pool.is_idle(), "{stats:#}");
    }
}

/// So the controller without a radio is as trouble expects it.
#[test]
fn two_hosts_talk_on_their_own_pool() {
    talk::<DefaultPacketPool, DefaultPacketPool>();
}
