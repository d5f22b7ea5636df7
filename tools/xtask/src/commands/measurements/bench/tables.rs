//! A table for each question.

use super::records::{Records, text, whole};
use crate::report::Table;
use serde_json::Value;

/// Name of the marks in the document, title on the terminal, table.
pub fn all(records: &Records) -> [(&'static str, &'static str, Table); 8] {
    [
        ("bench-machine", "machine", machine(records)),
        ("bench-marks", "marks", marks(records)),
        (
            "bench-alone",
            "allocate and free, one thread; in times of two uncontended compare-and-swaps",
            alone(records),
        ),
        ("bench-shared", "the same on shared pools, threads in parallel", shared(records, false)),
        (
            "bench-oversubscribed",
            "the same, more threads than cores: scheduling is measured with it",
            shared(records, true),
        ),
        (
            "bench-packet",
            "a packet, in times of ten uncontended compare-and-swaps",
            packet(records),
        ),
        (
            "bench-tail",
            "time of one allocation in uncontended compare-and-swaps, twice as many threads as cores",
            tail(records),
        ),
        ("bench-growth", "growth, in times of two uncontended compare-and-swaps", growth(records)),
    ]
}

fn machine(records: &Records) -> Table {
    let mut table = Table::new(&["fact", "value"], 2);
    for fact in records.of("machine") {
        table.row([text(fact, "fact"), text(fact, "value")]);
    }
    table
}

fn marks(records: &Records) -> Table {
    let mut table = Table::new(&["mark", "wanted", "median", "min", "max", "kept"], 1);
    for mark in records.of("mark") {
        let kept = match mark["kept"].as_bool() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "not measured",
        };
        let wanted = format!("at most {}", number(&mark["at_most"]));
        table.row([
            text(mark, "mark"),
            &wanted,
            &number(&mark["median"]),
            &number(&mark["min"]),
            &number(&mark["max"]),
            kept,
        ]);
    }
    table
}

fn alone(records: &Records) -> Table {
    let figures = records.figures("pair", "cost").filter(|it| whole(it, "threads") == 1);
    with_spread(&["candidate"], figures, |figure| vec![text(figure, "candidate").into()])
}

fn shared(records: &Records, oversubscribed: bool) -> Table {
    let mut table = Table::new(
        &[
            "candidate",
            "threads",
            "cost",
            "min",
            "max",
            "least / most of a thread",
            "min",
            "rounds used",
            "discarded",
        ],
        1,
    );
    let chosen = |it: &&Value| it["oversubscribed"] == oversubscribed && whole(it, "threads") > 1;
    let fairness = records.figures("pair", "fairness").filter(chosen);
    for (cost, fairness) in records.figures("pair", "cost").filter(chosen).zip(fairness) {
        let mut cells = vec![text(cost, "candidate").into(), whole(cost, "threads").to_string()];
        cells.extend(spread(cost));
        cells.extend([number(&fairness["median"]), number(&fairness["min"])]);
        cells.extend(rounds(cost));
        table.row(cells);
    }
    table
}

fn packet(records: &Records) -> Table {
    let cells = |figure: &Value| {
        vec![text(figure, "candidate").into(), whole(figure, "threads").to_string()]
    };
    with_spread(&["candidate", "threads"], records.figures("packet", "cost"), cells)
}

fn tail(records: &Records) -> Table {
    let mut table = Table::new(
        &[
            "candidate",
            "p50",
            "p99",
            "p99.9",
            "p99.99",
            "max",
            "worst max",
            "rounds used",
            "discarded",
        ],
        1,
    );
    let columns = ["p50", "p99", "p99.9", "p99.99", "max"]
        .map(|measure| records.figures("tail", measure).collect::<Vec<_>>());
    for (number, max) in columns[4].iter().enumerate() {
        let mut cells = vec![text(max, "candidate").into()];
        cells.extend(columns.iter().map(|column| rounded(&column[number]["median"])));
        cells.push(rounded(&max["max"]));
        cells.extend(rounds(max));
        table.row(cells);
    }
    table
}

fn growth(records: &Records) -> Table {
    with_spread(&["pool and request"], records.figures("growth", "cost"), |figure| {
        vec![text(figure, "candidate").into()]
    })
}

/// Rows that begin with `cells` under `headings` and go on with the figure's spread and rounds.
fn with_spread<'a>(
    headings: &[&str],
    figures: impl Iterator<Item = &'a Value>,
    cells: impl Fn(&Value) -> Vec<String>,
) -> Table {
    let mut table =
        Table::new(&[headings, &["cost", "min", "max", "rounds used", "discarded"]].concat(), 1);
    for figure in figures {
        let mut cells = cells(figure);
        cells.extend(spread(figure));
        cells.extend(rounds(figure));
        table.row(cells);
    }
    table
}

fn spread(figure: &Value) -> [String; 3] {
    ["median", "min", "max"].map(|key| number(&figure[key]))
}

fn rounds(figure: &Value) -> [String; 2] {
    ["used", "discarded"].map(|key| whole(figure, key).to_string())
}

/// A figure with two decimals. There is none where every round was discarded.
fn number(value: &Value) -> String {
    value.as_f64().map_or_else(|| "not measured".into(), |value| format!("{value:.2}"))
}

/// A figure without decimals.
fn rounded(value: &Value) -> String {
    value.as_f64().map_or_else(|| "not measured".into(), |value| format!("{value:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_discarded_is_said_to_be_not_measured() {
        let mark =
            r#"{"record":"mark","question":"pair","mark":"a ÷ b","at_most":1.0,"kept":null}"#;
        let missed = r#"{"record":"mark","question":"pair","mark":"a ÷ c","at_most":1.0,"median":1.204,"min":1.0,"max":2.0,"kept":false}"#;
        let table = marks(&Records::parse(&format!("{mark}\n{missed}\n")).unwrap()).plain();
        let lines: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split("  ").filter(|it| !it.is_empty()).map(str::trim).collect())
            .collect();
        assert_eq!(
            lines[1],
            [
                "a ÷ b",
                "at most 1.00",
                "not measured",
                "not measured",
                "not measured",
                "not measured"
            ]
        );
        assert_eq!(lines[2], ["a ÷ c", "at most 1.00", "1.20", "1.00", "2.00", "**no**"]);
    }
}
