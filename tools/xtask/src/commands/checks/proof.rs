//! `cargo xtask proof`
//!
//! The proofs in `proof/`, for any number of threads and slots, checked by Coq with Iris.
//! `_CoqProject` names the files. Every `Theorem` is printed with what it assumes, and that has to
//! be nothing.

use crate::report::Table;
use crate::{shell::Shell, step::Step, tools::Tool};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::PathBuf;

pub fn steps() -> Vec<Step> {
    vec![
        Step::new("the proofs have no holes", holes),
        Step::new("the proofs hold", compile),
        Step::new("no theorem assumes anything", assumptions),
    ]
}

const COQ: Tool = Tool {
    name: "Coq and Iris",
    probe: &[
        "sh",
        "-c",
        "make --version && test -f \"$(coqc -where)/user-contrib/iris/heap_lang/adequacy.vo\"",
    ],
    bring: &["apt-get", "install", "-y", "--no-install-recommends", "coq", "libcoq-iris", "make"],
};

/// Words of Coq that take something for granted.
const GRANTED: [&str; 9] = [
    "Axiom",
    "Axioms",
    "Parameter",
    "Parameters",
    "Conjecture",
    "Hypothesis",
    "Admitted",
    "admit",
    "bypass_check",
];

/// A file of the proof, without `.v`, and its text.
struct Source {
    name: String,
    text: String,
}

/// All of them, in the order of `_CoqProject`.
fn sources() -> Result<Vec<Source>> {
    let folder = Shell::root().join("proof");
    let project = fs::read_to_string(folder.join("_CoqProject"))?;
    let mut sources = Vec::new();
    for name in project.lines().filter_map(|line| line.strip_suffix(".v")) {
        let text = fs::read_to_string(folder.join(format!("{name}.v")))
            .with_context(|| name.to_owned())?;
        sources.push(Source { name: name.into(), text });
    }
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let listed = sources.iter().any(|source| source.name == name);
        ensure!(
            listed || path.extension().is_none_or(|it| it != "v"),
            "{name}.v is not in proof/_CoqProject"
        );
    }
    Ok(sources)
}

/// The lines of a proof that take something for granted.
fn granted(text: &str) -> Vec<&str> {
    let words = |line: &str| {
        line.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| GRANTED.contains(&word))
    };
    text.lines().filter(|line| words(line)).collect()
}

/// The names of the theorems, in order.
fn theorems(text: &str) -> Vec<&str> {
    let after = text.lines().filter_map(|line| line.trim_start().strip_prefix("Theorem "));
    after.map(|rest| rest.split([' ', ':']).next().unwrap_or_default()).collect()
}

fn holes(shell: &Shell) -> Result<()> {
    let sources = sources()?;
    for source in &sources {
        let granted = granted(&source.text);
        ensure!(
            granted.is_empty(),
            "proof/{}.v takes for granted:\n{}",
            source.name,
            granted.join("\n")
        );
    }
    shell.note(format!("{} files", sources.len()));
    Ok(())
}

/// Where the files are compiled, so that none appears beside the sources.
fn scratch() -> PathBuf {
    Shell::scratch("proof")
}

fn compile(shell: &Shell) -> Result<()> {
    shell.need(&COQ)?;
    fs::create_dir_all(scratch())?;
    for source in sources()? {
        // What has not changed keeps its time, so that it is not compiled again.
        let path = scratch().join(format!("{}.v", source.name));
        if fs::read_to_string(&path).ok().as_ref() != Some(&source.text) {
            fs::write(path, source.text)?;
        }
    }
    fs::copy(Shell::root().join("proof/_CoqProject"), scratch().join("_CoqProject"))?;
    let mut command = shell.command("coq_makefile");
    shell.run(command.args(["-f", "_CoqProject", "-o", "Makefile"]).current_dir(scratch()))?;
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    shell.run(shell.command("make").arg(format!("-j{jobs}")).current_dir(scratch()))?;
    Ok(())
}

/// Asks Coq about each theorem.
fn assumptions(shell: &Shell) -> Result<()> {
    shell.need(&COQ)?;
    let sources = sources()?;
    let mut questions = String::new();
    for source in &sources {
        questions += &format!("From tierpool Require {}.\n", source.name);
    }
    for Source { name, text } in &sources {
        for theorem in theorems(text) {
            questions += &question(&format!("tierpool.{name}.{theorem}"));
        }
    }
    // That the answer can be another one.
    questions += &format!(
        "Axiom granted : False.\nTheorem planted : False.\nProof. exact granted. Qed.\n{}",
        question("planted")
    );
    fs::write(scratch().join("assumptions.v"), questions)?;
    let asked = shell
        .run(
            shell
                .command("coqc")
                .args(["-Q", ".", "tierpool", "assumptions.v"])
                .current_dir(scratch()),
        )?
        .stdout;
    let mut answers = answers(&asked);
    let planted = answers.pop().context("Coq has not answered")?;
    ensure!(
        planted.0 == "planted" && planted.1.contains("granted"),
        "a planted axiom is not noticed: {}",
        planted.1
    );

    let mut table = Table::new(&["theorem", "assumes"], 2);
    for (theorem, answer) in &answers {
        table.row([
            theorem.trim_start_matches("tierpool."),
            if closed(answer) { "nothing" } else { answer },
        ]);
    }
    shell.report("theorems (file.name)", &table.plain());
    let all: usize = sources.iter().map(|source| theorems(&source.text).len()).sum();
    ensure!(answers.len() == all, "{} answers to {all} questions", answers.len());
    let open: Vec<_> = answers.iter().filter(|(_, answer)| !closed(answer)).collect();
    ensure!(open.is_empty(), "theorems with assumptions: {open:#?}");
    shell.note(format!("{all} theorems"));
    Ok(())
}

fn question(theorem: &str) -> String {
    format!("Goal True. idtac \"theorem {theorem}\". Abort.\nPrint Assumptions {theorem}.\n")
}

/// Each theorem with what Coq has answered.
fn answers(asked: &str) -> Vec<(&str, &str)> {
    let parts = asked.split("theorem ").skip(1);
    parts
        .filter_map(|part| part.split_once('\n'))
        .map(|(theorem, answer)| (theorem.trim(), answer.trim()))
        .collect()
}

fn closed(answer: &str) -> bool {
    answer == "Closed under the global context"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_and_what_is_claimed() {
        assert_eq!(
            granted("Lemma a : b.\nProof. admit. Admitted.\n  Axiom c : d.\n(* admits *)"),
            ["Proof. admit. Admitted.", "  Axiom c : d."]
        );
        assert_eq!(theorems("Lemma a : b.\n  Theorem c x : d.\nTheorem e: f."), ["c", "e"]);
    }

    #[test]
    fn answers_of_coq() {
        let asked =
            "theorem a.b\nClosed under the global context\ntheorem c\nAxioms:\ngranted : False\n";
        let answers = answers(asked);
        assert_eq!(
            answers,
            [("a.b", "Closed under the global context"), ("c", "Axioms:\ngranted : False")]
        );
        assert!(closed(answers[0].1) && !closed(answers[1].1));
    }
}
