//! Whether code can run while flash cannot be read: it, all that it may call, and all constants
//! that it reads lie elsewhere.

use super::assembly::OPERATIONS;
use super::image::{Function, Image, Instruction, number};
use crate::shell::Shell;
use anyhow::{Result, ensure};
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

/// A function of the firmware that stays in flash: the check must find that.
const IN_FLASH: &str = "Report as core::fmt::Display>::fmt";

/// Checks the pool operations in an RV32 image; returns how many functions they and their callees
/// are.
pub fn check_operations(shell: &Shell, path: &Path, flash: &Range<u32>) -> Result<usize> {
    let image = Image::read(shell, path, &[])?;
    let mut checked = 0;
    let mut faults = Vec::new();
    for (operation, _) in OPERATIONS {
        image.function(operation)?;
        for name in image.reachable(operation) {
            checked += 1;
            faults.extend(
                reaches(name, image.function(name)?, flash)
                    .map(|what| format!("{operation}: {what}")),
            );
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("; "));
    let found = image.find(IN_FLASH)?;
    ensure!(
        reaches(found, image.function(found)?, flash).is_some(),
        "the check did not find {found} in flash"
    );
    Ok(checked)
}

/// What the function has or wants in flash.
fn reaches(name: &str, function: &Function, flash: &Range<u32>) -> Option<String> {
    if flash.contains(&function.address) {
        return Some(format!("{name} lies in flash"));
    }
    // Addresses are put together from an upper part in a register and a displacement.
    let mut upper: HashMap<&str, u32> = HashMap::new();
    for Instruction { address, mnemonic, operands } in &function.code {
        let words: Vec<&str> =
            operands.split([',', '(', ')', ' ']).filter(|word| !word.is_empty()).collect();
        let wanted = match (mnemonic.as_str(), &words[..]) {
            ("lui", [register, part]) => {
                upper.insert(register, number(part)? << 12);
                continue;
            }
            ("auipc", [register, part]) => {
                upper.insert(register, address.wrapping_add(number(part)? << 12));
                continue;
            }
            ("addi", [_, base, displacement, ..]) => at(&upper, base, displacement),
            // Loads, stores: `lw a0, 0x8(a1)`. Jumps: `jalr 0x352(ra)`.
            (_, [_, displacement, base, ..])
                if operands.contains('(') && !mnemonic.starts_with('j') =>
            {
                at(&upper, base, displacement)
            }
            ("jalr" | "jr", [displacement, base, ..]) => at(&upper, base, displacement),
            _ => None,
        };
        if let Some(wanted) = wanted.filter(|wanted| flash.contains(wanted)) {
            return Some(format!("{name} reaches for {wanted:#x}, by `{mnemonic} {operands}`"));
        }
        // Stores and branches write no register.
        if let Some(target) = words.first().filter(|_| !mnemonic.starts_with(['b', 's'])) {
            upper.remove(target);
        }
    }
    None
}

fn at(upper: &HashMap<&str, u32>, base: &str, displacement: &str) -> Option<u32> {
    let sum = upper.get(base)?;
    match displacement.strip_prefix('-') {
        Some(digits) => Some(sum.wrapping_sub(number(digits)?)),
        None => Some(sum.wrapping_add(number(displacement)?)),
    }
}
