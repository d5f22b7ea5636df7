//! Instructions and bytes: measured, compared with those on record, and written into the documentation.
//!
//! `device/figures.tsv` is the record, `docs/benchmarks.md` shows it between two markers. A figure may get better; one
//! that gets worse by more than 3 % fails. The marks that a figure must keep whatever the record says are here.

use super::board::{Board, Cores, RV32, XTENSA, workspace};
use super::size;
use crate::shell::Shell;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

/// What is measured: board, operation, implementation.
type Key = [String; 3];
type Figures = BTreeMap<Key, i64>;

const OURS: &str = "tierpool";
const SIZE: &str = "size, bytes of";

/// What a figure of RV32 must not exceed.
const MARKS: &[(&str, i64)] = &[("raw pair, by layout", 64), ("raw pair, checked", 80), ("handle pair", 72)];
/// What one of the others must take at least, in units of our raw pair by layout.
const FACTORS: &[(&str, i64)] = &[("heapless", 2), ("linked_list_allocator", 4), ("rlsf", 4)];
/// Bytes of code, on both boards.
const CODE: i64 = 2048;

pub fn check(shell: &Shell, board: &Board) -> Result<()> {
    let measured = measure(shell, board)?;
    let recorded = recorded()?;
    let mut worse = broken_marks(&measured);
    let mut table = String::new();
    for (key, &value) in &measured {
        let [_, operation, implementation] = key;
        let known = recorded.get(key).copied();
        writeln!(
            table,
            "{operation:<40} {implementation:<22} {value:>6}  on record {}",
            known.map_or("-".into(), |value| value.to_string())
        )?;
        match known {
            None => worse.push(format!("{operation}, {implementation}: not on record; cargo xtask device --update")),
            Some(known) if is_worse(operation, value, known) => {
                worse.push(format!("{operation}, {implementation}: {value}, on record {known}"))
            }
            _ => {}
        }
    }
    shell.print(&table);
    ensure!(worse.is_empty(), "{}", worse.join("; "));
    shell.note(format!("{} figures", measured.len()));
    Ok(())
}

pub fn update(shell: &Shell) -> Result<()> {
    let mut figures = measure(shell, &RV32)?;
    figures.extend(measure(shell, &XTENSA)?);
    let mut text = String::from("# Written by `cargo xtask device --update`: board, operation, implementation, value.\n");
    for ([board, operation, implementation], value) in &figures {
        writeln!(text, "{board}\t{operation}\t{implementation}\t{value}")?;
    }
    fs::write(record(), text)?;
    let (before, _, after) = documentation()?;
    fs::write(document(), before + &tables(&figures) + &after)?;
    shell.note(format!("{} figures in device/figures.tsv and docs/benchmarks.md", figures.len()));
    Ok(())
}

pub fn check_documentation(shell: &Shell) -> Result<()> {
    let (_, shown, _) = documentation()?;
    ensure!(shown == tables(&recorded()?), "docs/benchmarks.md does not show device/figures.tsv; cargo xtask device --update");
    shell.note("docs/benchmarks.md shows device/figures.tsv");
    Ok(())
}

fn measure(shell: &Shell, board: &Board) -> Result<Figures> {
    let image = board.build(shell, &workspace(), "bench", "release")?.join("bench");
    let printed = board.run(shell, &image, Cores::Counted, &[], 120)?.stdout;
    let mut figures = Figures::new();
    for line in printed.lines().filter_map(|line| line.strip_prefix("figure\t")) {
        let (key, value) = line.rsplit_once('\t').context("a figure without a value")?;
        figures.insert(self::key(board, key)?, value.parse()?);
    }
    ensure!(!figures.is_empty(), "the benchmark printed no figures");
    for (section, bytes) in size::added(shell, board)? {
        figures.insert([board.name.into(), format!("{SIZE} {section}"), OURS.into()], bytes);
    }
    Ok(figures)
}

