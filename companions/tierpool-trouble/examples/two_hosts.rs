//! Two hosts talk over a controller without a radio. Then both pools say how much they were used.

#[path = "../tests/common/mod.rs"]
mod common;

use tierpool::Pool;
use tierpool_trouble::{Packets, StaticPool};

tierpool::pool! {
    static OF_SENSOR = [100 x 12];
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

fn main() {
    embassy_futures::block_on(common::talk::<Packets<Sensor>, Packets<Phone>>());
    println!("{} messages of {} bytes from each host", common::ROUNDS, common::LEN);
    println!("the sensor's pool\n{:#}", OF_SENSOR.stats());
    println!("the phone's pool\n{:#}", OF_PHONE.stats());
}
