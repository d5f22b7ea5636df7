//! The static library for RV32 chips: what it adds to a program, and that no operation can panic.

use super::static_library;
use crate::commands::checks::device::{LLD, LLVM, image::Image};
use crate::report::{self, Table};
use crate::shell::Shell;
use crate::tools::DEBIAN_RUST;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const TARGET: &str = "riscv32imac-unknown-none-elf";
/// The generated table that `bindings/c/README.md` links.
const TABLE: &str = "capi-bytes";
const COMMAND: &str = "cargo xtask capi";

/// Groups of functions: a program that uses one uses those above, too.
const GROUPS: [(&str, &[&str]); 9] = [
    ("init", &["init"]),
    ("alloc, free, free_sized, owns", &["alloc", "free", "free_sized", "owns"]),
    (
        "copy, retain, release, make_mut",
        &["bytes_copy", "bytes_retain", "bytes_release", "bytes_make_mut"],
    ),
    (
        "all other operations on bytes",
        &[
            "bytes_zeroed",
            "bytes_from_raw",
            "bytes_from_static",
            "bytes_slice",
            "bytes_is_unique",
            "bytes_footprint",
            "bytes_append",
            "bytes_compact",
        ],
    ),
    (
        "room behind and in front, copies of parts",
        &[
            "bytes_with_capacity",
            "bytes_capacity",
            "bytes_headroom",
            "bytes_reserve",
            "bytes_resize",
            "bytes_prepend",
            "bytes_copy_slice",
        ],
    ),
    (
        "reserve, free notify, free slots, peaks",
        &[
            "alloc_reserved",
            "arm_free_notify",
            "free_slots",
            "reset_peak",
            "stats_since",
            "slot_bytes",
            "free_sized_checked",
        ],
    ),
    (
        "statistics and all texts",
        &[
            "stats_read",
            "is_idle",
            "layout_of",
            "error_text",
            "stats_print",
            "stats_table",
            "histogram_print",
            "geometry_explain",
        ],
    ),
    ("pools without an init call", &["static"]),
    (
        "a fallback",
        &["fallback_link", "alloc_or_fallback", "free_or_fallback", "has_fallback", "reclaim"],
    ),
];

/// Those whose code must hold no way to a panic: the operations, in the groups between `init` and
/// the statistics.
const OPERATIONS: std::ops::Range<usize> = 1..6;

pub fn check(shell: &Shell) -> Result<()> {
    let library = library(shell)?;
    all_are_listed(shell, &library)?;
    let mut table = Table::new(&["a program that uses", "text", "data", "bss"], 1);
    let mut sizes = Vec::new();
    for groups in 1..=GROUPS.len() {
        let [text, data, bss] = sizes_of(shell, &link(shell, &library, groups)?)?;
        let name = if groups == 1 {
            GROUPS[0].0.to_owned()
        } else {
            format!("+ {}", GROUPS[groups - 1].0)
        };
        table.row([name, text.to_string(), data.to_string(), bss.to_string()]);
        sizes.push(text);
    }
    shell.report("bytes of the C library in a program for RV32", &table.plain());
    report::keep(shell, TABLE, &table.markdown())?;
    no_panic(shell, &link(shell, &library, GROUPS.len())?)?;
    near(&sizes, &kept_sizes()?)?;
    shell.note(format!(
        "{} bytes of text, {} without texts; no operation can panic",
        sizes[GROUPS.len() - 1],
        sizes[OPERATIONS.end - 1]
    ));
    Ok(())
}

/// Built for size, by Debian's Rust, which has the sources of `core`.
fn library(shell: &Shell) -> Result<PathBuf> {
    for tool in [&DEBIAN_RUST, &LLVM, &LLD] {
        shell.need(tool)?;
    }
    let mut cargo = static_library(shell);
    for option in ["opt-level='s'", "lto=true", "codegen-units=1", "debug=false"] {
        cargo.args(["--config", &format!("profile.release.{option}")]);
    }
    let folder = Shell::scratch("capi-rv32");
    shell.run(cargo.args(["--release", "--target", TARGET, "--target-dir"]).arg(&folder))?;
    Ok(folder.join(TARGET).join("release/libtierpool_capi.a"))
}

