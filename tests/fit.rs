//! What `tierpool fit` promises, on real pools: the predicted hits are the hits, the memory is
//! the memory.
#![cfg(feature = "alloc")]

#[path = "common/replay.rs"]
mod replay;

use replay::replay;
use tierpool::{Config, Pool};
use tierpool_testkit::{Choices, Random};
use tierpool_traces::Trace;
use tierpool_traces::fit::{Demand, Fit, Fitter, Geometry, SLOT_WORDS, TIER_WORDS, TraceDemand};

fn pool(geometry: &Geometry) -> &'static Pool {
    Pool::leak(&Config::new(&geometry.tiers).spill(geometry.spill))
        .expect("what is fitted can be built")
}

fn check(fit: &Fit, trace: &Trace) {
    let pool = pool(&fit.geometry);
    replay(pool, trace);
    assert_eq!(pool.stats().hits(), fit.hits, "{}", fit.geometry);
    assert_eq!(pool.stats().requests(), fit.requests, "{}", fit.geometry);
    let payload = Config::new(&fit.geometry.tiers).payload_bytes();
    let words = fit.geometry.slots() * SLOT_WORDS + fit.geometry.tiers.len() * TIER_WORDS;
    assert_eq!(fit.geometry.memory(), payload + words, "{}", fit.geometry);
}

/// The real trace: in the memory of the tiers that were chosen by hand, which served 84 357
/// requests, more are served.
#[test]
fn transport() {
    let trace = Trace::reticulum_transport();
    let demand = TraceDemand::new(&trace, 4).unwrap();
    let fitter = Fitter::new(&demand, &mut |_, _| ());
    let by_hand = Geometry {
        tiers: vec![(16, 256), (32, 768), (32, 768), (64, 288), (256, 208), (512, 72), (1024, 4)],
        spill: 1,
    };
    for memory in [20_000, 60_000, by_hand.memory()] {
        let fit = fitter.for_memory(memory).unwrap();
        assert!(fit.geometry.memory() <= memory);
        check(&fit, &trace);
        assert!(memory < by_hand.memory() || fit.hits > 84_357);
    }
    let all = fitter.for_all();
    assert_eq!(all.hits, all.requests);
    check(&all, &trace);
}

/// Serves at least as much as the exhaustive search of earlier versions did, within half a percent
/// of the requests.
#[test]
fn as_good_as_looking_at_every_class() {
    let trace = Trace::reticulum_transport();
    let demand = TraceDemand::new(&trace, 4).unwrap();
    let fitter = Fitter::new(&demand, &mut |_, _| ());
    for (memory, before) in [(20_148, 50.10), (51_744, 80.19), (88_780, 95.06), (134_288, 99.12)] {
        let fit = fitter.for_memory(memory).unwrap();
        assert!(fit.percent() > before - 0.5, "{memory} bytes: {:.2} %", fit.percent());
        check(&fit, &trace);
    }
}

/// 12 000 events of 2000 sizes: an exhaustive search took minutes and gigabytes.
#[test]
fn many_sizes() {
    let mut numbers = Random::new(1);
    let mut random = |below: usize| numbers.below(below);
    let (mut trace, mut live) = (Trace::default(), Vec::new());
    while trace.events().len() < 12_000 {
        if live.len() < 60 || random(2) == 0 {
            live.push(trace.alloc(4 * random(2000) as u32 + 4));
        } else {
            assert!(trace.free(live.swap_remove(random(live.len()))));
        }
    }
    let demand = TraceDemand::new(&trace, 4).unwrap();
    assert!(demand.sizes().len() > 1800);
    let fitter = Fitter::new(&demand, &mut |_, _| ());
    for percent in [50.0, 95.0] {
        let fit = fitter.for_hit_rate(percent, &mut |_| ()).unwrap();
        assert!(fit.percent() >= percent);
        check(&fit, &trace);
    }
}

#[test]
fn loopback() {
    let trace = Trace::reticulum_loopback();
    let demand = TraceDemand::new(&trace, 8).unwrap();
    let fitter = Fitter::new(&demand, &mut |_, _| ());
    for percent in [10.0, 50.0, 90.0, 99.0] {
        let fit = fitter.for_hit_rate(percent, &mut |_| ()).unwrap();
        assert!(fit.percent() >= percent && fit.geometry.tiers.iter().all(|tier| tier.0 % 8 == 0));
        check(&fit, &trace);
    }
}

/// What a pool prints of its requests is read back, and tiers can be fitted to it: not as well as
/// to the trace, but when the fitted tiers record in turn, each knows the peak of its own sizes,
/// and the second fit is near.
#[cfg(feature = "histogram")]
#[test]
fn histogram() {
    use tierpool_traces::fit::HistogramDemand;

    let trace = Trace::reticulum_transport();
    let generous = pool(&Geometry {
        tiers: vec![(32, 1022), (32, 1022), (128, 500), (512, 250), (4096, 60)],
        spill: 1,
    });
    replay(generous, &trace);
    let histogram = generous.histogram();
    let counted = histogram.buckets().map(|(_, requests)| u64::from(requests)).sum::<u64>()
        + u64::from(histogram.larger());
    assert_eq!(counted, generous.stats().requests());
    assert_eq!(histogram.larger(), 0);

    let demand = HistogramDemand::parse(&histogram.to_string()).unwrap();
    assert_eq!(demand.requests(), counted);
    assert!(demand.sizes().iter().copied().eq(histogram.buckets().map(|(size, _)| size)));

    // Per mille of the requests that are served at least, at first and when fitted again.
    for (memory, first, second) in [(60_000, 757, 801), (120_000, 812, 964), (180_000, 839, 996)] {
        let mut histogram = histogram;
        for expected in [first, second] {
            let demand = HistogramDemand::parse(&histogram.to_string()).unwrap();
            let fit = Fitter::new(&demand, &mut |_, _| ()).for_memory(memory).unwrap();
            let fitted = pool(&fit.geometry.with_spill(1));
            replay(fitted, &trace);
            let served = fitted.stats().hit_permille();
            assert!(served >= expected, "{memory} bytes: {served} of {expected}, {}", fit.geometry);
            histogram = fitted.histogram();
        }
    }
}

/// Four buffers are kept, then a thousand come and go, by way of the larger tier. Five slots were
/// out at once, none was refused.
#[cfg(feature = "histogram")]
#[test]
fn what_spilled_needs_no_slot_of_its_own() {
    use tierpool_traces::fit::HistogramDemand;

    let pool = pool(&Geometry { tiers: vec![(64, 4), (256, 4)], spill: 1 });
    let _kept: Vec<_> = (0..4).map(|_| pool.alloc(60).unwrap()).collect();
    for _ in 0..1000 {
        drop(pool.alloc(60).unwrap());
    }
    let demand = HistogramDemand::parse(&pool.histogram().to_string()).unwrap();
    let fit = Fitter::new(&demand, &mut |_, _| ()).for_hit_rate(95.0, &mut |_| ()).unwrap();
    assert_eq!(fit.geometry.to_string(), "[60 x 5]");
}
