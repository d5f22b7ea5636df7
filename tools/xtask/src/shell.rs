//! Runs programs on behalf of a step: one line of progress on a terminal, the output kept for when
//! it fails.

use anyhow::{Context, Result, bail};
use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write, pipe, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a finished program printed on standard output, and whether it was content.
pub struct Finished {
    pub success: bool,
    pub stdout: String,
    /// Standard output and standard error, as they came.
    pub all: String,
    pub how: String,
}

impl Finished {
    /// Runs a program to its end, whatever that is; for programs that run at the same time.
    pub fn of(command: &mut Command) -> Result<Finished> {
        let output = command
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {}", shown(command)))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let stdout = text(&output.stdout);
        let all = format!("$ {}\n{stdout}{}", shown(command), text(&output.stderr));
        Ok(Finished {
            success: output.status.success(),
            stdout,
            all,
            how: output.status.to_string(),
        })
    }
}

/// Where steps run their programs, and what the step at hand has printed and noted so far.
pub struct Shell {
    /// Stream what programs print.
    verbose: bool,
    /// `CI=true`: install what is missing.
    pub ci: bool,
    terminal: bool,
    label: RefCell<String>,
    started: Cell<Instant>,
    log: RefCell<String>,
    note: RefCell<String>,
    /// Tables to show when all steps are done.
    reports: RefCell<String>,
    /// Keep tables in the documents, too.
    pub keep: bool,
    /// Debian's package lists have been refreshed in this run.
    pub apt_updated: Cell<bool>,
}

impl Shell {
    pub fn new(verbose: bool, keep: bool) -> Shell {
        Shell {
            verbose,
            reports: RefCell::default(),
            keep,
            ci: std::env::var_os("CI").is_some_and(|value| value == "true"),
            terminal: stdout().is_terminal(),
            label: RefCell::default(),
            started: Cell::new(Instant::now()),
            log: RefCell::default(),
            note: RefCell::default(),
            apt_updated: Cell::new(false),
        }
    }

    /// The project's root.
    pub fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .expect("this is tools/xtask of the project")
    }

    /// Where builds go that must not meet the ordinary ones.
    pub fn scratch(name: &str) -> PathBuf {
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into());
        Shell::root().join(target).join(name)
    }

    /// The target triple of this machine.
    pub fn host(&self) -> Result<String> {
        let version = self.run(self.command("rustc").arg("-vV"))?.stdout;
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .context("rustc -vV names no host")?;
        Ok(host.to_owned())
    }

    /// A program to run in the project's root.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(Shell::root());
        command
    }

    /// The cargo that runs us, with these arguments.
    pub fn cargo<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = self.command(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        command.args(arguments);
        command
    }

    /// Debian's cargo and compiler, which build `core` for any target.
    pub fn debian_cargo(&self) -> Command {
        let mut cargo = self.command("/usr/bin/cargo");
        cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", "/usr/bin/rustc").env_remove("RUSTFLAGS");
        cargo
    }

    /// Runs a program to its end; an error when it cannot start or exits with anything but 0.
    pub fn run(&self, command: &mut Command) -> Result<Finished> {
        let finished = self.finish(command)?;
        if !finished.success {
            bail!("{} failed: {}", brief(command), finished.how);
        }
        Ok(finished)
    }

    /// Runs a program to its end and hands over each line of its standard output as it comes; an
    /// error as for [`run`](Self::run).
    pub fn run_by_line(
        &self,
        command: &mut Command,
        mut each: impl FnMut(&str) -> Result<()>,
    ) -> Result<()> {
        self.print(&format!("$ {}\n", shown(command)));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("cannot start {}", shown(command)))?;
        let lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        for line in lines {
            each(&line?)?;
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("{} failed: {status}", brief(command));
        }
        Ok(())
    }

    /// Runs a program that must fail and say `reason`: the proof that a check beside it can fail.
    /// Returns the line.
    pub fn run_failing(&self, command: &mut Command, reason: &str) -> Result<String> {
        let finished = self.finish(command)?;
        match finished.all.lines().find(|line| line.contains(reason)) {
            Some(line) if !finished.success => Ok(line.to_owned()),
            _ => bail!("{} should have failed with `{reason}`: {}", brief(command), finished.how),
        }
    }

    /// Runs a program to its end, whatever that is.
    fn finish(&self, command: &mut Command) -> Result<Finished> {
        self.print(&format!("$ {}\n", shown(command)));
        let (mut out_reader, out_writer) = pipe()?;
        let (mut err_reader, err_writer) = pipe()?;
        command.stdin(Stdio::null()).stdout(out_writer).stderr(err_writer);
        let spawned = command.spawn().with_context(|| format!("cannot start {}", shown(command)));
        // Our copies of the writing ends go with these, so that the readers see the end of the
        // program's.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = spawned?;

        let mut stdout = Vec::new();
        let mut all = Vec::new();
        let (sender, chunks) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            let to_main = sender.clone();
            scope
                .spawn(move || forward(&mut out_reader, |chunk| drop(to_main.send((true, chunk)))));
            scope
                .spawn(move || forward(&mut err_reader, |chunk| drop(sender.send((false, chunk)))));
            loop {
                match chunks.recv_timeout(Duration::from_millis(500)) {
                    Ok((is_stdout, chunk)) => {
                        if is_stdout {
                            stdout.extend_from_slice(&chunk);
                        }
                        self.print(&String::from_utf8_lossy(&chunk));
                        all.extend_from_slice(&chunk);
                    }
                    Err(std::sync::mpsc::RecvTimeoutError::Timeout) => self.tick(),
                    Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                }
            }
        });
        let status = child.wait()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Finished {
            success: status.success(),
            stdout: text(&stdout),
            all: text(&all),
            how: status.to_string(),
        })
    }

    /// A few words for the closing table.
    pub fn note(&self, note: impl Into<String>) {
        *self.note.borrow_mut() = note.into();
    }

    pub fn take_note(&self) -> String {
        self.note.take()
    }

    /// A table to show when all steps are done.
    pub fn report(&self, title: &str, table: &str) {
        *self.reports.borrow_mut() += &format!("\n{title}\n{table}");
    }

    pub fn take_reports(&self) -> String {
        self.reports.take()
    }

    /// A line about a part of a long step: in the progress line on a terminal, of its own when
    /// verbose.
    pub fn progress(&self, line: &str) {
        if self.terminal && !self.verbose {
            print!("\r\x1b[K{} … {line}", self.label.borrow());
            let _ = stdout().flush();
        } else {
            self.print(&format!("{line}\n"));
        }
    }

    /// Opens a step's progress line.
    pub fn begin(&self, label: String) {
        print!("{label} … {}", if self.verbose { "\n" } else { "" });
        let _ = stdout().flush();
        *self.label.borrow_mut() = label;
        self.started.set(Instant::now());
        self.log.take();
        self.note.take();
    }

    /// Closes it.
    pub fn end(&self, result: &str) {
        if self.verbose || self.terminal {
            let clear = if self.terminal { "\r\x1b[K" } else { "" };
            print!("{clear}{} … ", self.label.borrow());
        }
        println!("{result}");
    }

    /// On a terminal, the seconds so far in the progress line.
    fn tick(&self) {
        if self.terminal && !self.verbose {
            print!(
                "\r\x1b[K{} … {} s",
                self.label.borrow(),
                self.started.get().elapsed().as_secs()
            );
            let _ = stdout().flush();
        }
    }

    /// Adds to the step's log.
    pub fn print(&self, text: &str) {
        if self.verbose {
            print!("{text}");
            let _ = stdout().flush();
        } else {
            self.log.borrow_mut().push_str(text);
        }
        self.tick();
    }

    /// What the step has printed, unless it has been shown already.
    pub fn take_log(&self) -> String {
        self.log.take()
    }
}

