//! The functions of a linked image and who calls whom, from its disassembly.
//!
//! Edges err on the side of too many: whatever names another function's address counts as a call of
//! it. A call through a register that holds no known address is kept as *indirect*.

use crate::shell::Shell;
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

pub struct Instruction {
    pub address: u32,
    pub mnemonic: String,
    pub operands: String,
}

#[derive(Default)]
pub struct Function {
    pub address: u32,
    pub code: Vec<Instruction>,
    pub calls: BTreeSet<String>,
    /// Calls through a pointer.
    pub indirect: usize,
}

/// A linked image; all names are demangled.
pub struct Image {
    pub functions: BTreeMap<String, Function>,
    /// The names of all functions and variables.
    pub symbols: Vec<String>,
}

impl Image {
    /// `disassembler`: what it must be told. Xtensa must name its CPU, and keeps addresses as
    /// literals.
    pub fn read(shell: &Shell, path: &Path, disassembler: &[&str]) -> Result<Image> {
        let printed_by = |program: &str, what: &[&str]| -> Result<String> {
            // Not by `Shell::run`: nobody wants a whole disassembly in a step's log.
            let output = shell.command(program).args(what).arg(path).output()?;
            ensure!(
                output.status.success(),
                "{program}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            Ok(String::from_utf8(output.stdout)?)
        };
        let objdump = |what: &[&str]| printed_by("llvm-objdump-22", &[what, disassembler].concat());
        let symbols = printed_by("llvm-nm-22", &["--demangle", "--format=just-symbols"])?;
        let mut image = Image {
            functions: BTreeMap::new(),
            symbols: symbols.lines().map(String::from).collect(),
        };
        let mut addresses = HashMap::new();
        let mut name = String::new();
        for line in objdump(&["--disassemble", "--demangle", "--no-show-raw-insn"])?.lines() {
            if let Some((address, symbol)) = header(line) {
                // Local labels and data inside a function do not end it.
                if !symbol.starts_with(".L") {
                    name = symbol.to_owned();
                    // The start of memory is a round number, which constants are, too; nobody calls
                    // it.
                    if name != "_vectors" {
                        addresses.insert(address, name.clone());
                    }
                    image.functions.entry(name.clone()).or_default().address = address;
                }
            } else if let (Some(code), Some(function)) =
                (instruction(line), image.functions.get_mut(&name))
            {
                function.code.push(code);
            }
        }
        // Xtensa alone needs them.
        let words = if !disassembler.is_empty() {
            words(&objdump(&["--full-contents", "--section=.text"])?)?
        } else {
            HashMap::new()
        };
        let lengths: BTreeMap<String, u32> = image
            .functions
            .iter()
            .map(|(name, function)| (name.clone(), function.length()))
            .collect();
        for (name, function) in &mut image.functions {
            function.find_calls(name, &lengths, &addresses, &words);
        }
        Ok(image)
    }

    pub fn function(&self, name: &str) -> Result<&Function> {
        self.functions.get(name).with_context(|| format!("the image has no function `{name}`"))
    }

    /// The name of the one function that ends in this.
    pub fn find(&self, end: &str) -> Result<&str> {
        let mut found = self.functions.keys().filter(|name| name.ends_with(end));
        match (found.next(), found.next()) {
            (Some(name), None) => Ok(name),
            _ => bail!("the image has not one function that ends in `{end}`"),
        }
    }

    /// A function and all that it may call, directly or through others.
    pub fn reachable(&self, from: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(name) = open.pop() {
            if let Some((name, function)) = self.functions.get_key_value(name)
                && seen.insert(name.as_str())
            {
                open.extend(function.calls.iter().map(String::as_str));
            }
        }
        seen
    }

    /// Bytes of stack from a call of the function to the deepest of those it may call; none if they
    /// recurse.
    pub fn stack(&self, name: &str) -> Option<u32> {
        self.stack_below(name, &mut Vec::new())
    }

    fn stack_below<'a>(&'a self, name: &'a str, above: &mut Vec<&'a str>) -> Option<u32> {
        if above.contains(&name) {
            return None;
        }
        let function = self.functions.get(name)?;
        above.push(name);
        let mut deepest = 0;
        for callee in &function.calls {
            deepest = deepest.max(self.stack_below(callee, above)?);
        }
        above.pop();
        Some(function.frame() + deepest)
    }
}

