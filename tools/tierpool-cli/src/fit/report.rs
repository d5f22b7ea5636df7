//! What is printed of a fit: the declaration, and what to expect of it.

use super::declaration::declaration;
use super::read::{Source, Traffic};
use serde_json::{Value, json};
use std::path::Path;
use tierpool_charts::Table;
use tierpool_traces::fit::Fit;

/// A fit beside others.
pub(crate) struct Report<'a> {
    pub(crate) name: String,
    pub(crate) traffic: &'a Traffic,
    pub(crate) proposed: Fit,
    /// The pool that there is now.
    pub(crate) today: Option<Fit>,
    /// The default geometry.
    pub(crate) usual: Fit,
    /// Of the chart, by rising memory.
    pub(crate) curve: Vec<Fit>,
}

impl Report<'_> {
    pub(crate) fn exact(&self) -> bool {
        self.traffic.source == Source::Trace
    }

    /// A hit rate as exact as it is known.
    fn rate(&self, fit: &Fit) -> String {
        if self.exact() {
            format!("{:.2} %", fit.percent())
        } else {
            format!("about {:.0} %", fit.percent())
        }
    }

    pub(crate) fn text(&self, chart: Option<&Path>) -> String {
        let fit = &self.proposed;
        let mut text = declaration(&self.name, &fit.geometry);
        text += &format!("\n\nhit rate  {}", self.rate(fit));
        if self.exact() {
            text += &format!(", {} of {} requests", fit.hits, fit.requests);
        }
        text += &format!(
            "\nmemory    {} bytes, {} slots\n",
            fit.geometry.memory(),
            fit.geometry.slots()
        );
        for note in &self.traffic.notes {
            text += &format!("note      {note}\n");
        }
        text += match self.traffic.source {
            Source::Trace => "",
            Source::Allocations => {
                "\n\
                 An estimate: when blocks were freed is not known, so each is taken to live until\n\
                 its address comes again, or to the end. The tiers suffice for that, and may be\n\
                 too many.\n"
            }
            Source::Histogram => {
                "\n\
                 An estimate: how long buffers live is only known for whole tiers. Let the pool\n\
                 record once more with these, and fit again.\n"
            }
        };
        if let Some(today) = &self.today {
            text += &format!("\n{}", self.compared(today).plain());
        }
        if let Some(path) = chart {
            text += &format!("\n{}\n{}: the chart\n", self.steps().plain(), path.display());
        }
        text
    }

    fn compared(&self, today: &Fit) -> Table {
        let mut table =
            Table::new(&["", "hit rate", "hits", "misses", "bytes", "slots", "tiers"], 1);
        for (name, fit) in [("now", today), ("proposed", &self.proposed)] {
            table.row([
                name.to_owned(),
                format!("{:.2}%", fit.percent()),
                fit.hits.to_string(),
                (fit.requests - fit.hits).to_string(),
                fit.geometry.memory().to_string(),
                fit.geometry.slots().to_string(),
                fit.geometry.tiers.len().to_string(),
            ]);
        }
        table
    }

    /// The points of the chart.
    fn steps(&self) -> Table {
        let mut table = Table::new(&["bytes", "hit rate", "tiers"], 0);
        for fit in &self.curve {
            table.row([
                fit.geometry.memory().to_string(),
                format!("{:.2} %", fit.percent()),
                fit.geometry.tiers.len().to_string(),
            ]);
        }
        table
    }

    pub(crate) fn json(&self) -> String {
        let source = match self.traffic.source {
            Source::Trace => "trace",
            Source::Allocations => "allocations",
            Source::Histogram => "histogram",
        };
        let json = json!({
            "source": source,
            "exact": self.exact(),
            "requests": self.proposed.requests,
            "declaration": declaration(&self.name, &self.proposed.geometry),
            "proposed": pool(&self.proposed),
            "today": self.today.as_ref().map(pool),
            "curve": self.curve.iter().map(pool).collect::<Vec<_>>(),
            "notes": self.traffic.notes,
        });
        format!("{json:#}\n")
    }
}

fn pool(fit: &Fit) -> Value {
    let tiers = fit.geometry.tiers.iter();
    json!({
        "hits": fit.hits,
        "hit_rate_percent": fit.percent(),
        "memory": fit.geometry.memory(),
        "spill": fit.geometry.spill,
        "tiers": tiers.map(|(bytes, slots)| json!({ "bytes": bytes, "slots": slots })).collect::<Vec<_>>(),
    })
}
