//! What the machine code of the pool operations may and may not hold.
//!
//! | rule | holds for |
//! |---|---|
//! | a native atomic instruction | every operation, or what it calls, but freezing, which is a bit copy |
//! | no interrupt masking | every operation and all that it may call |
//! | no panic | the same |
//! | no lock, no 64-bit atomic helper | the image: it names none, and what it does not hold it cannot inline |
//!
//! Reported beside: instructions of the operation itself; atomic instructions, the most bytes of
//! stack and calls through pointers (hooks and fallbacks, not followed), each with all that it may
//! call.
//!
//! That the check can find each of these is shown on other pools, in the benchmark's image.

use super::board::{Board, workspace};
use super::image::{Image, Instruction};
use crate::report::Table;
use crate::shell::Shell;
use anyhow::{Result, ensure};

/// The functions of `firmware/suite/src/operations.rs`, and whether they need atomic instructions.
pub const OPERATIONS: &[(&str, bool)] = &[
    ("op_alloc", true),
    ("op_alloc_any", true),
    ("op_alloc_pooled", true),
    ("op_allocate", true),
    ("op_deallocate", true),
    ("op_deallocate_sized", true),
    ("op_cache_alloc", true),
    ("op_cache_recycle", true),
    ("op_freeze", false),
    ("op_clone", true),
    ("op_drop", true),
    ("op_drop_mut", true),
    ("op_make_mut", true),
];

/// Parts of names of functions and variables that lock, or that stand for an atomic instruction
/// that the target lacks.
const LOCKS: &[&str] = &["__atomic_", "__sync_", "portable_atomic", "critical_section"];
/// Parts of names of functions that lead to a panic.
const PANICS: &[&str] = &["panic", "rust_begin_unwind", "unwrap_failed", "expect_failed"];

pub fn check(shell: &Shell, board: &Board) -> Result<()> {
    let which = &["--bin", "probe"];
    let folder = board.target.build_only(shell, &workspace(), "suite", "release", which)?;
    let image = Image::read(shell, &folder.join("probe"), board.target.disassembler)?;
    let bench = board.target.build(shell, &workspace(), "bench", "release")?.join("bench");
    let others = Image::read(shell, &bench, board.target.disassembler)?;

    let mut table = Table::new(&["operation", "instructions", "atomics", "stack", "indirect"], 1);
    let mut faults = Vec::new();
    for &(name, atomic) in OPERATIONS {
        let found = Findings::of(&image, name)?;
        table.row([
            name,
            &found.instructions.to_string(),
            &found.atomics.to_string(),
            &found.stack,
            &found.indirect.to_string(),
        ]);
        if (found.atomics > 0) != atomic {
            faults.push(format!("{name}: {} atomic instructions", found.atomics));
        }
        faults.extend(found.faults.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    shell.report(&format!("machine code, {}", board.name), &table.plain());
    faults.extend(locks(&image).map(|name| format!("the image holds a lock: {name}")));
    ensure!(faults.is_empty(), "{}", faults.join("; "));
    must_find(&others, "peers::locked_pair", &["masks interrupts", "panics"])?;
    ensure!(
        locks(&others).next().is_some(),
        "the check did not find the locks of the benchmark's image"
    );
    shell.note(format!("{} operations", OPERATIONS.len()));
    Ok(())
}

fn locks(image: &Image) -> impl Iterator<Item = &String> {
    image.symbols.iter().filter(|name| LOCKS.iter().any(|part| name.contains(part)))
}

/// The check itself works: it finds these faults in a function that has them.
fn must_find(image: &Image, end: &str, faults: &[&str]) -> Result<()> {
    let found = Findings::of(image, image.find(end)?)?.faults;
    for fault in faults {
        ensure!(
            found.iter().any(|found| found.starts_with(fault)),
            "the check did not find that {end} {fault}: {found:?}"
        );
    }
    Ok(())
}

/// What there is in a function and all that it may call.
struct Findings {
    instructions: usize,
    atomics: usize,
    stack: String,
    indirect: usize,
    faults: Vec<String>,
}

impl Findings {
    fn of(image: &Image, name: &str) -> Result<Findings> {
        let mut found = Findings {
            instructions: image.function(name)?.code.len(),
            atomics: 0,
            stack: image.stack(name).map_or("?".into(), |bytes| bytes.to_string()),
            indirect: 0,
            faults: Vec::new(),
        };
        for callee in image.reachable(name) {
            let function = image.function(callee)?;
            found.indirect += function.indirect;
            found.atomics += function.code.iter().filter(|code| is_atomic(code)).count();
            if function.code.iter().any(masks_interrupts) {
                found.faults.push(format!("masks interrupts, in {callee}"));
            }
            if PANICS.iter().any(|part| callee.contains(part)) {
                found.faults.push(format!("panics, by {callee}"));
            }
        }
        Ok(found)
    }
}

fn is_atomic(code: &Instruction) -> bool {
    let name = code.mnemonic.as_str();
    ["s32c1i", "lr.w", "amo", "ldrex", "ldaex"].iter().any(|start| name.starts_with(start))
}

fn masks_interrupts(code: &Instruction) -> bool {
    let on = |register| code.operands.split(", ").any(|operand| operand == register);
    match code.mnemonic.as_str() {
        "rsil" | "cpsid" => true,
        "msr" => on("primask") || on("basepri") || on("faultmask"),
        "wsr" | "xsr" => on("ps") || on("intenable"),
        "wsr.ps" | "xsr.ps" | "wsr.intenable" | "xsr.intenable" => true,
        name => name.starts_with("csr") && !matches!(name, "csrr") && (on("mstatus") || on("mie")),
    }
}
