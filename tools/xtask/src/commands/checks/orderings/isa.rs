//! What an instruction does to memory and where control goes from it, on each instruction set.

use crate::commands::checks::device::image::{Instruction, number};

#[derive(Clone, Copy, PartialEq)]
pub enum Isa {
    Rv32,
    /// Thumb-2, of ARMv7-M and ARMv8-M.
    Arm,
    Xtensa,
}

/// Orders what comes before an instruction, or what comes after it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Orders {
    /// Nothing that comes later is done before its reads, or before those in front of a barrier.
    pub acquire: bool,
    /// Nothing that comes before is done after its writes, or after those behind a barrier.
    pub release: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    None,
    Barrier(Orders),
    Access {
        reads: bool,
        writes: bool,
        /// Of one word or less: what is longer is no access to an atomic.
        short: bool,
        /// Of a read-modify-write: alone, or as one of an exclusive pair.
        atomic: bool,
        orders: Orders,
    },
}

/// Where control goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flow {
    Next,
    Jump(u32),
    Branch(u32),
    /// Away: a call, a return, or to an address in a register.
    Leave,
    /// Away, or on.
    MayLeave,
}

const NEITHER: Orders = Orders { acquire: false, release: false };
const BOTH: Orders = Orders { acquire: true, release: true };
const ACQUIRE: Orders = Orders { acquire: true, release: false };
const RELEASE: Orders = Orders { acquire: false, release: true };

fn plain(reads: bool, writes: bool) -> Effect {
    Effect::Access { reads, writes, short: true, atomic: false, orders: NEITHER }
}

fn long(reads: bool, writes: bool) -> Effect {
    Effect::Access { reads, writes, short: false, atomic: false, orders: NEITHER }
}

impl Isa {
    /// The mnemonic without what tells encodings and conditions apart.
    pub fn name(self, code: &Instruction, conditional: bool) -> &str {
        let name = code.mnemonic.as_str();
        match self {
            Isa::Rv32 => name.strip_prefix("c.").unwrap_or(name),
            Isa::Xtensa => name.strip_suffix(".n").unwrap_or(name),
            Isa::Arm => {
                let name = name.strip_suffix(".w").or(name.strip_suffix(".n")).unwrap_or(name);
                let end = name.len() - if conditional { name.len().min(2) } else { 0 };
                &name[..end]
            }
        }
    }

    /// Arm: how the second to fourth instruction behind an `it` follow its condition.
    pub fn conditional_block(self, mnemonic: &str) -> Option<&str> {
        let others = mnemonic.strip_prefix("it").filter(|_| self == Isa::Arm)?;
        others.chars().all(|c| matches!(c, 't' | 'e')).then_some(others)
    }

    /// A jump to an address out of a table.
    pub fn is_table(self, name: &str, operands: &str) -> bool {
        match self {
            // With a symbol it is a call at the end of a function.
            Isa::Rv32 => name == "jr" && !operands.contains('<'),
            Isa::Arm => matches!(name, "tbb" | "tbh") || operands.starts_with("pc,"),
            Isa::Xtensa => name == "jx",
        }
    }

    /// What lies in the frame is the function's own, as registers are that found no place: no
    /// atomic of the library is there. `frame_pointer`: there is one.
    pub fn is_stack(self, operands: &str, frame_pointer: bool) -> bool {
        match self {
            Isa::Rv32 => operands.ends_with("(sp)"),
            Isa::Arm => operands.contains("[sp") || (frame_pointer && operands.contains("[r7")),
            Isa::Xtensa => operands.contains(", a1, "),
        }
    }

    /// Arm: the instruction that makes a frame pointer.
    pub fn makes_frame_pointer(self, code: &Instruction) -> bool {
        self == Isa::Arm
            && matches!(code.mnemonic.as_str(), "add" | "mov")
            && code.operands.starts_with("r7, sp")
    }

    pub fn effect(self, name: &str, operands: &str) -> Effect {
        match self {
            Isa::Rv32 => rv32_effect(name, operands),
            Isa::Arm => arm_effect(name, operands),
            Isa::Xtensa => xtensa_effect(name),
        }
    }

    pub fn flow(self, name: &str, operands: &str) -> Flow {
        let (plain, branch, leave) = match self {
            Isa::Rv32 => (
                name == "j",
                name.starts_with('b'),
                ["jal", "jr", "ret", "mret", "ecall", "ebreak", "unimp"].as_slice(),
            ),
            Isa::Arm => (
                name == "b",
                is_arm_branch(name),
                ["bl", "blx", "bx", "tbb", "tbh", "udf", "bkpt", "svc"].as_slice(),
            ),
            Isa::Xtensa => {
                let branch = name.starts_with('b') && !name.starts_with("break");
                (
                    name == "j",
                    branch,
                    ["jx", "call", "ret", "rf", "ill", "loop", "sys", "break", "<unknown>"]
                        .as_slice(),
                )
            }
        };
        match target(operands) {
            Some(target) if plain => Flow::Jump(target),
            Some(target) if branch => Flow::Branch(target),
            None if plain || branch => Flow::Leave,
            // Whole mnemonics on Arm, where `bl` begins others.
            _ if self == Isa::Arm && leave.contains(&name) => Flow::Leave,
            // A return is a load of the program counter, too.
            _ if self == Isa::Arm && (operands.ends_with("pc}") || operands.starts_with("pc,")) => {
                Flow::Leave
            }
            _ if self != Isa::Arm && leave.iter().any(|start| name.starts_with(start)) => {
                Flow::Leave
            }
            _ => Flow::Next,
        }
    }
}

