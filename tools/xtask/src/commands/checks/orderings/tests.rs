//! Each barrier is accepted in its place, and missed where it is not.

use super::access::Accesses;
use super::check::verdict;
use super::isa::Isa;
use super::walk::Graph;
use crate::commands::checks::device::image::{Function, Instruction};

const LOAD: &str = "x.load(Acquire)";
const STORE: &str = "x.store(1, Release)";
const SWAP: &str = "x.compare_exchange(a, b, Release, Relaxed)";
const TAKE: &str = "x.swap(a, Acquire)";
const BOTH: &str = "x.swap(a, AcqRel)";

/// What is found of an access in a function of these instructions, which lie 4 bytes apart from 0;
/// those that begin with a star come from the access.
fn found(isa: Isa, access: &str, text: &str) -> Result<String, String> {
    let access = &Accesses::of(&format!("fn f() {{ {access}; }}")).strong[0];
    let mut function = Function::default();
    let mut own = Vec::new();
    for (index, line) in text.split(" / ").enumerate() {
        let code = line.trim_start_matches('*');
        own.extend((code != line).then_some(index));
        let (mnemonic, operands) = code.split_once(' ').unwrap_or((code, ""));
        let (mnemonic, operands) = (mnemonic.to_owned(), operands.to_owned());
        function.code.push(Instruction { address: 4 * index as u32, mnemonic, operands });
    }
    let (forms, faults) = verdict(&Graph::new(isa, &function), access, &own);
    if faults.is_empty() { Ok(forms.join(" + ")) } else { Err(faults.join(" + ")) }
}

fn refused(isa: Isa, access: &str, text: &str) {
    let found = found(isa, access, text);
    assert!(found.is_err(), "accepted: {text}: {found:?}");
}

#[test]
fn rv32() {
    let found = |access: &str, text: &str| found(Isa::Rv32, access, text).unwrap();
    let refused = |access: &str, text: &str| refused(Isa::Rv32, access, text);

    assert_eq!(
        found(LOAD, "*lw a0, 0x0(a1) / *fence r, rw / lw a2, 0x4(a1) / ret"),
        "lw; fence r, rw"
    );
    assert_eq!(
        found(LOAD, "*lw a0, 0x0(a1) / bnez a0, 0x10 / *fence r, rw / ret / *fence rw, rw / ret"),
        "lw; fence r, rw; fence rw, rw"
    );
    refused(LOAD, "*lw a0, 0x0(a1) / lw a2, 0x4(a1) / *fence r, rw / ret");
    refused(LOAD, "*fence r, rw / *lw a0, 0x0(a1) / ret");
    refused(LOAD, "*lw a0, 0x0(a1) / *fence w, w / lw a2, 0x4(a1) / ret");
    refused(LOAD, "*lw a0, 0x0(a1) / jalr 0x0(ra) <f> / *fence r, rw / ret");
    // That of another access.
    refused(LOAD, "*lw a0, 0x0(a1) / fence r, rw / lw a2, 0x4(a1) / ret");
    // On one way alone.
    refused(LOAD, "*lw a0, 0x0(a1) / bnez a0, 0x10 / *fence r, rw / ret / lw a2, 0x4(a1) / ret");
    refused(LOAD, "*lw a0, 0x0(a1) / j 0x0");

    assert_eq!(
        found(STORE, "sw a2, 0x4(a1) / *fence rw, w / *sw a0, 0x0(a1) / ret"),
        "fence rw, w; sw"
    );
    refused(STORE, "*fence r, rw / *sw a0, 0x0(a1) / ret");
    refused(STORE, "*fence rw, w / sw a2, 0x4(a1) / *sw a0, 0x0(a1) / ret");
    // Back from the target of a jump.
    refused(STORE, "bnez a0, 0x8 / *fence rw, w / *sw a0, 0x0(a1) / ret");

    assert_eq!(
        found(
            SWAP,
            "*lr.w a5, (a7) / bne a5, a4, 0x10 / *sc.w.rl s0, a3, (a7) / bnez s0, 0x0 / ret"
        ),
        "sc.w.rl"
    );
    assert_eq!(
        found(SWAP, "*fence rw, w / *lr.w a5, (a7) / *sc.w s0, a3, (a7) / bnez s0, 0x4 / ret"),
        "fence rw, w; sc.w"
    );
    refused(SWAP, "*lr.w a5, (a7) / bne a5, a4, 0x10 / *sc.w s0, a3, (a7) / bnez s0, 0x0 / ret");
    refused(SWAP, "*lr.w.aq a5, (a7) / bne a5, a4, 0x10 / *sc.w s0, a3, (a7) / bnez s0, 0x0 / ret");
    // Not one any more.
    refused(SWAP, "*fence rw, w / *lw a5, 0x0(a7) / ret");
    refused(SWAP, "*lr.w a5, (a7) / ret");

    assert_eq!(found(TAKE, "*amoswap.w.aq a0, a2, (a1) / ret"), "amoswap.w.aq");
    refused(TAKE, "*amoswap.w.rl a0, a2, (a1) / ret");
    assert_eq!(found(BOTH, "*amoswap.w.aqrl a0, a2, (a1) / ret"), "amoswap.w.aqrl");
    refused(BOTH, "*amoswap.w.aq a0, a2, (a1) / ret");
    refused(BOTH, "*amoswap.w a0, a2, (a1) / ret");
}

