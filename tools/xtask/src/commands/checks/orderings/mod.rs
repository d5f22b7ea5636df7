//! `cargo xtask orderings`
//!
//! Whether each ordering of the protocol became its instruction, on each instruction set.
//!
//! The emulators interrupt between instructions, but never reorder; so that a barrier is there is
//! looked up in the linked images. A line table leads from each instruction to the access of the
//! sources that it comes from, through all that was inlined. Of each copy of an access that is
//! stronger than relaxed it is asked:
//!
//! - an acquire orders itself (`amo….aq`, `lda`), or every way on from its read meets its barrier
//!   before another access to memory, a call or the function's end;
//! - a release orders itself, or every way back from its write meets its barrier before another
//!   access, a call or the function's beginning;
//! - a read-modify-write has remained one;
//! - each access is in some image, and each atomic instruction of the library belongs to an access.
//!
//! *Its* barrier has the same lines: that of a neighbour does not count. What lies between in the
//! function's own frame, or is a constant beside the code, does not matter.
//!
//! | module | holds |
//! |---|---|
//! | [`access`] | the accesses, from the sources |
//! | [`isa`] | what an instruction does to memory, and where control goes |
//! | [`lines`] | the lines that an instruction comes from |
//! | [`walk`] | whether a barrier stands in the way |
//! | [`mod@check`] | an image, access by access |

mod access;
mod check;
mod isa;
mod lines;
#[cfg(test)]
mod tests;
mod walk;

use crate::commands::checks::device::board::{ARM_V7M, CORTEX_M, RV32, Target, XTENSA};
use crate::commands::checks::mutants::copy_tracked;
use crate::report::{self, Table};
use crate::{shell::Shell, step::Step};
use access::Accesses;
use anyhow::{Result, ensure};
use check::{Became, Subject};
use isa::Isa;
use std::path::{Path, PathBuf};

/// Atomic instructions without a line, by a part of their function's name.
const EXCUSED: &[(&str, &str)] = &[(
    "suite::pools::make_mut",
    "clones of two branches, relaxed, which the compiler has made one instruction",
)];

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("orderings became instructions", check),
        Step::new("orderings that did not are noticed", must_fail),
    ]
}

/// An instruction set and the images that are looked at: their packages and names.
struct Set {
    name: &'static str,
    isa: Isa,
    target: &'static Target,
    images: &'static [(&'static str, &'static str)],
}

/// Holds every access, and is the only one that is built for ARMv7-M.
const PROTOCOL: (&str, &str) = ("protocol", "protocol");

/// On the boards also the image that is tested, and that of the operations.
const ALL: &[(&str, &str)] = &[PROTOCOL, ("suite", "suite"), ("suite", "probe")];

static SETS: [Set; 4] = [
    Set { name: "RV32", isa: Isa::Rv32, target: &RV32.target, images: ALL },
    Set { name: "ARMv7-M", isa: Isa::Arm, target: &ARM_V7M, images: &[PROTOCOL] },
    Set { name: "ARMv8-M", isa: Isa::Arm, target: &CORTEX_M.target, images: ALL },
    Set { name: "Xtensa", isa: Isa::Xtensa, target: &XTENSA.target, images: ALL },
];

fn check(shell: &Shell) -> Result<()> {
    let accesses = Accesses::read(Shell::root())?;
    let headings = ["file", "in", "access"].into_iter().chain(SETS.iter().map(|set| set.name));
    let mut table = Table::new(&headings.collect::<Vec<_>>(), 3 + SETS.len());
    let (mut columns, mut faults) = (Vec::new(), Vec::new());
    for set in &SETS {
        let (became, strays) = set.examine(shell, Shell::root(), set.images, &accesses)?;
        let excused = |stray: &String| EXCUSED.iter().any(|(function, _)| stray.contains(function));
        let strays = strays.into_iter().filter(|stray| !excused(stray));
        faults.extend(strays.map(|stray| format!("{}: of no access: {stray}", set.name)));
        for (access, became) in accesses.strong.iter().zip(&became) {
            let missing = (became.places == 0).then(|| "in no image".to_owned());
            let all = became.faults.iter().chain(&missing);
            let place = format!("{}: {}, {}", set.name, access.place(), access.ordering);
            faults.extend(all.map(|fault| format!("{place}: {fault}")));
        }
        columns.push(became);
    }
    for (index, access) in accesses.strong.iter().enumerate() {
        let file = access.file.trim_start_matches("src/").to_owned();
        let name = format!("`{}`, {}", access.method, access.ordering);
        let cells = columns.iter().map(|became| became[index].shown());
        table.row([file, access.within.clone(), name].into_iter().chain(cells));
    }
    shell.report("orderings as instructions", &table.plain());
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    let places: usize = columns.iter().flatten().map(|became| became.places).sum();
    shell.note(format!("{} accesses in {places} places", accesses.strong.len()));
    report::keep(shell, "orderings", &table.markdown())
}

/// The check itself works: of sources in which every ordering is relaxed it finds fault with each
/// access.
fn must_fail(shell: &Shell) -> Result<()> {
    let accesses = Accesses::read(Shell::root())?;
    let copy = relaxed(shell, &accesses)?;
    let mut unnoticed = Vec::new();
    for set in &SETS {
        let (became, _) = set.examine(shell, &copy, &[PROTOCOL], &accesses)?;
        for (access, became) in accesses.strong.iter().zip(&became) {
            let gone = became.places == 0 && access.for_order_alone;
            if became.faults.is_empty() && !gone {
                unnoticed.push(format!(
                    "{}: {}, in {} places",
                    set.name,
                    access.place(),
                    became.places
                ));
            }
        }
    }
    ensure!(unnoticed.is_empty(), "relaxed, and not noticed:\n{}", unnoticed.join("\n"));
    shell.note(format!("{} accesses on {} instruction sets", accesses.strong.len(), SETS.len()));
    Ok(())
}

/// A copy of the project in which every ordering is relaxed.
fn relaxed(shell: &Shell, accesses: &Accesses) -> Result<PathBuf> {
    let copy = Shell::scratch("device-relaxed");
    copy_tracked(shell, &copy, |file, text| {
        if !(file.starts_with("src/") && file.ends_with(".rs")) {
            return Ok(text);
        }
        Ok(accesses.weakened(file, &String::from_utf8(text)?).into())
    })?;
    Ok(copy)
}

impl Set {
    /// What became of each access of the sources in `root`.
    fn examine(
        &self,
        shell: &Shell,
        root: &Path,
        images: &[(&str, &str)],
        accesses: &Accesses,
    ) -> Result<(Vec<Became>, Vec<String>)> {
        let mut became = vec![Became::default(); accesses.strong.len()];
        let mut strays = Vec::new();
        for (package, image) in images {
            let image =
                self.target.build(shell, &root.join("firmware"), package, "release")?.join(image);
            let subject = Subject {
                isa: self.isa,
                image: &image,
                disassembler: self.target.disassembler,
                root,
            };
            strays.extend(subject.check(shell, accesses, &mut became)?);
        }
        Ok((became, strays))
    }
}