/// The last operand, an address that a symbol may follow.
fn target(operands: &str) -> Option<u32> {
    number(operands.split(" <").next()?.rsplit([' ', ',']).next()?.trim())
}

/// RISC-V unprivileged specification, "A" extension and table of mappings from C11 (RVWMO
/// appendix).
fn rv32_effect(name: &str, operands: &str) -> Effect {
    let atomic = |reads, writes| {
        let suffix = name.rsplit('.').next().unwrap_or_default();
        let orders = Orders {
            acquire: matches!(suffix, "aq" | "aqrl"),
            release: matches!(suffix, "rl" | "aqrl"),
        };
        Effect::Access { reads, writes, short: true, atomic: true, orders }
    };
    match name {
        "fence" => Effect::Barrier(rv32_fence(operands)),
        "lb" | "lbu" | "lh" | "lhu" | "lw" | "lwsp" => plain(true, false),
        "sb" | "sh" | "sw" | "swsp" => plain(false, true),
        _ if name.starts_with("lr.w") => atomic(true, false),
        _ if name.starts_with("sc.w") => atomic(false, true),
        _ if name.starts_with("amo") => atomic(true, true),
        _ => Effect::None,
    }
}

/// `fence PREDECESSORS, SUCCESSORS`: of reads and writes. Without operands all of both.
fn rv32_fence(operands: &str) -> Orders {
    let (before, after) = operands.split_once(", ").unwrap_or(("rw", "rw"));
    let has = |set: &str, all: &str| all.chars().all(|c| set.contains(c));
    Orders {
        acquire: has(before, "r") && has(after, "rw"),
        release: has(before, "rw") && has(after, "w"),
    }
}

fn arm_effect(name: &str, operands: &str) -> Effect {
    let access = |reads, writes, atomic, orders| Effect::Access {
        reads,
        writes,
        short: true,
        atomic,
        orders,
    };
    match name {
        // `ishst` and others order stores alone, or loads.
        "dmb" | "dsb" if matches!(operands, "sy" | "ish") => Effect::Barrier(BOTH),
        "lda" | "ldab" | "ldah" => access(true, false, false, ACQUIRE),
        "stl" | "stlb" | "stlh" => access(false, true, false, RELEASE),
        "ldaex" | "ldaexb" | "ldaexh" => access(true, false, true, ACQUIRE),
        "stlex" | "stlexb" | "stlexh" => access(false, true, true, RELEASE),
        "ldrex" | "ldrexb" | "ldrexh" => access(true, false, true, NEITHER),
        "strex" | "strexb" | "strexh" => access(false, true, true, NEITHER),
        // A constant, beside the code. And `push` and `pop` are the stack's.
        _ if name.starts_with("ldr") && operands.contains("[pc") => Effect::None,
        "ldr" | "ldrb" | "ldrh" | "ldrsb" | "ldrsh" => plain(true, false),
        "str" | "strb" | "strh" => plain(false, true),
        _ if ["ldr", "ldm", "vld"].iter().any(|start| name.starts_with(start)) => long(true, false),
        _ if ["str", "stm", "vst"].iter().any(|start| name.starts_with(start)) => long(false, true),
        _ => Effect::None,
    }
}

fn is_arm_branch(name: &str) -> bool {
    const CONDITIONS: &[&str] =
        &["eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le"];
    matches!(name, "cbz" | "cbnz")
        || name.strip_prefix('b').is_some_and(|rest| CONDITIONS.contains(&rest))
}