#[test]
fn armv7m() {
    let found = |access: &str, text: &str| found(Isa::Arm, access, text).unwrap();
    let refused = |access: &str, text: &str| refused(Isa::Arm, access, text);

    assert_eq!(found(LOAD, "*ldr.w r3, [r1] / *dmb sy / ldr r0, [r3] / bx lr"), "ldr; dmb sy");
    assert_eq!(
        found(LOAD, "*ldr r3, [r1] / ldr r2, [pc, #0x10] / *dmb ish / bx lr"),
        "ldr; dmb ish"
    );
    assert_eq!(
        found(
            LOAD,
            "add r7, sp, #0xc / *ldr r3, [r1] / ldr r2, [r7, #0x8] / ldr r4, [sp] / *dmb sy / bx lr"
        ),
        "ldr; dmb sy"
    );
    refused(LOAD, "*ldr r3, [r1] / ldr r2, [r7, #0x8] / *dmb sy / bx lr");
    refused(LOAD, "*ldr r3, [r1] / ldrd r2, r4, [r5, #8] / *dmb sy / bx lr");
    refused(LOAD, "*ldr r3, [r1] / *dmb ishst / bx lr");
    refused(LOAD, "*ldr r3, [r1] / dmb sy / bx lr");
    refused(LOAD, "*ldr r3, [r1] / isb sy / bx lr");
    // Of conditional instructions those with the condition of the access.
    assert_eq!(found(LOAD, "itt ne / *ldrne r3, [r1] / *dmbne sy / bx lr"), "ldr; dmb sy");
    refused(LOAD, "ite ne / *ldrne r3, [r1] / *dmbeq sy / bx lr");
    refused(LOAD, "*ldr r3, [r1] / it ne / *dmbne sy / bx lr");
    refused(LOAD, "*ldr r3, [r1] / it ne / bxne lr / *dmb sy / bx lr");

    let swap = "*ldrex r5, [r1] / cmp r5, r3 / bne 0x1c / *dmb sy / *strex r2, r4, [r1] / cmp r2, #0x0 / bne 0x0 / bx lr";
    assert_eq!(found(SWAP, swap), "dmb sy; strex");
    refused(SWAP, &swap.replace("*dmb sy", "nop"));
    // The second try needs no barrier of its own.
    let again = "*dmb sy / *ldrex r5, [r1] / cmp r5, r3 / bne 0x1c / *strex r2, r4, [r1] / cmp r2, #0x0 / bne 0x4 / bx lr";
    assert_eq!(found(SWAP, again), "dmb sy; strex");
    refused(SWAP, &again.replace("bne 0x4", "bne 0x8 / ldr r0, [r3] / b 0x4"));

    let take = "*ldrex r5, [r1] / *strex r2, r4, [r1] / cmp r2, #0x0 / bne 0x0 / *dmb sy / bx lr";
    assert_eq!(found(TAKE, take), "ldrex; dmb sy");
    assert_eq!(
        found(BOTH, &format!("*dmb sy / {}", take.replace("0x0", "0x4"))),
        "ldrex; dmb sy + dmb sy; strex"
    );
    refused(BOTH, take);
    refused(TAKE, &take.replace("*dmb sy", "nop"));
}

