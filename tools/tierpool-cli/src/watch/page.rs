//! One HTML file with charts inside: no script, and nothing that lies elsewhere.

use super::model::{Model, Point, Pool};
use super::snapshot::Clock;
use anyhow::Result;
use std::fmt::Write;
use tierpool_charts::{Axis, Chart, Series};

/// Points of a line: more nobody can see.
const MOST_POINTS: usize = 480;
/// Lines of a chart that shows tiers.
const MOST_TIERS: usize = 7;
/// A name in a title is cut here.
const LONGEST_NAME: usize = 40;

const STYLE: &str = "
:root { color-scheme: light dark; font-family: sans-serif; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
svg { max-width: 100%; height: auto; }
table {
  border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums;
  display: block; overflow-x: auto;
}
th, td { padding: 0.2rem 0.8rem; text-align: right; border-bottom: 1px solid #7575754d; }
th:last-child.text, td:last-child.text { text-align: left; overflow-wrap: anywhere; }
";

/// The page of all pools, of a log of this name.
pub fn page(model: &Model, log: &str) -> Result<String> {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>tierpool: {0}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>Pools of {0}</h1>\n<p>{1} snapshots of {2} pools",
        escaped(log),
        model.snapshots,
        model.pools.len()
    );
    if model.damaged > 0 {
        write!(page, "; {} were damaged and left out", model.damaged)?;
    }
    page += ".</p>\n";
    for pool in &model.pools {
        of_pool(&mut page, pool)?;
    }
    page += "</body>\n</html>\n";
    Ok(page)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn of_pool(page: &mut String, pool: &Pool) -> Result<()> {
    let now = &pool.now;
    writeln!(
        page,
        "<section>\n<h2>{}</h2>\n<p>{} requests, hit rate {:.2} %, {} misses, {} from the fallback.</p>",
        escaped(&pool.name),
        now.requests,
        now.hit_rate(),
        now.misses,
        now.fallbacks
    )?;
    if pool.restarts > 0 {
        writeln!(page, "<p>The device started again {} times.</p>", pool.restarts)?;
    }
    tiers(page, pool);
    for chart in charts(pool) {
        *page += &chart.svg()?;
    }
    holders(page, pool);
    if let Some(chart) = sizes(pool) {
        *page += &chart.svg()?;
    }
    *page += "</section>\n";
    Ok(())
}

/// A table whose last column may be text.
fn table(
    page: &mut String,
    headings: &[&str],
    text: bool,
    rows: impl Iterator<Item = Vec<String>>,
) {
    let row = |cells: Vec<String>, tag: &str| {
        let last = cells.len() - 1;
        let cell = |(at, cell): (usize, String)| {
            let class = if text && at == last { " class=\"text\"" } else { "" };
            format!("<{tag}{class}>{}</{tag}>", escaped(&cell))
        };
        format!("<tr>{}</tr>\n", cells.into_iter().enumerate().map(cell).collect::<String>())
    };
    *page += "<table>\n";
    *page += &row(headings.iter().map(ToString::to_string).collect(), "th");
    rows.for_each(|cells| *page += &row(cells, "td"));
    *page += "</table>\n";
}

fn tiers(page: &mut String, pool: &Pool) {
    let tiers = pool.now.tiers.iter().zip(&pool.peaks).zip(&pool.counts);
    let rows = tiers.map(|((tier, peak), counts)| {
        let counts = counts.map_or_else(Default::default, |counts| {
            [counts.cached, counts.served, counts.missed].map(|count| count.to_string())
        });
        let [cached, served, missed] = counts;
        let [bytes, slots, in_use] =
            [tier.bytes, tier.slots, tier.in_use].map(|count| count.to_string());
        let reserve = tier
            .reserve
            .map_or_else(String::new, |reserve| format!("{}/{}", reserve.in_use, reserve.slots));
        vec![bytes, slots, in_use, cached, peak.to_string(), served, missed, reserve]
    });
    let headings = ["bytes", "slots", "in use", "cached", "peak", "served", "missed", "reserve"];
    table(page, &headings, false, rows);
}

fn holders(page: &mut String, pool: &Pool) {
    if pool.holders.is_empty() {
        return;
    }
    let rows = pool.holders.iter().map(|holder| {
        let [bytes, age] = holder
            .bytes_and_age
            .map_or_else(Default::default, |(bytes, age)| [bytes.to_string(), age.to_string()]);
        vec![holder.buffers.to_string(), bytes, age, holder.name.clone()]
    });
    table(page, &["held", "bytes", "oldest", "held by"], true, rows);
}

/// What a time is counted in: how many seconds, and what it is called.
fn unit(seconds: f64) -> (f64, &'static str) {
    match seconds {
        ..300.0 => (1.0, "seconds"),
        ..18_000.0 => (60.0, "minutes"),
        _ => (3600.0, "hours"),
    }
}

fn title(pool: &Pool, what: &str) -> String {
    let name: String = pool.name.chars().take(LONGEST_NAME).collect();
    format!("{name}: {what}")
}

/// The charts over time; none before there are two moments.
fn charts(pool: &Pool) -> Vec<Chart> {
    let [first, .., last] = &pool.past[..] else { return Vec::new() };
    if last.seconds <= first.seconds {
        return Vec::new();
    }
    let (second, axis) = match pool.now.clock {
        Clock::Lines => (1.0, "lines of the log"),
        Clock::Device | Clock::Arrival => unit(last.seconds - first.seconds),
    };
    // Of several points that lie in one place the highest.
    let step = pool.past.len().div_ceil(MOST_POINTS);
    let line = |of: &dyn Fn(&Point) -> Option<f64>| -> Vec<(f64, f64)> {
        let highest = |points: &[Point]| {
            let value = points.iter().filter_map(of).reduce(f64::max)?;
            Some(((points[points.len() - 1].seconds - first.seconds) / second, value))
        };
        pool.past.chunks(step).filter_map(highest).collect()
    };
    let chart = |what: &str, y: &str, series: Vec<Series>| Chart {
        title: title(pool, what),
        x: Axis::linear(axis),
        y: Axis::linear(y),
        series,
    };
    let rates = [
        ("requests", line(&|point| Some(point.rate?.requests)), true),
        ("misses", line(&|point| Some(point.rate?.misses)), false),
    ];
    let rates: Vec<Series> = rates
        .into_iter()
        .filter(|(_, points, _)| !points.is_empty())
        .map(|(name, points, own)| Series { name: name.into(), points, own })
        .collect();
    let mut charts = Vec::new();
    if !rates.is_empty() {
        charts.push(chart("requests and misses", "a second", rates));
    }
    let tiers: Vec<usize> = (0..pool.now.tiers.len()).collect();
    for tiers in tiers.chunks(MOST_TIERS) {
        let series = tiers.iter().enumerate().map(|(at, &tier)| {
            let (bytes, slots) = (pool.now.tiers[tier].bytes, pool.now.tiers[tier].slots);
            let percent =
                |point: &Point| Some(100.0 * *point.in_use.get(tier)? as f64 / slots as f64);
            // Three colours are ours, and the charts have six others.
            Series { name: format!("{bytes} bytes"), points: line(&percent), own: at < 3 }
        });
        charts.push(chart("slots in use", "percent of the slots of the tier", series.collect()));
    }
    charts
}

/// Which part of the requests is no larger than a size.
fn sizes(pool: &Pool) -> Option<Chart> {
    let histogram = pool.histogram.as_ref()?;
    let mut sum = 0;
    let points: Vec<(f64, f64)> = histogram
        .asked
        .iter()
        .map(|&(size, requests)| {
            sum += requests;
            (size as f64, 100.0 * sum as f64 / histogram.requests.max(1) as f64)
        })
        .collect();
    (!points.is_empty()).then(|| Chart {
        title: title(pool, "sizes asked for"),
        x: Axis::log("bytes"),
        y: Axis::linear("percent of the requests are at most so large"),
        series: vec![Series { name: "requests".into(), points, own: true }],
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::watch::model::tests::model;

    /// A page with all that there can be on it: 16 tiers, misses, holders, sizes, a strange name.
    pub fn full() -> String {
        const TIERS: [(usize, usize); 16] = {
            let mut tiers = [(8, 4); 16];
            let mut at = 0;
            while at < 16 {
                tiers[at] = (8 << (at / 2), 4);
                at += 1;
            }
            tiers
        };
        let config = tierpool::Config::new(&TIERS).spill(1);
        let pool = tierpool::Pool::leak(&config).unwrap();
        let mut texts = vec![(0.0, pool.stats().to_string())];
        for second in 1..900 {
            let held: Vec<_> = (0..second % 12).map(|n| pool.alloc(1 << (n % 11))).collect();
            held.iter().flatten().for_each(|buffer| buffer.mark(&"<parked> & \"held\""));
            texts.push((second as f64, format!("{:#}", pool.stats())));
        }
        texts.push((900.0, pool.histogram().to_string()));
        let named = |text: &str| text.replace("requests=", "<RX>&amp;_1 requests=");
        let texts: Vec<(f64, String)> =
            texts.into_iter().map(|(at, text)| (at, named(&text))).collect();
        let lines: Vec<(f64, &str)> = texts.iter().map(|(at, text)| (*at, &**text)).collect();
        page(&model(&lines), "device & <log>").unwrap()
    }

    #[test]
    fn a_page_has_its_charts_inside() {
        let page = full();
        // Rates, 16 tiers in three charts, sizes.
        assert_eq!(page.matches("<svg").count(), 5, "{page}");
        assert_eq!(page.matches("<polyline").count(), 2 + 16 + 1);
        assert!(page.contains("Pools of device &amp; &lt;log&gt;"));
        assert!(page.contains("&lt;parked&gt; &amp; &quot;held&quot;"));
        for elsewhere in ["<script", "src=", "href=", "url("] {
            assert!(!page.contains(elsewhere), "{elsewhere}");
        }
        for tag in ["section", "table", "svg", "tr", "td", "th", "h2", "p"] {
            let count = |begin: &str| page.matches(begin).count();
            let begins = count(&format!("<{tag}>")) + count(&format!("<{tag} "));
            assert_eq!(begins, count(&format!("</{tag}>")), "{tag}");
        }
        assert!(page.len() < 400_000, "{} bytes", page.len());
    }

    /// What a browser makes of the page: how many charts and lines, and what is wrong with them.
    const PROBE: &str = r#"<script>
        const wrong = [];
        const inside = (one, other) => one.left >= other.left - 1 && one.right <= other.right + 1
            && one.top >= other.top - 1 && one.bottom <= other.bottom + 1;
        if (document.documentElement.scrollWidth > innerWidth) wrong.push('wider than the window');
        const charts = [...document.querySelectorAll('svg')];
        for (const chart of charts) {
            const room = chart.getBoundingClientRect();
            if (room.width < 300) wrong.push('a chart too small to read');
            for (const part of chart.children)
                if (!inside(part.getBoundingClientRect(), room)) wrong.push('cut: ' + part.outerHTML);
        }
        const lines = [...document.querySelectorAll('polyline')];
        if (!lines.every((line) => line.getBBox().width > 0)) wrong.push('a line without width');
        const names = [...document.querySelectorAll('svg text')].filter((text) => text.getBBox().width > 0);
        const probe = document.createElement('pre');
        probe.id = 'probe';
        probe.textContent = [charts.length, lines.length, names.length > 60, ...wrong].join(' ');
        document.body.append(probe);
    </script></body>"#;

    /// The probe's text, in a window of this width.
    fn probed(page: &str, width: u32) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        std::fs::write(&path, page.replace("</body>", PROBE)).unwrap();
        let output = std::process::Command::new("chromium-headless-shell")
            // Its sandbox does not run as root, and what it shows is ours.
            .args(["--no-sandbox", "--disable-gpu", "--dump-dom"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(format!("--window-size={width},900"))
            .arg(format!("file://{}", path.display()))
            .output()
            .expect("the browser starts");
        let dom = String::from_utf8(output.stdout).unwrap();
        let probe = dom.split_once("<pre id=\"probe\">").expect("the script ran").1;
        probe.split_once("</pre>").unwrap().0.to_owned()
    }

    /// On a wide window and on a phone's: all charts and lines are there, none is cut.
    #[test]
    #[ignore = "needs a browser: cargo xtask unit"]
    fn a_browser_shows_the_page() {
        let page = full();
        for width in [1280, 420] {
            assert_eq!(probed(&page, width), "5 19 true", "{width} pixels");
        }
        let wide = page.replace("max-width: 64rem", "min-width: 5000px");
        assert_eq!(probed(&wide, 1280), "5 19 true wider than the window");
    }

    #[test]
    fn a_page_of_one_moment_has_tables_alone() {
        let line = "requests=1 hits=1 misses=0 fallbacks=0 hit_rate=100% 64=1/4";
        let one = page(&model(&[(0.0, line), (0.0, line)]), "log").unwrap();
        assert!(one.contains("<td>64</td>") && !one.contains("<svg"));
        assert!(page(&Model::default(), "log").unwrap().contains("0 snapshots of 0 pools"));
    }
}
