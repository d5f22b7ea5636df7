//! What the library adds to an image: the sections of one that uses the pool, less those of one
//! that does not.
//!
//! Built with `opt-level = "s"` and the default geometry, one call site for each operation.

use super::board::{Board, XTENSA, workspace};
use super::image::{Image, Instruction};
use crate::shell::Shell;
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a section is for, by the start of its name.
const SECTIONS: [&str; 4] = ["text", "rodata", "data", "bss"];

/// Payload, one state word a slot, and what remains: heads and counters.
const PAYLOAD: i64 = 16 * (256 + 512 + 1024);
const STATES: i64 = 4 * 3 * 16;

/// Functions that only a pool with a fallback calls, by parts of their names.
const FOR_FALLBACKS: [&str; 3] =
    ["tierpool::pool::fallback", "tierpool::protocol::deferred", "free_to_fallback"];

/// Bytes that the library adds, by section.
pub fn added(shell: &Shell, board: &Board) -> Result<BTreeMap<&'static str, i64>> {
    let which = &["--bin", "size-pool", "--bin", "size-empty"];
    let folder = board.target.build_only(shell, &workspace(), "suite", "small", which)?;
    let (with, without) =
        (sections(shell, &folder.join("size-pool"))?, sections(shell, &folder.join("size-empty"))?);
    let mut added: BTreeMap<_, _> =
        SECTIONS.into_iter().map(|name| (name, with[name] - without[name])).collect();
    ensure!(added["data"] == 0, "the library adds {} bytes of .data", added["data"]);
    added.insert(
        "text without the fallback's",
        added["text"] - fallback(shell, &folder.join("size-pool"))?,
    );
    added.insert("bss beside payload and states", added["bss"] - PAYLOAD - STATES);
    if board.name == XTENSA.name {
        let bytes = |program| -> Result<Compiler> {
            let image = Image::read(shell, &folder.join(program), board.target.disassembler)?;
            Ok(Compiler::of(&image))
        };
        let (with, without) = (bytes("size-pool")?, bytes("size-empty")?);
        ensure!(with.wide > without.wide, "no instruction found that has a 16-bit form");
        added.insert("text that 16-bit forms would save", with.wide - without.wide);
        added.insert("text that direct calls would save", with.calls - without.calls);
    }
    Ok(added)
}

/// Bytes of an Xtensa image that another compiler would not need: this one has no 16-bit
/// instructions, and loads the target of every call from a literal.
struct Compiler {
    wide: i64,
    calls: i64,
}

impl Compiler {
    fn of(image: &Image) -> Compiler {
        let (mut wide, mut calls, mut literals) = (0, 0, BTreeSet::new());
        for code in image.functions.values().map(|function| &function.code) {
            wide += code.iter().filter(|it| has_16_bit_form(it)).count() as i64;
            for (at, call) in code.iter().enumerate().filter(|it| it.1.mnemonic == "callx8") {
                // The load of its target, not far before it: with direct calls it goes away.
                let load = code[..at].iter().rev().take(16).find_map(|it| {
                    let (register, literal) = it.operands.split_once(", ")?;
                    (it.mnemonic == "l32r" && register == call.operands).then_some(literal)
                });
                if let Some(literal) = load {
                    calls += 3;
                    literals.insert(literal);
                }
            }
        }
        Compiler { wide, calls: calls + 4 * literals.len() as i64 }
    }
}

/// True if the density option of Xtensa (which every ESP32 has) gives this instruction a form of
/// two bytes in place of three. Source: Xtensa Instruction Set Architecture Reference Manual,
/// "Code Density Option".
fn has_16_bit_form(instruction: &Instruction) -> bool {
    let operands: Vec<&str> = instruction.operands.split(", ").collect();
    let number = |at: usize| -> Option<i64> {
        let text = operands.get(at)?;
        match text.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        }
    };
    let within = |at, least, most| number(at).is_some_and(|it| (least..=most).contains(&it));
    match instruction.mnemonic.as_str() {
        "add" | "mov" | "retw" | "ret" => true,
        // A move, as it is written here.
        "or" => operands.get(1) == operands.get(2),
        "addi" => within(2, 1, 15) || within(2, -1, -1),
        "l32i" | "s32i" => within(2, 0, 60),
        "movi" => within(1, -32, 95),
        "beqz" | "bnez" => {
            let next = i64::from(instruction.address) + 4;
            within(1, next, next + 63)
        }
        _ => false,
    }
}

/// Bytes of code that serve fallbacks only: the pool measured here has none, yet the linker cannot
/// know.
fn fallback(shell: &Shell, image: &Path) -> Result<i64> {
    let printed = shell
        .run(shell.command("llvm-nm-22").args(["--demangle", "--print-size"]).arg(image))?
        .stdout;
    let mut sum = 0;
    for line in printed.lines() {
        // Address, size, kind, name.
        if let [_, size, "t" | "T", name] = line.splitn(4, ' ').collect::<Vec<_>>()[..]
            && FOR_FALLBACKS.iter().any(|part| name.contains(part))
        {
            sum += i64::from_str_radix(size, 16).with_context(|| format!("no size in `{line}`"))?;
        }
    }
    ensure!(sum > 0, "no function of a fallback found by its name");
    Ok(sum)
}

fn sections(shell: &Shell, image: &Path) -> Result<BTreeMap<&'static str, i64>> {
    let printed = shell.run(shell.command("llvm-size-22").arg("--format=sysv").arg(image))?.stdout;
    let mut sizes: BTreeMap<_, _> = SECTIONS.into_iter().map(|name| (name, 0)).collect();
    for line in printed.lines().filter(|line| line.starts_with('.')) {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        if let Some(sum) = SECTIONS
            .into_iter()
            .find(|part| name[1..] == **part)
            .and_then(|part| sizes.get_mut(part))
        {
            *sum += words
                .next()
                .and_then(|size| size.parse::<i64>().ok())
                .with_context(|| format!("no size in `{line}`"))?;
        }
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instruction(mnemonic: &str, operands: &str) -> Instruction {
        Instruction { address: 0x100, mnemonic: mnemonic.into(), operands: operands.into() }
    }

    #[test]
    fn instructions_with_a_16_bit_form() {
        for (mnemonic, operands, narrow) in [
            ("or", "a2, a3, a3", true),
            ("or", "a2, a3, a4", false),
            ("l32i", "a2, a3, 60", true),
            ("l32i", "a2, a3, 64", false),
            ("addi", "a2, a3, -1", true),
            ("addi", "a2, a3, 16", false),
            ("movi", "a2, -32", true),
            ("movi", "a2, 96", false),
            ("beqz", "a2, 0x143", true),
            ("beqz", "a2, 0x144", false),
            ("beqz", "a2, 0xf0", false),
            ("l32i.n", "a2, a3, 0", false),
        ] {
            let found = has_16_bit_form(&instruction(mnemonic, operands));
            assert_eq!(found, narrow, "{mnemonic} {operands}");
        }
    }
}