impl Function {
    /// Bytes of code, without those of the last instruction.
    fn length(&self) -> u32 {
        self.code.last().map_or(0, |last| last.address - self.address)
    }

    /// Bytes of stack that the function itself takes. On Arm at most: all that it ever takes, as if
    /// on one way.
    fn frame(&self) -> u32 {
        let taken = |code: &Instruction| match code.mnemonic.as_str() {
            "entry" => number(code.operands.strip_prefix("a1, ")?),
            "addi" => number(code.operands.strip_prefix("sp, sp, -")?),
            _ => None,
        };
        let most = self.code.iter().filter_map(taken).max().unwrap_or(0);
        most + self.code.iter().filter_map(taken_on_arm).sum::<u32>()
    }

    fn find_calls(
        &mut self,
        own: &str,
        lengths: &BTreeMap<String, u32>,
        addresses: &HashMap<u32, String>,
        words: &HashMap<u32, u32>,
    ) {
        // Xtensa and Arm: the functions whose addresses registers hold.
        let mut held: HashMap<&str, &str> = HashMap::new();
        // Arm: the lower halves of addresses in registers, and what an address of code names.
        let mut lower: HashMap<&str, u32> = HashMap::new();
        let thumb = |address: u32| addresses.get(&address.checked_sub(1)?);
        for Instruction { mnemonic, operands, .. } in &self.code {
            let symbol = operands
                .split_once(" <")
                .and_then(|(_, symbol)| function_of(symbol.strip_suffix('>')?, lengths));
            let first = operands.split(',').next().unwrap_or_default();
            match (mnemonic.as_str(), symbol) {
                (_, Some(symbol)) if symbol != own => _ = self.calls.insert(symbol.to_owned()),
                (_, Some(_)) => {}
                ("l32r", _) => {
                    let literal =
                        operands.split_once(", ").and_then(|(_, address)| number(address));
                    match literal
                        .and_then(|literal| words.get(&literal))
                        .and_then(|word| addresses.get(word))
                    {
                        Some(name) => {
                            self.calls.insert(name.clone());
                            held.insert(first, name);
                        }
                        None => _ = held.remove(first),
                    }
                }
                ("call0" | "call4" | "call8" | "call12" | "j", _) => {
                    if let Some(name) = number(operands).and_then(|address| addresses.get(&address))
                        && name != own
                    {
                        self.calls.insert(name.clone());
                    }
                }
                ("callx0" | "callx4" | "callx8" | "callx12", _) => {
                    self.indirect += usize::from(!held.contains_key(first))
                }
                (".word", _) => {
                    if let Some(name) = number(operands).and_then(thumb) {
                        self.calls.insert(name.clone());
                    }
                }
                (half, _) if half.starts_with("movw") => {
                    let value = operands.split_once("#").and_then(|(_, value)| number(value));
                    lower.insert(first, value.unwrap_or(0));
                    held.remove(first);
                }
                (half, _) if half.starts_with("movt") => {
                    let upper = operands.split_once("#").and_then(|(_, value)| number(value));
                    let address =
                        upper.zip(lower.get(first)).map(|(upper, lower)| upper << 16 | lower);
                    if let Some(name) = address.and_then(thumb) {
                        self.calls.insert(name.clone());
                        held.insert(first, name);
                    }
                }
                (leave, _) if leave.starts_with("blx") || leave.starts_with("bx") => {
                    self.indirect += usize::from(first != "lr" && !held.contains_key(first))
                }
                // On RV32 the address of a known callee is printed as a symbol.
                ("jalr" | "jr" | "c.jalr" | "c.jr", None) => self.indirect += 1,
                // Stores and branches read their first operand.
                (other, _) if !other.starts_with(['b', 's']) => _ = held.remove(first),
                _ => {}
            }
        }
    }
}

/// Bytes of stack that an instruction of Arm takes.
fn taken_on_arm(code: &Instruction) -> Option<u32> {
    match code.mnemonic.as_str() {
        "push" | "push.w" => Some(4 * (1 + code.operands.matches(',').count() as u32)),
        "sub" | "sub.w" | "subw" => {
            let rest = code.operands.strip_prefix("sp, ")?;
            number(rest.strip_prefix("sp, ").unwrap_or(rest).strip_prefix('#')?)
        }
        // One or two registers, stored where the stack pointer goes.
        _ => number(code.operands.strip_suffix("]!")?.split_once("[sp, #-")?.1),
    }
}