/// Xtensa ISA reference: MEMW orders all accesses. S32C1I is taken for one that orders nothing.
fn xtensa_effect(name: &str) -> Effect {
    let access = |reads, writes, atomic, orders| Effect::Access {
        reads,
        writes,
        short: true,
        atomic,
        orders,
    };
    match name {
        "memw" => Effect::Barrier(BOTH),
        "s32c1i" => access(true, true, true, NEITHER),
        "l32ai" => access(true, false, false, ACQUIRE),
        "s32ri" => access(false, true, false, RELEASE),
        "l8ui" | "l16ui" | "l16si" | "l32i" | "l32e" => plain(true, false),
        "s8i" | "s16i" | "s32i" | "s32e" => plain(false, true),
        _ => Effect::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(isa: Isa, name: &str, operands: &str) -> (bool, bool) {
        match isa.effect(name, operands) {
            Effect::Barrier(orders) | Effect::Access { orders, .. } => {
                (orders.acquire, orders.release)
            }
            Effect::None => (false, false),
        }
    }

    #[test]
    fn barriers_of_rv32() {
        let of = |name, operands| orders(Isa::Rv32, name, operands);
        assert_eq!(of("fence", "r, rw"), (true, false));
        assert_eq!(of("fence", "rw, w"), (false, true));
        assert_eq!(of("fence", "rw, rw"), (true, true));
        assert_eq!(of("fence", "iorw, iorw"), (true, true));
        assert_eq!(of("fence", ""), (true, true));
        assert_eq!(of("fence", "w, w"), (false, false));
        assert_eq!(of("fence", "r, r"), (false, false));
        assert_eq!(of("lr.w.aq", "a0, (a1)"), (true, false));
        assert_eq!(of("sc.w.rl", "a0, a2, (a1)"), (false, true));
        assert_eq!(of("amoadd.w.rl", "zero, a2, (a1)"), (false, true));
        assert_eq!(of("amoswap.w.aqrl", "a0, a2, (a1)"), (true, true));
        assert_eq!(of("amoadd.w", "a0, a2, (a1)"), (false, false));
        assert_eq!(of("lw", "a0, 0x0(a1)"), (false, false));
        assert_eq!(of("fence.i", ""), (false, false));
    }

    #[test]
    fn barriers_of_arm() {
        let of = |name, operands| orders(Isa::Arm, name, operands);
        assert_eq!(of("dmb", "sy"), (true, true));
        assert_eq!(of("dmb", "ish"), (true, true));
        assert_eq!(of("dmb", "ishst"), (false, false));
        assert_eq!(of("isb", "sy"), (false, false));
        assert_eq!(of("lda", "r0, [r1]"), (true, false));
        assert_eq!(of("stl", "r0, [r1]"), (false, true));
        assert_eq!(of("ldaex", "r0, [r1]"), (true, false));
        assert_eq!(of("stlex", "r2, r0, [r1]"), (false, true));
        assert_eq!(of("ldrex", "r0, [r1]"), (false, false));
        assert_eq!(of("strex", "r2, r0, [r1]"), (false, false));
        assert_eq!(of("ldr", "r0, [r1]"), (false, false));
    }

    #[test]
    fn barriers_of_xtensa() {
        let of = |name| orders(Isa::Xtensa, name, "a2, a3, 0");
        assert_eq!(of("memw"), (true, true));
        assert_eq!(of("extw"), (false, false));
        assert_eq!(of("l32ai"), (true, false));
        assert_eq!(of("s32ri"), (false, true));
        assert_eq!(of("s32c1i"), (false, false));
        assert_eq!(of("l32i"), (false, false));
    }

    #[test]
    fn control_flow() {
        let rv32 = |name, operands| Isa::Rv32.flow(name, operands);
        assert_eq!(rv32("bnez", "a0, 0x8000072c <op_alloc+0x3a>"), Flow::Branch(0x8000_072c));
        assert_eq!(rv32("j", "0x8000051a <f+0x1c2>"), Flow::Jump(0x8000_051a));
        assert_eq!(rv32("jalr", "-0x776(ra) <f>"), Flow::Leave);
        assert_eq!(rv32("ret", ""), Flow::Leave);
        assert_eq!(rv32("addi", "a0, a0, 0x1"), Flow::Next);
        let arm = |name, operands| Isa::Arm.flow(name, operands);
        assert_eq!(arm("bne", "0x208aa <op_alloc+0x46> @ imm = #0x12"), Flow::Branch(0x208aa));
        assert_eq!(arm("cbz", "r0, 0x208aa <op_alloc+0x46> @ imm = #0x12"), Flow::Branch(0x208aa));
        assert_eq!(arm("b", "0x208ae <op_alloc+0x4a> @ imm = #0x2"), Flow::Jump(0x208ae));
        assert_eq!(arm("bl", "0x20000 <f> @ imm = #0x2"), Flow::Leave);
        assert_eq!(arm("bls", "0x20000 <f> @ imm = #0x2"), Flow::Branch(0x20000));
        assert_eq!(arm("pop", "{r4, r7, pc}"), Flow::Leave);
        assert_eq!(arm("pop", "{r4, r7}"), Flow::Next);
        assert_eq!(arm("bic", "r0, r0, #0x1"), Flow::Next);
        let xtensa = |name, operands| Isa::Xtensa.flow(name, operands);
        assert_eq!(xtensa("beqi", "a7, 1, 0x34df"), Flow::Branch(0x34df));
        assert_eq!(xtensa("j", "0x34df"), Flow::Jump(0x34df));
        assert_eq!(xtensa("callx8", "a8"), Flow::Leave);
        assert_eq!(xtensa("retw", ""), Flow::Leave);
        assert_eq!(xtensa("loop", "a2, 0x34df"), Flow::Leave);
    }
}
