//! The generated header, and the examples in it and in the README.

use super::programs::{Language, build, run};
use crate::shell::Shell;
use anyhow::{Context, Result, ensure};
use std::fmt::Write;
use std::fs;

const HEADER: &str = "bindings/c/include/tierpool.h";
const README: &str = "bindings/c/README.md";

/// The header is what the sources say; with `--keep`, it is made so.
pub fn up_to_date(shell: &Shell) -> Result<()> {
    let made = shell.run(&mut shell.cargo(["run", "--package", "tierpool-capi-header"]))?.stdout;
    let path = Shell::root().join(HEADER);
    if shell.keep {
        fs::write(&path, &made)?;
    }
    ensure!(
        fs::read_to_string(&path)? == made,
        "{HEADER} is not what bindings/c/src says; cargo xtask capi --keep"
    );
    let functions =
        made.lines().filter(|line| !line.trim_start().starts_with('*') && line.ends_with(");"));
    shell.note(format!("{} functions", functions.count()));
    Ok(())
}

/// The examples in the header, each a function that is called once; those in the README, each a
/// program.
pub fn examples(shell: &Shell) -> Result<()> {
    let folder = Shell::scratch("capi");
    fs::create_dir_all(&folder)?;
    let header = fs::read_to_string(Shell::root().join(HEADER))?;
    let comments: String = header
        .lines()
        .map(|line| line.trim_start().trim_start_matches("* ").to_owned() + "\n")
        .collect();
    let in_header = blocks(&comments, "c");
    ensure!(in_header.len() > 20, "{} examples in {HEADER}", in_header.len());
    let path = folder.join("header-examples.c");
    fs::write(&path, functions(&in_header)?)?;
    // An example may show how a variable comes to be, and do nothing with it.
    let unused = ["-Wno-unused-variable", "-Wno-unused-but-set-variable", "-Wno-unused-parameter"];
    run(shell, &build(shell, Language::C, &path, &unused)?, &[])?;

    let readme = fs::read_to_string(Shell::root().join(README)).context(README)?;
    let mut programs = 0;
    for (language, tag) in [(Language::C, "c"), (Language::Cpp, "cpp")] {
        let in_readme = blocks(&readme, tag);
        ensure!(!in_readme.is_empty(), "{README} has no example of {tag}");
        for (index, text) in in_readme.iter().enumerate() {
            let path = folder.join(format!("readme-{index}.{tag}"));
            fs::write(&path, text)?;
            run(shell, &build(shell, language, &path, &[])?, &[])?;
            programs += 1;
        }
    }
    shell.note(format!("{} in the header, {programs} in the README", in_header.len()));
    Ok(())
}

/// What stands between "```TAG" and "```".
fn blocks(text: &str, tag: &str) -> Vec<String> {
    let opening = format!("```{tag}");
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while lines.any(|line| line == opening) {
        let block = lines.by_ref().take_while(|line| *line != "```");
        blocks.push(block.map(|line| line.to_owned() + "\n").collect());
    }
    blocks
}

/// A program that calls each example with a pool, a packet and a received frame.
fn functions(examples: &[String]) -> Result<String> {
    let mut text = String::from(
        "#include <assert.h>\n#include <stdio.h>\n#include <string.h>\n#include \"tierpool.h\"\n\
         TIERPOOL_DEFAULT_MEMORY(memory_of_all);\n\
         static size_t current_core(void) {\n    return 0;\n}\n\
         static void wake(tierpool_pool *pool) {\n    (void)pool;\n}\n\
         static void low(tierpool_pool *pool, size_t bytes) {\n    (void)pool;\n    (void)bytes;\n}\n\
         static void *psram_alloc(void *context, size_t bytes, size_t align) {\n\
         \x20   (void)context, (void)bytes, (void)align;\n    return NULL;\n}\n\
         static void psram_free(void *context, void *memory, size_t bytes, size_t align) {\n\
         \x20   (void)context, (void)memory, (void)bytes, (void)align;\n}\n",
    );
    for (index, example) in examples.iter().enumerate() {
        let parameters =
            "tierpool_pool *pool, tierpool_bytes *packet, const uint8_t *received, size_t length";
        writeln!(text, "static void example_{index}({parameters}) {{\n{example}}}\n")?;
    }
    text += "int main(void) {\n    tierpool_pool *pool;\n    tierpool_bytes packet;\n    const uint8_t received[] = \"a frame from the radio\";\n";
    text += "    assert(tierpool_init(NULL, &memory_of_all, &pool) == TIERPOOL_OK);\n";
    for index in 0..examples.len() {
        writeln!(
            text,
            "    assert(tierpool_bytes_copy(pool, received, sizeof received, &packet) == TIERPOOL_OK);"
        )?;
        writeln!(text, "    example_{index}(pool, &packet, received, sizeof received);")?;
        writeln!(
            text,
            "    tierpool_bytes_release(&packet);\n    assert(tierpool_is_idle(pool));"
        )?;
    }
    Ok(text + "}\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn blocks_by_their_tags() {
        let text = "x\n```c\na;\nb;\n```\n```cpp\nc;\n```\n```c\nd;\n```\n";
        assert_eq!(super::blocks(text, "c"), ["a;\nb;\n", "d;\n"]);
        assert_eq!(super::blocks(text, "cpp"), ["c;\n"]);
    }
}