/// A program of the first so many groups, and of nothing else.
fn link(shell: &Shell, library: &Path, groups: usize) -> Result<PathBuf> {
    let program = Shell::scratch("capi-rv32").join(format!("groups-{groups}"));
    let mut linker = shell.command("ld.lld-22");
    linker.args(["-m", "elf32lriscv", "--gc-sections", "--entry=tierpool_init"]);
    linker.args(functions(0..groups).map(|name| format!("--undefined={name}")));
    shell.run(linker.arg(library).arg("-o").arg(&program))?;
    Ok(program)
}

fn functions(groups: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    GROUPS[groups].iter().flat_map(|(_, names)| names.iter()).map(|name| format!("tierpool_{name}"))
}

/// The groups hold every function of the library.
fn all_are_listed(shell: &Shell, library: &Path) -> Result<()> {
    let symbols = ["--defined-only", "--extern-only", "--format=just-symbols"];
    let printed = shell.run(shell.command("llvm-nm-22").args(symbols).arg(library))?.stdout;
    // Names, and between them the members of the archive, with a colon.
    let names =
        printed.lines().filter(|line| line.starts_with("tierpool_") && !line.ends_with(':'));
    let there: BTreeSet<String> = names.map(str::to_owned).collect();
    let listed: BTreeSet<String> = functions(0..GROUPS.len()).collect();
    ensure!(there == listed, "the library has the functions {there:?}, listed are {listed:?}");
    Ok(())
}

/// Text (code and constants), data, bss.
fn sizes_of(shell: &Shell, program: &Path) -> Result<[u64; 3]> {
    let printed =
        shell.run(shell.command("llvm-size-22").arg("--format=berkeley").arg(program))?.stdout;
    let line = printed.lines().nth(1).context("llvm-size printed no sizes")?;
    let mut words = line.split_whitespace().map(str::parse);
    let mut next = || words.next().context("too few sizes")?.context(line.to_owned());
    Ok([next()?, next()?, next()?])
}

/// No operation has a way to a panic; pointers to functions aside, which are those of a fallback
/// and those of C. The check of a geometry, which has one, shows that the
/// search finds.
fn no_panic(shell: &Shell, program: &Path) -> Result<()> {
    let image = Image::read(shell, program, &[])?;
    let panics = |name: &str| -> Result<bool> {
        image.function(name)?;
        Ok(image.reachable(name).iter().any(|callee| callee.contains("panic")))
    };
    ensure!(panics("tierpool_layout_of")?, "the search for panics finds none where there are some");
    // In a library without reserves these are one function, which is shown under one of its names.
    let one = ["tierpool_alloc", "tierpool_alloc_reserved"];
    ensure!(one.iter().any(|name| image.function(name).is_ok()), "no way to allocate");
    for name in functions(OPERATIONS) {
        if one.contains(&name.as_str()) && image.function(&name).is_err() {
            continue;
        }
        ensure!(!panics(&name)?, "{name} can panic");
    }
    Ok(())
}

/// The column of text in the table.
fn kept_sizes() -> Result<Vec<u64>> {
    let kept = report::kept(TABLE, COMMAND)?;
    let rows =
        kept.lines().skip(2).map(|line| line.split('|').nth(2).unwrap_or_default().trim().parse());
    rows.collect::<Result<_, _>>().with_context(|| format!("the table `{TABLE}` holds no sizes"))
}

/// Another release of the compiler may move them a little.
fn near(sizes: &[u64], kept: &[u64]) -> Result<()> {
    let close = |(size, kept): (&u64, &u64)| size * 100 <= kept * 103 && size * 100 >= kept * 90;
    let same = sizes.len() == kept.len() && sizes.iter().zip(kept).all(close);
    ensure!(same, "{sizes:?} bytes of text, the table `{TABLE}` says {kept:?}; {COMMAND} --keep");
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_near_those_on_record() {
        assert!(super::near(&[103, 95], &[100, 100]).is_ok());
        assert!(super::near(&[104], &[100]).is_err());
        assert!(super::near(&[89], &[100]).is_err());
        assert!(super::near(&[100], &[100, 100]).is_err());
    }
}
