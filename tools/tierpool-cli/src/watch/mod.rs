//! `tierpool watch`: what the pools of a device do, out of its log.
//!
//! ```text
//!   log ──► parse ──► model ──┬─► view   bars in the terminal
//!                             ├─► text   a line a second where there is none, or CSV
//!                             └─► page   one HTML file, at the end
//! ```

mod model;
mod page;
mod parse;
mod snapshot;
mod text;
mod view;

use crate::advised;
use crate::input::{Input, Lines, News};
use crate::stop;
use anyhow::{Context, Result, anyhow};
use clap::Args;
use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use model::Model;
use parse::Parser;
use snapshot::Clock;
use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often a screen is drawn.
const FRAME: Duration = Duration::from_millis(100);
/// How long to wait for a key. Without waiting, crossterm does not look at the terminal at all.
const KEYS: Duration = Duration::from_millis(1);
/// How often a line is printed where there is no screen.
const SECOND: Duration = Duration::from_secs(1);

/// Shows the pools of a device live, out of its log
///
/// Reads what `{}` and `{:#}` of `Pool::stats` print, with any logger's prefix, and
/// `Pool::histogram`; with the feature `names` several pools, with `track` who holds what. Where
/// standard output is no terminal, it prints a line a second.
#[derive(Args)]
#[command(after_help = "\
Examples:
  espflash monitor | tierpool watch
  espflash monitor > serial.log                          in one terminal, and in another:
  tierpool watch serial.log --html pools.html            until q or Ctrl-C, then the page is written
  tierpool watch serial.log --once --csv > pools.csv     what is in the log
  tierpool watch serial.log --once --html pools.html")]
pub struct Options {
    #[command(flatten)]
    input: Input,

    /// Print a line of comma-separated values for each tier of each snapshot
    #[arg(long)]
    csv: bool,

    /// At the end, write a page with charts into this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub fn run(options: &Options) -> Result<()> {
    let mut watch = Watch::new(&options.input)?;
    stop::on_ctrl_c()?;
    if options.csv || options.input.once || !stdout().is_terminal() {
        watch.print(&mut stdout(), options.csv, SECOND)?;
        if watch.model.snapshots == 0 {
            return Err(advised(
                anyhow!("no statistics in {} lines", watch.count),
                "let the device print them, for example once a second: println!(\"{}\", RX.stats())",
            ));
        }
    } else {
        watch.show()?;
    }
    if let Some(path) = &options.html {
        let log = options.input.log.as_ref();
        let name = log.map_or_else(|| "standard input".into(), |log| log.display().to_string());
        let page = page::page(&watch.model, &name)?;
        std::fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))?;
        eprintln!("{}: the page", path.display());
    }
    if watch.model.damaged > 0 {
        eprintln!("damaged, and left out: {} texts", watch.model.damaged);
    }
    Ok(())
}

/// A log that is being read.
struct Watch {
    lines: Lines,
    parser: Parser,
    model: Model,
    /// When reading began; none for a log that is there as a whole.
    started: Option<Instant>,
    /// Lines that were read.
    count: u32,
}

impl Watch {
    fn new(input: &Input) -> Result<Self> {
        let lines = input.lines()?;
        let (clock, started) = match input.once {
            true => (Clock::Lines, None),
            false => (Clock::Arrival, Some(Instant::now())),
        };
        let (parser, model) = (Parser::new(clock), Model::default());
        Ok(Watch { lines, parser, model, started, count: 0 })
    }

    /// Reads for at most so long: whether the log goes on. `each` is told the pool of each
    /// snapshot.
    fn read(
        &mut self,
        time: Duration,
        mut each: impl FnMut(&Model, usize) -> Result<()>,
    ) -> Result<bool> {
        let end = Instant::now() + time;
        loop {
            match self.lines.next(end.saturating_duration_since(Instant::now()))? {
                News::Line(line) => {
                    self.count += 1;
                    let at = match self.started {
                        Some(started) => started.elapsed().as_secs_f64(),
                        None => self.count.into(),
                    };
                    for report in self.parser.line(&line, at) {
                        if let Some(pool) = self.model.take(report) {
                            each(&self.model, pool)?;
                        }
                    }
                    // However fast lines come, the screen is drawn.
                    if Instant::now() >= end {
                        return Ok(true);
                    }
                }
                News::Nothing => return Ok(true),
                News::End => {
                    if let Some(report) = self.parser.end() {
                        self.model.take(report);
                    }
                    return Ok(false);
                }
            }
        }
    }

