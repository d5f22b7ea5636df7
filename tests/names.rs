//! The names of pools in their statistics, and that nothing changes without the feature.

use tierpool::Pool;
#[cfg(feature = "names")]
use tierpool_testkit::fresh_pool;

tierpool::pool! {
    static RX = [64 x 2];
    static TX_LOW = default, spill = 1;
}

const LINE: &str = "requests=0 hits=0 misses=0 fallbacks=0 hit_rate=100% 64=0/2";

fn in_front(pool: &Pool) -> (String, String) {
    let (line, table) = (pool.stats().to_string(), format!("{:#}", pool.stats()));
    let (name, _) = line.split_once("requests=").unwrap();
    let (first, _) = table.split_once(" bytes   slots ").unwrap();
    (name.to_owned(), first.to_owned())
}

#[cfg(not(feature = "names"))]
#[test]
fn without_the_feature_no_name_is_shown() {
    assert_eq!(RX.stats().to_string(), LINE);
    assert_eq!(in_front(&TX_LOW), (String::new(), String::new()));
    assert!(!format!("{:?}", RX.stats()).contains("name"));
}

#[cfg(feature = "names")]
#[test]
fn static_pools_are_called_as_their_statics() {
    assert_eq!(RX.stats().to_string(), format!("RX {LINE}"));
    assert_eq!(RX.stats().since(&RX.stats()).to_string(), format!("RX {LINE}"));
    assert_eq!(in_front(&TX_LOW), ("TX_LOW ".to_owned(), "TX_LOW\n".to_owned()));
    assert_eq!((RX.stats().name(), TX_LOW.stats().name()), (Some("RX"), Some("TX_LOW")));
    assert!(format!("{:?}", RX.stats()).starts_with("Stats { name: Some(\"RX\"), exhausted: 0,"));
}

#[cfg(feature = "names")]
#[test]
fn other_pools_have_the_name_of_their_config() {
    let config = tierpool::Config::new(&[(64, 2)]);
    let (named, nameless) = (config.name("up link"), config);
    let [named, nameless] = [named, nameless].map(|config| fresh_pool(&config).unwrap());
    assert_eq!(named.stats().to_string(), format!("up link {LINE}"));
    assert_eq!(in_front(named), ("up link ".to_owned(), "up link\n".to_owned()));
    assert_eq!(nameless.stats().to_string(), LINE);
    assert_eq!((nameless.stats().name(), in_front(nameless).1), (None, String::new()));
}

/// `tierpool fit` reads it, and does not know names.
#[cfg(feature = "histogram")]
#[test]
fn histograms_have_no_name() {
    assert!(RX.histogram().to_string().starts_with("tierpool histogram 1\ntier 64 2 0 0 0\n"));
}
