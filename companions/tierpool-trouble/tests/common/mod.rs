//! Two hosts that talk over a controller without a radio.

#[path = "air.rs"]
mod air;

use std::future::pending;

use air::radios;
use bt_hci::controller::ExternalController;
use embassy_futures::select::{Either3, select, select3};
use trouble_host::PacketPool;
use trouble_host::prelude::*;

/// The number by which the phone asks for the channel.
const PROTOCOL: u16 = 0xF2;
/// Messages of each host.
pub const ROUNDS: u8 = 50;
/// Bytes of a message.
pub const LEN: usize = 90;

/// A phone connects to a sensor, opens a channel, and sends `ROUNDS` messages of `LEN` bytes, each of
/// which is answered.
pub async fn talk<OfSensor: PacketPool, OfPhone: PacketPool>() {
    let [of_sensor, of_phone] = radios().map(ExternalController::<_, 10>::new);
    let address = Address::random([0xFF, 0x9F, 0x1A, 0x05, 0xE4, 0xFF]);

    let mut resources: HostResources<OfSensor, 1, 2> = HostResources::new();
    let sensor = trouble_host::new(of_sensor, &mut resources)
        .set_random_address(address)
        .register_l2cap_spsm(PROTOCOL)
        .build();
    let mut resources: HostResources<OfPhone, 1, 2> = HostResources::new();
    let phone = trouble_host::new(of_phone, &mut resources).build();

    let answers = async {
        let advertisement =
            Advertisement::ConnectableScannableUndirected { adv_data: &[2, 1, 6], scan_data: &[] };
        let acceptor = sensor.peripheral().advertise(&Default::default(), advertisement).await;
        let connection = acceptor.unwrap().accept().await.unwrap();
        let listener = L2capChannel::listen(&sensor, &connection);
        let mut channel = listener.accept(&Default::default()).await.unwrap();
        let mut message = [0; LEN];
        for round in 0..ROUNDS {
            assert_eq!(channel.receive(&sensor, &mut message).await.unwrap(), LEN);
            assert_eq!(message, [round; LEN]);
            message.fill(!round);
            channel.send(&sensor, &message).await.unwrap();
        }
        pending().await // so that the connection goes on, until the last answer has arrived
    };
    let asks = async {
        let config = ConnectConfig {
            connect_params: Default::default(),
            scan_config: ScanConfig { filter_accept_list: &[address], ..Default::default() },
        };
        let connection = phone.central().connect(&config).await.unwrap();
        let options = L2capChannelConfig::default();
        let channel = L2capChannel::create(&phone, &connection, PROTOCOL, &options);
        let mut channel = channel.await.unwrap();
        for round in 0..ROUNDS {
            channel.send(&phone, &[round; LEN]).await.unwrap();
            let answer = channel.receive_sdu(&phone).await.unwrap();
            assert_eq!(answer.as_ref(), [!round; LEN]);
        }
    };
    let (mut of_sensor, mut of_phone) = (sensor.runner(), phone.runner());
    let hosts = select(of_sensor.run(), of_phone.run());
    match select3(asks, answers, hosts).await {
        Either3::First(()) => {}
        Either3::Second(()) => unreachable!("it goes on"),
        Either3::Third(end) => panic!("a host has ended: {end:?}"),
    }
}
