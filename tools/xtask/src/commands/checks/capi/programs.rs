//! Programs of C and C++ that link the static library: how they are built and run, and those in
//! `bindings/c/tests`.

use crate::parallel::run_all;
use crate::shell::{Finished, Shell};
use crate::tools::{CLANG, COMPILERS};
use anyhow::{Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const WARNINGS: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"];
const SANITIZERS: [&str; 3] = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

#[derive(Clone, Copy)]
pub enum Language {
    C,
    Cpp,
}

/// Geometry, memory and handles from C. AddressSanitizer knows which slots are free.
pub fn c(shell: &Shell) -> Result<()> {
    shell.need(&COMPILERS)?;
    let library = library(shell, &["--features", "asan"])?;
    for name in [
        "pool.c",
        "bytes.c",
        "room.c",
        "beside.c",
        "lanes.c",
        "reserve.c",
        "fallback.c",
        "static.c",
    ] {
        run(shell, &compile(shell, Language::C, &test(name), &[], &library)?, &[])?;
    }
    let poisoned = compile(shell, Language::C, &test("poison.c"), &[], &library)?;
    run(shell, &poisoned, &[])?;
    for wrong in ["raw", "bytes", "wiped"] {
        shell.run_failing(program(shell, &poisoned).arg(wrong), "use-after-poison")?;
    }
    shell
        .note("pool, bytes, room, fallback, static, no lanes, no reserve; AddressSanitizer, UBSan");
    Ok(())
}

/// Its own, and those of the library's features that make a pool larger, and ask nothing of who links.
/// (That it compiles with all, clippy shows.)
const LARGER: &str = "lanes,reserve,histogram,tierpool/names,tierpool/std,tierpool/wait";

/// Where something in the workspace turns on such features, the C library is built with them: the
/// header's sizes follow, and the sizes without are too small. Pools with lanes, from C and C++, and
/// with a reserve.
pub fn features(shell: &Shell) -> Result<()> {
    shell.need(&COMPILERS)?;
    let library = library(shell, &["--features", LARGER])?;
    let built = |language, name: &str, flags: &[&str]| {
        compile(shell, language, &test(name), flags, &library)
    };
    let larger = ["-DTIERPOOL_HISTOGRAM", "-DTIERPOOL_RESERVE"];
    run(shell, &built(Language::C, "pool.c", &larger)?, &[])?;
    run(shell, &built(Language::C, "lanes.c", &[&larger[..], &["-DWITH_LANES"]].concat())?, &[])?;
    let with_reserve = [&larger[..], &["-DWITH_RESERVE"]].concat();
    run(shell, &built(Language::C, "reserve.c", &with_reserve)?, &[])?;
    run(shell, &built(Language::C, "static.c", &larger)?, &[])?;
    run(shell, &built(Language::Cpp, "lanes.cpp", &larger)?, &[])?;
    let too_small = built(Language::C, "pool.c", &[])?;
    shell.run_failing(&mut program(shell, &too_small), "not so: layout.control_bytes <=")?;
    shell.note("pool, with the histogram; lanes; reserve");
    Ok(())
}

/// The C++ header over them: with and without exceptions, and as the standard after the one that it
/// needs.
pub fn cpp(shell: &Shell) -> Result<()> {
    let without: &[&str] = &["-fno-exceptions", "-fno-rtti"];
    let builds: [(&str, &[&str]); 14] = [
        ("arduino.cpp", &[]),
        ("containers.cpp", &[]),
        ("bytes.cpp", &[]),
        ("bytes.cpp", without),
        ("no_exceptions.cpp", without),
        ("bytes.cpp", &["-std=c++20"]),
        ("static.cpp", &[]),
        ("static.cpp", &["-std=c++20"]),
        ("bytes_buffer_pool.cpp", &["-std=c++11"]),
        ("bytes_buffer_pool.cpp", &["-DFIELD"]),
        ("checked.cpp", &[]),
        ("new.cpp", &[]),
        ("new.cpp", &["-std=c++11"]),
        ("new.cpp", without),
    ];
    shell.need(&COMPILERS)?;
    let library = library(shell, &[])?;
    let mut compilers = Vec::new();
    let mut programs = Vec::new();
    for (name, flags) in builds {
        let (compiler, path) = compiler(shell, Language::Cpp, &test(name), flags, &library)?;
        compilers.push((format!("{name} {}", flags.join(" ")), compiler));
        programs.push((name.to_owned(), program(shell, &path)));
    }
    run_all(shell, compilers)?;
    run_all(shell, programs)?;
    // An older standard is one error, and not as many as there are uses of this one.
    let old =
        "c++ -std=c++14 -fsyntax-only -x c++ bindings/c/include/tierpool.hpp 2>&1 | grep error:";
    let said = shell.run(shell.command("sh").args(["-c", old]))?.stdout;
    ensure!(said.lines().count() == 1 && said.contains("tierpool.hpp needs C++17"), "{said}");
    shell.note("containers, bytes, static pools, BytesBufferPool, checked, new, no exceptions");
    Ok(())
}

/// Compilers and standards under which the headers have no warning, of C and of C++.
const C_STANDARDS: [&str; 3] = ["c11", "c17", "c2x"];
const CPP_STANDARDS: [&str; 5] = ["c++11", "c++14", "c++17", "c++20", "c++2b"];
const MORE_WARNINGS: [&str; 2] = ["-Wshadow", "-fsyntax-only"];

/// Both compilers read the headers by each standard, with more warnings than the tests.
pub fn warnings(shell: &Shell) -> Result<()> {
    shell.need(&COMPILERS)?;
    shell.need(&CLANG)?;
    let mut count = 0;
    let mut read = |compiler: &str, standard: &str, source: &str, flags: &[&str]| {
        let mut command = shell.command(compiler);
        command.arg(format!("-std={standard}")).args(WARNINGS).args(MORE_WARNINGS).args(flags);
        count += 1;
        shell.run(command.arg("-Ibindings/c/include").arg(test(source))).map(|_| ())
    };
    for (c, cpp) in [("gcc", "g++"), ("clang", "clang++")] {
        for standard in C_STANDARDS {
            read(c, standard, "warnings.c", &[])?;
        }
        for standard in CPP_STANDARDS {
            read(cpp, standard, "warnings.c", &["-Wold-style-cast", "-x", "c++"])?;
            for without in [&[][..], &["-fno-exceptions", "-fno-rtti"]] {
                let flags = [&["-Wold-style-cast"], without].concat();
                read(cpp, standard, "warnings.cpp", &flags)?;
            }
        }
    }
    shell.note(format!("{count} readings by GCC and Clang"));
    Ok(())
}

/// The trace of a Reticulum node; a block that is kept and a write past one of malloc's must be
/// noticed.
pub fn replay(shell: &Shell) -> Result<()> {
    let trace = Shell::scratch("capi").join("reticulum-transport.trace");
    fs::create_dir_all(Shell::scratch("capi"))?;
    let unpack = [
        "run",
        "--package",
        "tierpool-traces",
        "--",
        "unpack",
        "tools/traces/data/reticulum-transport.tpt",
    ];
    shell.run(shell.cargo(unpack).arg(&trace))?;

    let replay = build(shell, Language::Cpp, &test("replay.cpp"), &["-O1"])?;
    let printed = run(shell, &replay, &[&trace])?.stdout;
    shell.run_failing(
        program(shell, &replay).arg(&trace).arg("leak"),
        "not so: tierpool_is_idle(pool)",
    )?;
    shell
        .run_failing(program(shell, &replay).arg(&trace).arg("overrun"), "heap-buffer-overflow")?;
    shell.note(printed.trim());
    Ok(())
}

pub fn test(name: &str) -> PathBuf {
    Shell::root().join("bindings/c/tests").join(name)
}

/// Compiles a program and links the static library.
pub fn build(shell: &Shell, language: Language, source: &Path, flags: &[&str]) -> Result<PathBuf> {
    shell.need(&COMPILERS)?;
    compile(shell, language, source, flags, &library(shell, &[])?)
}

/// The static library for this machine, built with its debug assertions.
fn library(shell: &Shell, arguments: &[&str]) -> Result<PathBuf> {
    shell.run(shell.cargo(["build", "--package", "tierpool-capi"]).args(arguments))?;
    Ok(Shell::scratch("debug").join("libtierpool_capi.a"))
}

fn compile(
    shell: &Shell,
    language: Language,
    source: &Path,
    flags: &[&str],
    library: &Path,
) -> Result<PathBuf> {
    let (mut compiler, program) = compiler(shell, language, source, flags, library)?;
    shell.run(&mut compiler)?;
    Ok(program)
}

/// The command that compiles and links a program, and where the program is then.
fn compiler(
    shell: &Shell,
    language: Language,
    source: &Path,
    flags: &[&str],
    library: &Path,
) -> Result<(Command, PathBuf)> {
    let folder = Shell::scratch("capi");
    fs::create_dir_all(&folder)?;
    let name = source.file_name().unwrap_or_default();
    let program = folder.join(name).with_added_extension(flags.concat() + "program");
    let (name, standard) = match language {
        Language::C => ("cc", "-std=c11"),
        Language::Cpp => ("c++", "-std=c++17"),
    };
    let mut compiler = shell.command(name);
    compiler.arg(standard).args(WARNINGS).args(SANITIZERS).args(flags);
    compiler.arg("-Ibindings/c/include").arg(source).arg(library);
    compiler.arg("-o").arg(&program).args(["-lpthread", "-ldl", "-lm"]);
    Ok((compiler, program))
}

pub fn run(shell: &Shell, path: &Path, arguments: &[&Path]) -> Result<Finished> {
    shell.run(program(shell, path).args(arguments))
}

/// A program, in which malloc returns null where it has no memory, as the standard wants it.
fn program(shell: &Shell, path: &Path) -> Command {
    let mut command = shell.command(path);
    command.env("ASAN_OPTIONS", "allocator_may_return_null=1");
    command
}
