//! What the library prints is read back, whatever a logger and a serial line do to it.

use super::*;
use crate::watch::snapshot::{Counts, Reserve, Sums, Tier};
use tierpool::{Config, Pool, Stats};

/// All that the parser makes of a log.
fn reports(log: &str) -> Vec<Report> {
    let mut parser = Parser::default();
    let mut reports: Vec<Report> = log.lines().flat_map(|line| parser.line(line, 1.0)).collect();
    reports.extend(parser.end());
    reports
}

/// The figures of the library, as a line or a table tells them.
fn expected(stats: &Stats, name: Option<&str>, table: bool) -> Snapshot {
    let tier = |tier: &tierpool::TierStats| {
        let reserve = tier.reserve;
        let of_reserve = Reserve {
            slots: reserve.slots as u64,
            in_use: reserve.in_use as u64,
            counts: table.then_some((reserve.peak as u64, reserve.served)),
        };
        Tier {
            bytes: tier.size as u64,
            slots: tier.slots as u64,
            in_use: tier.in_use as u64,
            exact: tier.exact,
            reserve: (reserve.slots > 0).then_some(of_reserve),
            counts: table.then_some(Counts {
                cached: tier.cached as u64,
                peak: tier.peak as u64,
                at_most: tier.lanes > 1,
                served: tier.served,
                missed: tier.missed,
            }),
        }
    };
    Snapshot {
        name: name.map(str::to_owned),
        seconds: 1.0,
        clock: Clock::Lines,
        requests: stats.requests(),
        hits: stats.hits(),
        misses: stats.misses(),
        fallbacks: stats.fallbacks(),
        tiers: stats.tiers().iter().map(tier).collect(),
        sums: table.then_some(Sums {
            from_caches: stats.from_caches(),
            exhausted: stats.exhausted(),
            oversized: stats.oversized(),
            fallback_live: stats.fallback_live().into(),
            retries: stats.retries(),
            moved: stats.moved(),
        }),
    }
}

fn holders(stats: &Stats) -> Vec<Report> {
    let rows = stats.holders().iter().map(|row| {
        Report::Holder(Holder {
            buffers: row.buffers as u64,
            bytes_and_age: Some((row.bytes as u64, row.oldest.into())),
            name: row.holder.to_string(),
        })
    });
    let rows: Vec<Report> = rows.collect();
    if rows.is_empty() { rows } else { [vec![Report::Holders], rows].concat() }
}

/// Pools with everything that the text can show: reserves, lanes, a cache, misses, holders.
fn pools() -> Vec<(Option<&'static str>, &'static Pool)> {
    static GLOBAL: tierpool::GlobalHeap = tierpool::GlobalHeap;
    let named = Pool::leak(
        &Config::new(&[(256, 16), (512, 4)]).reserve(&[1, 2]).spill(1).fallback(&GLOBAL).name("RX"),
    )
    .unwrap();
    let lanes =
        Pool::leak(&Config::new(&[(64, 8), (64, 8), (65_536, 3)]).lanes(2).lane(|| 0)).unwrap();
    for pool in [named, lanes] {
        let held: Vec<_> = (0..30).map(|n| pool.alloc(40 + 20 * n)).collect();
        held.iter().flatten().take(2).for_each(|buffer| buffer.mark(&"parked for  a while"));
        let _ = (pool.alloc(1_000_000), pool.alloc_reserved(500));
        std::mem::forget((held, pool.alloc_reserved(500)));
        let mut cache = tierpool::PoolCache::<4, 16>::new(pool);
        drop(cache.alloc(16));
        cache.report();
        std::mem::forget(cache);
    }
    vec![(Some("RX"), named), (None, lanes)]
}

/// How loggers show a text of several lines: with something before the first one, or before each.
const PREFIXES: [&str; 7] = [
    "",
    "INFO - ",
    "I (1000) relay: ",
    "[1970-01-01T00:00:01Z INFO  relay] ",
    "\u{1b}[0;32mI (1000) relay: ",
    "1.000000 [INFO ] ",
    "[00:00:01.000,000] <inf> relay: ",
];

fn logged(text: &str, prefix: &str, each: bool) -> String {
    let between = if each { format!("\n{prefix}") } else { "\n".into() };
    format!("{prefix}{}\u{1b}[0m\r\n", text.replace('\n', &between))
}