    /// Prints lines: of CSV for each snapshot, else one now and then for each pool that has news.
    fn print(&mut self, out: &mut impl Write, csv: bool, every: Duration) -> Result<()> {
        const FAILED: &str = "cannot write to standard output";
        if csv {
            writeln!(out, "{}", text::HEADINGS).context(FAILED)?;
        }
        let mut goes_on = true;
        while goes_on && !stop::asked() {
            let mut news = Vec::new();
            goes_on = self.read(every, |model, pool| {
                if csv {
                    for row in text::csv(&model.pools[pool]) {
                        writeln!(out, "{row}").context(FAILED)?;
                    }
                } else if !news.contains(&pool) {
                    news.push(pool);
                }
                Ok(())
            })?;
            for pool in news {
                writeln!(out, "{}", text::line(&self.model.pools[pool])).context(FAILED)?;
            }
            out.flush().context(FAILED)?;
        }
        Ok(())
    }

    /// Shows a screen.
    fn show(&mut self) -> Result<()> {
        let mut terminal = ratatui::try_init().context("cannot use the terminal")?;
        let shown = self.draw_on(&mut terminal);
        ratatui::try_restore().context("cannot give the terminal back")?;
        shown?;
        // What the screen showed last stays in sight.
        for pool in &self.model.pools {
            println!("{}", text::line(pool));
        }
        Ok(())
    }

    /// Until q is pressed, or the log ends.
    fn draw_on(&mut self, terminal: &mut ratatui::DefaultTerminal) -> Result<()> {
        let (mut scroll, mut most) = (0_u16, 0);
        loop {
            terminal
                .draw(|frame| most = view::draw(frame, &self.model, scroll))
                .context("cannot draw")?;
            // A program before this one in the pipe may have the key that ends both.
            if !self.read(FRAME, |_, _| Ok(()))? || stop::asked() {
                return Ok(());
            }
            while event::poll(KEYS).context("cannot read keys")? {
                let Event::Key(key) = event::read().context("cannot read keys")? else { continue };
                if key.kind != KeyEventKind::Press {
                    continue;
                }
                match key.code {
                    KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                    KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                        return Ok(());
                    }
                    KeyCode::Up => scroll = scroll.saturating_sub(1),
                    KeyCode::Down => scroll = scroll.saturating_add(1).min(most),
                    KeyCode::PageUp => scroll = scroll.saturating_sub(10),
                    KeyCode::PageDown => scroll = scroll.saturating_add(10).min(most),
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(log: &str, csv: bool) -> (String, Model) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, log).unwrap();
        let input = Input { log: Some(path), once: true };
        let mut watch = Watch::new(&input).unwrap();
        let mut out = Vec::new();
        watch.print(&mut out, csv, Duration::from_secs(20)).unwrap();
        (String::from_utf8(out).unwrap(), watch.model)
    }

    #[test]
    fn without_a_terminal_there_are_lines() {
        tierpool::pool! {
            static RX = [64 x 4];
            static TX = [512 x 2];
        }
        let _held = RX.alloc(1);
        let at = |second: u64, text: String| format!("I ({}) app: {text}\n", second * 1000);
        let mut log = at(1, RX.stats().to_string()) + &at(1, TX.stats().to_string());
        (0..20).for_each(|_| drop(RX.alloc(1)));
        log += &at(3, RX.stats().to_string());
        let (lines, model) = watched(&log, false);
        assert_eq!(
            lines.lines().collect::<Vec<_>>(),
            [
                "RX  10.0 requests/s  0.0 misses/s  hit rate 100.0 %  64: 1/4 (peak 1)",
                "TX  0 requests  0 misses  hit rate 100.0 %  512: 0/2 (peak 0)"
            ]
        );
        assert_eq!(model.snapshots, 3);
        let (csv, _) = watched(&log, true);
        let rows: Vec<&str> = csv.lines().collect();
        assert_eq!(rows.len(), 1 + 3);
        assert_eq!((rows[0], rows[3]), (text::HEADINGS, "3.000,RX,21,21,0,0,64,4,1,,,,"));
    }

    #[test]
    fn a_log_without_statistics_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, "boot\nI (1) wifi: connected\n").unwrap();
        let input = Input { log: Some(log), once: true };
        let error = run(&Options { input, csv: false, html: None }).unwrap_err().to_string();
        assert!(
            error.starts_with("no statistics in 2 lines\nhelp: let the device print"),
            "{error}"
        );
    }

    #[test]
    fn a_table_without_its_end_is_damaged() {
        tierpool::pool! { static RX = [64 x 4]; }
        let begun = format!("{:#}", RX.stats());
        let (lines, model) = watched(begun.split_once("requests").unwrap().0, false);
        assert_eq!((lines.as_str(), model.damaged, model.snapshots), ("", 1, 0));
    }
}