/// Hands over what comes from a program until it closes its end.
fn forward(reader: &mut impl Read, mut hand_over: impl FnMut(Vec<u8>)) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = reader.read(&mut buffer) {
        hand_over(buffer[..length].to_vec());
    }
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        let value = value?;
        Some(format!("{}={} ", name.display(), value.display()))
    });
    let words = command.get_args().map(|word| format!(" {}", word.display()));
    variables.chain([program(command)]).chain(words).collect()
}

/// Its first two words.
fn brief(command: &Command) -> String {
    let first = command.get_args().next().unwrap_or_default();
    format!("`{} {}`", program(command), first.display())
}

fn program(command: &Command) -> String {
    let program = command.get_program();
    let ours = std::env::var_os("CARGO").is_some_and(|cargo| cargo == program);
    if ours { "cargo".into() } else { program.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_kept_apart_and_together() {
        let shell = Shell::new(false, false);
        let finished =
            shell.run(shell.command("sh").args(["-c", "echo out; echo err >&2"])).unwrap();
        assert_eq!(finished.stdout, "out\n");
        assert!(finished.all.contains("out\n") && finished.all.contains("err\n"));
    }

    #[test]
    fn lines_are_handed_over_one_by_one() {
        let shell = Shell::new(false, false);
        let mut lines = Vec::new();
        let mut keep = |line: &str| {
            lines.push(line.to_owned());
            Ok(())
        };
        shell.run_by_line(shell.command("sh").args(["-c", "echo a; echo b"]), &mut keep).unwrap();
        assert!(
            shell
                .run_by_line(shell.command("sh").args(["-c", "echo c; exit 1"]), &mut keep)
                .is_err()
        );
        assert_eq!(lines, ["a", "b", "c"]);
    }

    #[test]
    fn a_failing_program_is_an_error_or_the_aim() {
        let shell = Shell::new(false, false);
        let mut fail = shell.command("sh");
        fail.args(["-c", "echo no such luck >&2; exit 3"]);
        let error = shell.run(&mut fail).err().unwrap();
        assert_eq!(error.to_string(), "`sh -c` failed: exit status: 3");
        assert_eq!(shell.run_failing(&mut fail, "such luck").unwrap(), "no such luck");
        assert!(shell.run_failing(&mut fail, "other reason").is_err());
        assert!(shell.run_failing(&mut shell.command("true"), "").is_err());
        assert!(shell.run(&mut shell.command("/no/such/program")).is_err());
    }
}