/// With the same time, whatever the clock of the log counts from.
fn at_one(mut reports: Vec<Report>) -> Vec<Report> {
    for report in &mut reports {
        if let Report::Snapshot(snapshot) = report {
            (snapshot.seconds, snapshot.clock) = (1.0, Clock::Lines);
        }
    }
    reports
}

#[test]
fn lines_survive_every_prefix() {
    for (name, pool) in pools() {
        let stats = pool.stats();
        let line = expected(&stats, name, false);
        for prefix in PREFIXES {
            let log = logged(&stats.to_string(), prefix, false);
            assert_eq!(at_one(reports(&log)), [Report::Snapshot(line.clone())], "{log}");
        }
        // With the place in the code behind it, as espflash shows it.
        let log = format!("[INFO ] {stats} (relay src/main.rs:12)\n");
        assert_eq!(reports(&log), [Report::Snapshot(line)], "{log}");
    }
}

#[test]
fn tables_survive_every_prefix() {
    for (name, pool) in pools() {
        let stats = pool.stats();
        let table = Report::Snapshot(expected(&stats, name, true));
        let all = [vec![table], holders(&stats)].concat();
        assert!(all.len() > 3, "there are holders");
        for (prefix, each) in PREFIXES.into_iter().flat_map(|it| [(it, false), (it, true)]) {
            let log = logged(&format!("{stats:#}"), prefix, each);
            assert_eq!(at_one(reports(&log)), all, "{log}");
        }
    }
}

#[test]
fn histograms_survive_every_prefix() {
    static POOL: std::sync::LazyLock<&Pool> =
        std::sync::LazyLock::new(|| Pool::leak(&Config::new(&[(64, 8), (512, 4)])).unwrap());
    let _held = [20, 30, 70_000, 400, 20].map(|bytes| POOL.alloc(bytes));
    let histogram = POOL.histogram();
    for prefix in PREFIXES {
        let log = logged(&histogram.to_string(), prefix, true);
        let [Report::Histogram(read)] = &reports(&log)[..] else { panic!("{:?}", reports(&log)) };
        let sizes: Vec<(u64, u64)> =
            histogram.buckets().map(|(size, count)| (size as u64, count.into())).collect();
        assert_eq!((&read.asked, read.requests), (&sizes, 5));
        assert_eq!(read.tiers.iter().map(|tier| tier.slots).collect::<Vec<_>>(), [8, 4]);
    }
}

/// What C prints has no `fallbacks`, and `defmt` writes the tiers as a list.
#[test]
fn lines_of_c_and_of_defmt_are_read() {
    let (name, pool) = pools().remove(1);
    let stats = pool.stats();
    let text = stats.to_string();
    let line = Report::Snapshot(expected(&stats, name, false));
    let (before, tiers) = text.split_once("% ").unwrap();
    let defmt = format!("{before}% [{}]", tiers.replace(' ', ", "));
    for text in [&defmt, &text.replace(" fallbacks=0", "")] {
        assert_eq!(reports(text), std::slice::from_ref(&line), "{text}");
    }
    assert_eq!(reports(defmt.strip_suffix(']').unwrap()), [Report::Damaged]);
}

/// Wherever a table loses a byte or a line, no figure of it is wrong: it is read whole, or it is
/// known to be damaged. Names may suffer.
#[test]
fn a_table_that_lost_something_is_not_taken() {
    for (name, pool) in pools() {
        let stats = pool.stats();
        let text = format!("{stats:#}");
        let whole = expected(&stats, name, true);
        // A row that has served nothing is in no sum: it may be missing. The model knows the tiers.
        let figures = |snapshot: &Snapshot| {
            let mut figures = Snapshot { name: None, ..snapshot.clone() };
            figures.tiers.retain(|tier| tier.counts.is_some_and(|it| it.served > 0));
            for tier in &mut figures.tiers {
                tier.reserve = tier.reserve.filter(|it| it.counts.is_some_and(|it| it.1 > 0));
            }
            figures
        };
        let end = text.find("held by").unwrap();
        let mut damaged = 0;
        let lines: Vec<&str> = text.lines().collect();
        let without = |line: usize| [&lines[..line], &lines[line + 1..]].concat().join("\n");
        let losses = (0..end)
            .map(|at| text.chars().enumerate().filter(|it| it.0 != at).map(|it| it.1).collect())
            .chain((0..lines.len()).map(without))
            .chain((0..end).map(|at| text[..at].to_owned()));
        for log in losses.collect::<Vec<String>>() {
            for report in reports(&log) {
                match report {
                    Report::Snapshot(read) => {
                        let same = figures(&read) == figures(&whole);
                        // A peak or a miss is in no sum; but its column shows a byte that is lost.
                        let end_is_cut = cut_in_sums(&figures(&read), &figures(&whole));
                        assert!(same || end_is_cut, "{log}\n{read:?}");
                    }
                    Report::Damaged => damaged += 1,
                    _ => {}
                }
            }
        }
        assert!(damaged > 300, "{damaged}");
    }
}

