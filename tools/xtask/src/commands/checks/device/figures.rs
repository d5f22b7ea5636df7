//! Instructions and bytes: measured, compared with those on record, and written into the
//! documentation.
//!
//! `firmware/figures.tsv` is the record, two tables in `docs/generated/` show it. A figure may get
//! better; one that gets worse by more than 3 % fails. The marks that a figure must keep whatever
//! the record says are here.

use super::board::{self, Board, Cores, RV32, workspace};
use super::size;
use crate::figures::{Figures, Key, Record};
use crate::report::Table;
use crate::shell::Shell;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;

/// All are held against the record: the emulators count the same on every machine.
const RECORD: Record = Record {
    file: "firmware/figures.tsv",
    command: "cargo xtask device",
    place: "board",
    guarded: |_, _| true,
};

const OURS: &str = "tierpool";
const OURS_WITH_LANES: &str = "tierpool, 2 lanes";
const SIZE: &str = "size, ";

/// What a figure of RV32 must not exceed.
const MARKS: &[(&str, i64)] =
    &[("raw pair, by layout", 64), ("raw pair, checked", 80), ("handle pair", 72)];
/// What a lane for each core may cost a handle pair, on RV32.
const LANES: i64 = 6;
/// What one of the others must take at least, in units of our raw pair by layout.
const FACTORS: &[(&str, i64)] = &[("heapless", 2), ("linked_list_allocator", 4), ("rlsf", 4)];
/// Bytes of code without the fallback, on RV32. Xtensa misses the mark, as docs/benchmarks.md says.
const CODE: i64 = 2048;

/// Compares what is measured on one board with the record; with `--keep`, puts it there.
pub fn check(shell: &Shell, board: &Board) -> Result<()> {
    let measured = measure(shell, board)?;
    let mut faults = broken_marks(&measured);
    faults.extend(RECORD.check(shell, board.name, &measured, None)?);
    ensure!(faults.is_empty(), "{}", faults.join("; "));
    shell.note(format!("{} figures", measured.len()));
    Ok(())
}

/// The documentation shows what is on record; with `--keep`, it is made to.
pub fn check_documentation(shell: &Shell) -> Result<()> {
    tables(&RECORD.read()?)
        .into_iter()
        .try_for_each(|(name, table)| RECORD.show(shell, name, &table.markdown()))
}

fn measure(shell: &Shell, board: &Board) -> Result<Figures> {
    let mut figures = Figures::new();
    let lanes: &[&str] = &["--features", "lanes", "--bin", "lanes"];
    for (image, which) in [("bench", &[] as &[&str]), ("lanes", lanes)] {
        let folder = board.target.build_only(shell, &workspace(), "bench", "release", which)?;
        let printed = board.run(shell, &folder.join(image), Cores::Counted, &[], 120)?.stdout;
        let before = figures.len();
        for line in printed.lines().filter_map(|line| line.strip_prefix("figure\t")) {
            let (key, value) = line.rsplit_once('\t').context("a figure without a value")?;
            figures.insert(self::key(board, key)?, value.parse()?);
        }
        ensure!(figures.len() > before, "the benchmark `{image}` printed no figures");
    }
    for (section, bytes) in size::added(shell, board)? {
        figures.insert([board.name.into(), format!("{SIZE}{section}"), OURS.into()], bytes);
    }
    Ok(figures)
}

fn key(board: &Board, line: &str) -> Result<Key> {
    let (operation, implementation) =
        line.split_once('\t').context("a figure without an implementation")?;
    Ok([board.name.into(), operation.into(), implementation.into()])
}

fn broken_marks(figures: &Figures) -> Vec<String> {
    let value = |board: &Board, operation: &str, implementation: &str| {
        figures
            .get(&[board.name.to_owned(), operation.to_owned(), implementation.to_owned()])
            .copied()
    };
    let mut broken = Vec::new();
    for &(operation, mark) in MARKS {
        if let Some(value) = value(&RV32, operation, OURS).filter(|&value| value > mark) {
            broken.push(format!("{operation}: {value} instructions, the mark is {mark}"));
        }
    }
    let pair = |implementation| value(&RV32, "handle pair", implementation);
    if let Some((lanes, one)) = pair(OURS_WITH_LANES).zip(pair(OURS))
        && lanes > one + LANES
    {
        broken.push(format!(
            "a handle pair with lanes: {lanes} instructions, {} more than with one, the mark is {LANES}",
            lanes - one
        ));
    }
    for &(implementation, factor) in FACTORS {
        let pair =
            value(&RV32, MARKS[0].0, OURS).zip(value(&RV32, "raw pair, checked", implementation));
        if let Some((ours, theirs)) = pair.filter(|(ours, theirs)| theirs < &(ours * factor)) {
            broken.push(format!(
                "{implementation} takes {theirs}, less than {factor} times our {ours}"
            ));
        }
    }
    let code = value(&RV32, &format!("{SIZE}text without the fallback's"), OURS);
    if let Some(bytes) = code.filter(|&bytes| bytes > CODE) {
        broken.push(format!("{bytes} bytes of code, the mark is {CODE}"));
    }
    broken
}

/// The figures for the documentation: instructions, then bytes.
fn tables(figures: &Figures) -> [(&'static str, Table); 2] {
    let mut rows: BTreeMap<(&str, &str), [String; board::ALL.len()]> = BTreeMap::new();
    for ([place, operation, implementation], value) in figures {
        let column = board::ALL.iter().position(|(board, _)| board.name == place);
        if let Some(column) = column {
            rows.entry((operation, implementation)).or_default()[column] = value.to_string();
        }
    }
    let boards = board::ALL.map(|(_, name)| name);
    let headed = |first: &[&'static str]| [first, &boards[..]].concat();
    let mut instructions = Table::new(&headed(&["operation", "implementation"]), 2);
    let mut bytes = Table::new(&headed(&["bytes that the library adds"]), 1);
    for ((operation, implementation), values) in rows {
        let values = values.iter().map(String::as_str);
        match operation.strip_prefix(SIZE) {
            Some(section) => bytes.row([section].into_iter().chain(values)),
            None => instructions.row([operation, implementation].into_iter().chain(values)),
        }
    }
    [("device-instructions", instructions), ("device-bytes", bytes)]
}
