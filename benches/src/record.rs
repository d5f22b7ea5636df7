//! What the program prints: a line of JSON for each figure, each mark, each fact of the machine;
//! and how far it is.

use std::io::Write;

use serde::Serialize;

use crate::candidates::Kind;
use crate::spread::Spread;

/// A line.
#[derive(Debug, Serialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record<'a> {
    Figure(Figure<'a>),
    Mark(Mark),
    Machine { fact: &'a str, value: String },
    Progress { text: String },
}

/// A measured figure.
#[derive(Debug, Serialize)]
pub struct Figure<'a> {
    pub question: &'a str,
    pub candidate: &'a str,
    pub kind: Kind,
    pub threads: usize,
    /// More threads than cores: scheduling is measured with it.
    pub oversubscribed: bool,
    /// What was varied beside the threads.
    pub setting: String,
    /// What is measured, with its unit.
    pub measure: &'a str,
    /// None: not measured, the threads did not run in parallel.
    #[serde(flatten)]
    pub spread: Option<Spread>,
    /// Rounds.
    pub used: usize,
    pub discarded: usize,
}

/// What was wanted, and what has come of it.
#[derive(Debug, Serialize)]
pub struct Mark {
    pub question: &'static str,
    pub mark: String,
    /// The measured value must be at most this.
    pub at_most: f64,
    #[serde(flatten)]
    pub spread: Option<Spread>,
    /// None: not measured.
    pub kept: Option<bool>,
}

impl Mark {
    pub fn new(
        question: &'static str,
        mark: impl Into<String>,
        at_most: f64,
        spread: Option<Spread>,
    ) -> Mark {
        Mark {
            question,
            mark: mark.into(),
            at_most,
            spread,
            kept: spread.map(|it| it.median <= at_most),
        }
    }
}

/// Where lines go.
pub struct Output<'a>(pub &'a mut dyn Write);

impl Output<'_> {
    pub fn line(&mut self, record: &Record<'_>) -> anyhow::Result<()> {
        serde_json::to_writer(&mut *self.0, record)?;
        writeln!(self.0)?;
        self.0.flush()?;
        Ok(())
    }

    pub fn progress(&mut self, text: String) -> anyhow::Result<()> {
        self.line(&Record::Progress { text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_kept_missed_or_not_measured() {
        let mark = |median| Mark::new("pair", "a mark", 1.3, Spread::of(median)).kept;
        assert_eq!(mark(Some(1.3)), Some(true));
        assert_eq!(mark(Some(1.31)), Some(false));
        assert_eq!(mark(None), None);
    }

    #[test]
    fn lines_are_flat() {
        let mut bytes = Vec::new();
        let spread = Spread::of([1.0, 2.0, 4.0]);
        let mut output = Output(&mut bytes);
        output.line(&Record::Mark(Mark::new("pair", "a mark", 3.0, spread))).unwrap();
        output.progress("half".into()).unwrap();
        let lines = String::from_utf8(bytes).unwrap();
        let mark = r#"{"record":"mark","question":"pair","mark":"a mark","at_most":3.0,"median":2.0,"min":1.0,"max":4.0,"kept":true}"#;
        assert_eq!(lines, format!("{mark}\n{{\"record\":\"progress\",\"text\":\"half\"}}\n"));
    }
}