#[test]
fn armv8m() {
    let found = |access: &str, text: &str| found(Isa::Arm, access, text).unwrap();
    let refused = |access: &str, text: &str| refused(Isa::Arm, access, text);

    assert_eq!(found(LOAD, "*lda r3, [r1] / ldr r0, [r3] / bx lr"), "lda");
    assert_eq!(found(STORE, "str r0, [r3] / *stl r3, [r1] / bx lr"), "stl");
    assert_eq!(found(SWAP, "*ldrex r5, [r1] / *stlex r2, r4, [r1] / bne 0x0 / bx lr"), "stlex");
    refused(SWAP, "*ldaex r5, [r1] / *strex r2, r4, [r1] / bne 0x0 / bx lr");
    assert_eq!(found(TAKE, "*ldaex r5, [r1] / *strex r2, r4, [r1] / bne 0x0 / bx lr"), "ldaex");
    assert_eq!(
        found(BOTH, "*ldaex r5, [r1] / *stlex r2, r4, [r1] / bne 0x0 / bx lr"),
        "ldaex + stlex"
    );
    refused(BOTH, "*ldrex r5, [r1] / *stlex r2, r4, [r1] / bne 0x0 / bx lr");
}

#[test]
fn xtensa() {
    let found = |access: &str, text: &str| found(Isa::Xtensa, access, text).unwrap();
    let refused = |access: &str, text: &str| refused(Isa::Xtensa, access, text);

    assert_eq!(
        found(LOAD, "*l32i.n a2, a3, 0 / l32r a4, 0x3014 / *memw / l32i a4, a2, 0 / retw.n"),
        "l32i; memw"
    );
    assert_eq!(found(LOAD, "*l32i a9, a8, 0 / l32i a10, a1, 40 / *memw / retw.n"), "l32i; memw");
    assert_eq!(found(LOAD, "*l32ai a2, a3, 0 / retw.n"), "l32ai");
    refused(LOAD, "*l32i.n a2, a3, 0 / l32i a4, a2, 0 / *memw / retw.n");
    refused(LOAD, "*l32i.n a2, a3, 0 / retw.n");
    refused(LOAD, "*l32i.n a2, a3, 0 / memw / retw.n");
    assert_eq!(found(STORE, "*s32ri a2, a3, 0 / retw.n"), "s32ri");

    assert_eq!(
        found(SWAP, "s32i a5, a6, 0 / *memw / wsr a2, scompare1 / *s32c1i a4, a3, 0 / retw.n"),
        "memw; s32c1i"
    );
    refused(SWAP, "*memw / s32i a5, a6, 0 / wsr a2, scompare1 / *s32c1i a4, a3, 0 / retw.n");
    refused(SWAP, "wsr a2, scompare1 / *s32c1i a4, a3, 0 / *memw / retw.n");
    // An addition loads first, and goes round.
    let add = "*memw / *l32i a2, a3, 0 / wsr a2, scompare1 / *s32c1i a4, a3, 0 / bne a4, a2, 0x4 / *memw / retw.n";
    assert_eq!(found(BOTH, add), "memw; s32c1i; memw");
    refused(BOTH, &add.replace("*memw / retw.n", "retw.n"));
    refused(BOTH, &add[8..].replace("0x4", "0x0"));
    refused(SWAP, "*memw / *l32i a2, a3, 0 / *memw / retw.n");
}