/// The end of the last line is in no sum: the buffers of the fallback that are out, and what stands
/// behind them.
fn cut_in_sums(read: &Snapshot, whole: &Snapshot) -> bool {
    let sums = |snapshot: &Snapshot| Snapshot {
        name: None,
        fallbacks: 0,
        sums: snapshot.sums.map(|sums| Sums { fallback_live: 0, retries: 0, ..sums }),
        ..snapshot.clone()
    };
    sums(read) == sums(whole)
}

#[test]
fn a_line_that_lost_something_is_not_taken() {
    let (_, pool) = pools().remove(0);
    let text = pool.stats().to_string();
    let whole = expected(&pool.stats(), None, false);
    for at in 0..text.find(" 256=").unwrap() {
        let log: String = text.chars().enumerate().filter(|it| it.0 != at).map(|it| it.1).collect();
        for report in reports(&log) {
            if let Report::Snapshot(read) = report {
                let figures = (read.requests, read.hits, read.misses, read.tiers);
                let fallbacks = text.find("fallbacks=").unwrap()..text.find(" hit_rate").unwrap();
                assert!(fallbacks.contains(&at) || at < 3 || read.fallbacks == whole.fallbacks);
                assert_eq!(
                    figures,
                    (whole.requests, whole.hits, whole.misses, whole.tiers.clone()),
                    "{log}"
                );
            }
        }
    }
    for bad in [
        "requests=",
        "requests=1 hits=1 misses=0 fallbacks=0 hit_rate=100%",
        "requests=2 hits=1 misses=1 hit_rate=50% 64=9/8",
        "requests=2 hits=1 misses=0 hit_rate=50% 64=1/8",
        "requests=2 hits=1 misses=1 hit_rate=60% 64=1/8",
    ] {
        assert_eq!(reports(bad), [Report::Damaged], "{bad}");
    }
}

/// Numbers that no pool has are no harm: a serial line makes them.
#[test]
fn huge_numbers_do_no_harm() {
    for (_, pool) in pools() {
        for text in [pool.stats().to_string(), format!("{:#}", pool.stats())] {
            let starts = text.match_indices(|c: char| c.is_ascii_digit()).map(|it| it.0);
            for start in starts.collect::<Vec<_>>() {
                let end = text[start..].find(|c: char| !c.is_ascii_digit());
                let end = end.map_or(text.len(), |end| start + end);
                let mut log = text.clone();
                log.replace_range(start..end, &u64::MAX.to_string());
                log.insert_str(0, "99999999999-99-99T999:99:99 ");
                let mut model = crate::watch::model::Model::default();
                for report in reports(&log) {
                    model.take(report);
                }
                crate::watch::page::page(&model, "log").unwrap();
            }
        }
    }
    let all = format!("{0}\n", u64::MAX).repeat(3) + &u64::MAX.to_string().repeat(99);
    assert_eq!(reports(&all), []);
}

/// Lines of others between the rows change nothing; where a table never ends, it is given up.
#[test]
fn garbage_in_between_is_passed_over() {
    let (name, pool) = pools().remove(0);
    let stats = pool.stats();
    let garbage = "I (44) wifi: connected\n\u{fffd}\u{fffd}=/ 12 ~ <=\n\n   1 2 3\nrequests\n";
    let log: String = format!("{stats:#}\n")
        .lines()
        .enumerate()
        .map(|(n, line)| if n == 0 { format!("{line}\n") } else { format!("{line}\n{garbage}") })
        .collect();
    let all = [vec![Report::Snapshot(expected(&stats, name, true))], holders(&stats)].concat();
    assert_eq!(at_one(reports(&log)), all);
    let begun: String =
        format!("{stats:#}").lines().take(3).map(|line| format!("{line}\n")).collect();
    let log = begun + &"nothing\n".repeat(50) + &format!("{stats:#}");
    assert_eq!(reports(&log)[..2], [vec![Report::Damaged], vec![all[0].clone()]].concat());
    assert_eq!(reports(garbage), []);
}
