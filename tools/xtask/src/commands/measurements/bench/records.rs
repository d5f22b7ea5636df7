//! The lines that the measuring program prints, see `benches/src/record.rs`.

use anyhow::{Context, Result};
use serde_json::Value;

/// All lines but those of progress, in their order.
pub struct Records(Vec<Value>);

/// The text of a line of progress.
pub fn progress(line: &str) -> Result<Option<String>> {
    let value: Value = serde_json::from_str(line).with_context(|| format!("no JSON: {line}"))?;
    Ok((value["record"] == "progress").then(|| text(&value, "text").to_owned()))
}

impl Records {
    pub fn parse(lines: &str) -> Result<Records> {
        lines
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("no JSON: {line}")))
            .collect::<Result<_>>()
            .map(Records)
    }

    /// What [`json`](Self::json) has written.
    pub fn from_json(text: &str) -> Result<Records> {
        Ok(Records(serde_json::from_str(text).context("no JSON of figures")?))
    }

    /// Those of a kind: `figure`, `mark`, `machine`.
    pub fn of(&self, kind: &'static str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |value| value["record"] == kind)
    }

    /// A question's figures of one measure.
    pub fn figures(
        &self,
        question: &'static str,
        measure: &'static str,
    ) -> impl Iterator<Item = &Value> {
        self.of("figure")
            .filter(move |value| value["question"] == question && value["measure"] == measure)
    }

    /// How many marks are kept, for the closing table.
    pub fn summary(&self) -> String {
        let count = |kept: Value| self.of("mark").filter(|mark| mark["kept"] == kept).count();
        match (count(true.into()), count(false.into()), count(Value::Null)) {
            (0, 0, 0) => String::new(),
            (kept, missed, 0) => format!("marks: {kept} kept, {missed} missed"),
            (kept, missed, unknown) => {
                format!("marks: {kept} kept, {missed} missed, {unknown} not measured")
            }
        }
    }

    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&self.0)? + "\n")
    }
}

pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

pub fn whole(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_from_figures() {
        assert_eq!(progress(r#"{"record":"progress","text":"half"}"#).unwrap().unwrap(), "half");
        assert_eq!(progress(r#"{"record":"mark"}"#).unwrap(), None);
        assert!(progress("panicked").is_err());
    }

    #[test]
    fn a_mark_without_a_verdict_is_not_kept() {
        let lines = "{\"record\":\"mark\",\"kept\":true}\n{\"record\":\"mark\",\"kept\":null}\n";
        assert_eq!(
            Records::parse(lines).unwrap().summary(),
            "marks: 1 kept, 0 missed, 1 not measured"
        );
        let written = Records::parse(lines).unwrap().json().unwrap();
        assert_eq!(Records::from_json(&written).unwrap().0, Records::parse(lines).unwrap().0);
    }
}