fn key(board: &Board, line: &str) -> Result<Key> {
    let (operation, implementation) = line.split_once('\t').context("a figure without an implementation")?;
    Ok([board.name.into(), operation.into(), implementation.into()])
}

/// Less is better, but for a throughput.
fn is_worse(operation: &str, value: i64, known: i64) -> bool {
    if operation.contains("percent") { value * 100 < known * 97 } else { value * 100 > known * 103 }
}

fn broken_marks(figures: &Figures) -> Vec<String> {
    let value = |board: &Board, operation: &str, implementation: &str| {
        figures.get(&[board.name.to_owned(), operation.to_owned(), implementation.to_owned()]).copied()
    };
    let mut broken = Vec::new();
    for &(operation, mark) in MARKS {
        if let Some(value) = value(&RV32, operation, OURS).filter(|&value| value > mark) {
            broken.push(format!("{operation}: {value} instructions, the mark is {mark}"));
        }
    }
    for &(implementation, factor) in FACTORS {
        let pair = value(&RV32, MARKS[0].0, OURS).zip(value(&RV32, "raw pair, checked", implementation));
        if let Some((ours, theirs)) = pair.filter(|(ours, theirs)| theirs < &(ours * factor)) {
            broken.push(format!("{implementation} takes {theirs}, less than {factor} times our {ours}"));
        }
    }
    for board in [&RV32, &XTENSA] {
        if let Some(bytes) = value(board, &format!("{SIZE} text"), OURS).filter(|&bytes| bytes > CODE) {
            broken.push(format!("{bytes} bytes of code, the mark is {CODE}"));
        }
    }
    broken
}

fn record() -> PathBuf {
    workspace().join("figures.tsv")
}

fn recorded() -> Result<Figures> {
    let text = fs::read_to_string(record()).unwrap_or_default();
    let mut figures = Figures::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split('\t').collect();
        let [board, operation, implementation, value] = parts[..] else { bail!("device/figures.tsv: `{line}`") };
        figures.insert([board.into(), operation.into(), implementation.into()], value.parse()?);
    }
    Ok(figures)
}

const BEGIN: &str = "<!-- device figures: cargo xtask device --update -->\n";
const END: &str = "<!-- end of the device figures -->\n";

fn document() -> PathBuf {
    Shell::root().join("docs/benchmarks.md")
}

/// The documentation up to the marker and with it, between the markers, and after.
fn documentation() -> Result<(String, String, String)> {
    let text = fs::read_to_string(document()).context("docs/benchmarks.md")?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
    let (before, (between, after)) = parts.context("docs/benchmarks.md lacks the markers of the device figures")?;
    Ok((format!("{before}{BEGIN}"), between.into(), format!("{END}{after}")))
}

/// The figures as Markdown: instructions, then bytes.
fn tables(figures: &Figures) -> String {
    let mut rows: BTreeMap<(&str, &str), [String; 2]> = BTreeMap::new();
    for ([board, operation, implementation], value) in figures {
        rows.entry((operation, implementation)).or_default()[usize::from(board == XTENSA.name)] = value.to_string();
    }
    let (bytes, instructions): (Vec<_>, Vec<_>) = rows.into_iter().partition(|((operation, _), _)| operation.starts_with(SIZE));
    let mut text = String::from("\n| operation | implementation | RV32 | Xtensa |\n|---|---|---:|---:|\n");
    for ((operation, implementation), [rv32, xtensa]) in instructions {
        text += &format!("| {operation} | {implementation} | {rv32} | {xtensa} |\n");
    }
    text += "\n| bytes that the library adds | RV32 | Xtensa |\n|---|---:|---:|\n";
    for ((operation, _), [rv32, xtensa]) in bytes {
        text += &format!("| {} | {rv32} | {xtensa} |\n", operation.trim_start_matches(SIZE).trim());
    }
    text + "\n"
}
