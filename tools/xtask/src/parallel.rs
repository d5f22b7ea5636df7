//! Work on many items at a time.

use crate::shell::{Finished, Shell};
use anyhow::{Result, bail};
use std::process::Command;
use std::sync::{Mutex, mpsc};
use std::thread;

/// Does `work` for all items, as many at a time as there are cores, in their order; shows a line
/// for each that is done. The results come in the items' order.
pub fn in_parallel<T: Sync, R: Send>(
    shell: &Shell,
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
    line: impl Fn(&T, &Result<R>) -> String,
) -> Vec<Result<R>> {
    let next = Mutex::new(0..items.len());
    let mut results: Vec<_> = items.iter().map(|_| None).collect();
    thread::scope(|scope| {
        let (sender, done) = mpsc::channel();
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let Some(index) = next.lock().expect("no worker panics").next() else { break };
                    if sender.send((index, work(&items[index]))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (count, (index, result)) in done.iter().enumerate() {
            shell.progress(&format!(
                "[{:>3}/{}] {}",
                count + 1,
                items.len(),
                line(&items[index], &result)
            ));
            results[index] = Some(result);
        }
    });
    results.into_iter().map(|result| result.expect("every item is worked on")).collect()
}

/// Runs named programs to their end, as many at a time as there are cores; an error when one cannot
/// start or exits with anything but 0. What they print comes in their order.
pub fn run_all(shell: &Shell, commands: Vec<(String, Command)>) -> Result<Vec<Finished>> {
    let commands: Vec<_> =
        commands.into_iter().map(|(name, command)| (name, Mutex::new(command))).collect();
    let run = |(_, command): &(String, Mutex<Command>)| {
        Finished::of(&mut command.lock().expect("each is run once"))
    };
    let finished = in_parallel(shell, &commands, run, |(name, _), _| name.clone());
    commands
        .iter()
        .zip(finished)
        .map(|((name, _), finished)| {
            let finished = finished?;
            shell.print(&finished.all);
            if !finished.success {
                bail!("{name} failed: {}", finished.how);
            }
            Ok(finished)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_programs_run_and_one_may_fail() {
        let shell = Shell::new(false, false);
        let echo = |word: &str| {
            let mut command = shell.command("sh");
            command.args(["-c", &format!("echo {word}; test {word} != c")]);
            (word.to_owned(), command)
        };
        let finished = run_all(&shell, vec![echo("a"), echo("b")]).unwrap();
        let printed: Vec<_> = finished.iter().map(|finished| finished.stdout.as_str()).collect();
        assert_eq!(printed, ["a\n", "b\n"]);
        let error = run_all(&shell, vec![echo("a"), echo("c")]).err().unwrap();
        assert_eq!(error.to_string(), "c failed: exit status: 1");
    }
}