/// The function that a symbol means: `name`, or `name+offset` for a jump into it. What lies beyond
/// its end, as code in ROM does, is printed relative to the nearest name and is not that function.
fn function_of<'a>(symbol: &'a str, lengths: &BTreeMap<String, u32>) -> Option<&'a str> {
    if lengths.contains_key(symbol) {
        return Some(symbol);
    }
    let (name, offset) = symbol.rsplit_once("+0x")?;
    let within = u32::from_str_radix(offset, 16).ok()? <= *lengths.get(name)?;
    within.then_some(name)
}

/// `80000424 <op_clone>:`
fn header(line: &str) -> Option<(u32, &str)> {
    let (address, symbol) = line.strip_suffix(">:")?.split_once(" <")?;
    Some((u32::from_str_radix(address, 16).ok()?, symbol))
}

/// `80000424:      \tlw\ta2, 0x8(a1)`
fn instruction(line: &str) -> Option<Instruction> {
    let (address, rest) = line.split_once(':')?;
    let address = u32::from_str_radix(address.trim(), 16).ok()?;
    // Arm: data has its bytes in front, and behind `@` is said once more what an offset means.
    let code = rest.split_once('\t')?.1.split(" @ ").next()?;
    let (mnemonic, operands) = code.split_once('\t').unwrap_or((code, ""));
    Some(Instruction {
        address,
        mnemonic: mnemonic.to_owned(),
        operands: operands.trim().to_owned(),
    })
}

pub fn number(text: &str) -> Option<u32> {
    match text.trim().strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.trim().parse().ok(),
    }
}

/// The little-endian words of ` 3150 48e00000 00080000 …`, by address.
fn words(dump: &str) -> Result<HashMap<u32, u32>> {
    let mut words = HashMap::new();
    for line in dump.lines().filter_map(|line| line.strip_prefix(' ')) {
        let (address, rest) = line.split_once(' ').context("a line without an address")?;
        let address = u32::from_str_radix(address, 16).context("a line without an address")?;
        for (index, word) in (0..).zip(rest.split(' ').take(4).filter(|word| word.len() == 8)) {
            let word = u32::from_str_radix(word, 16).context("a word that is no number")?;
            words.insert(address + 4 * index, word.swap_bytes());
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_stack_on_arm() {
        let mut function = Function::default();
        for line in [
            "10000100:      \tpush\t{r4, r5, r7, lr}",
            "10000102:      \tstr\tr8, [sp, #-4]!",
            "10000106:      \tsub\tsp, #0x18",
            "10000108:      \tmovw\tr1, #0x201",
            "1000010c:      \tmovt\tr1, #0x1000",
            "10000110:      \tblx\tr1",
            "10000112:      \tblx\tr2",
            "10000114:      \tbl\t0x10000300 <by_name> @ imm = #0x1e8",
            "10000118:      \tcbz\tr0, 0x10000100 <own> @ imm = #-0x1c",
            "1000011a:      \tbx\tlr",
            "1000011c: 01 04 00 10  \t.word\t0x10000401",
        ] {
            function.code.extend(instruction(line));
        }
        let names = [(0x1000_0200, "held"), (0x1000_0300, "by_name"), (0x1000_0400, "in_a_word")];
        let lengths = names.map(|(_, name)| (name.to_owned(), 4)).into();
        let addresses = names.map(|(address, name)| (address, name.to_owned())).into();
        function.find_calls("own", &lengths, &addresses, &HashMap::new());
        assert!(function.calls.iter().eq(["by_name", "held", "in_a_word"]), "{:?}", function.calls);
        assert_eq!(function.indirect, 1);
        assert_eq!(function.frame(), 16 + 4 + 24);
    }

    #[test]
    fn lines() {
        assert_eq!(
            header("80000424 <core::ptr::drop_in_place::<u8>>:"),
            Some((0x8000_0424, "core::ptr::drop_in_place::<u8>"))
        );
        let code = instruction("8000042a:      \tamoadd.w\ta2, a3, (a2)").unwrap();
        assert_eq!(code.mnemonic.as_str(), "amoadd.w");
        assert_eq!(code.operands.as_str(), "a2, a3, (a2)");
        assert!(instruction("Disassembly of section .text:").is_none());
        assert_eq!(
            words(" 3150 48e00000 01000000                    H.......").unwrap()[&0x3150],
            0xe048
        );
    }
}
