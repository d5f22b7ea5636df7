//! The pools in a terminal.
//!
//! ```text
//! RX                        hit rate 99.1 %   120.0 requests/s   0.5 misses/s
//!    256  ████████░░░│░░░░   8/16   peak 12        served  12000   missed 3
//!    512  ██████████████████ 16/16  peak 16        …
//!   held     bytes   oldest  by
//!      1       256    12005  reassembly
//! ```

use super::model::{Model, Pool};
use super::snapshot::Tier;
use super::text;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Paragraph;

/// The width of a bar, in cells.
const BAR: u64 = 30;
/// Holders shown of a pool.
const MOST_HOLDERS: usize = 5;
/// Sizes shown of a histogram: those that are asked for most.
const MOST_SIZES: usize = 5;

/// Draws all pools; what does not fit is reached by `scroll`, in lines. Gives the largest `scroll`
/// that is of use.
pub fn draw(frame: &mut Frame<'_>, model: &Model, scroll: u16) -> u16 {
    let area = frame.area();
    let [mut body, mut foot] = [area, area];
    foot.height = area.height.min(1);
    foot.y = area.bottom() - foot.height;
    body.height -= foot.height;
    let lines = lines(model);
    let most = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(body.height);
    let scroll = scroll.min(most);
    frame.render_widget(Paragraph::new(Text::from(lines)).scroll((scroll, 0)), body);
    frame.render_widget(Paragraph::new(footer(model, most)), foot);
    cut_marks(frame, body, scroll, most);
    most
}

/// Says at the edges that there is more.
fn cut_marks(frame: &mut Frame<'_>, body: Rect, scroll: u16, most: u16) {
    let mut mark = |y: u16, sign: &'static str| {
        if body.width > 0 && body.height > 0 {
            frame.render_widget(Span::raw(sign).bold(), Rect::new(body.right() - 1, y, 1, 1));
        }
    };
    if scroll > 0 {
        mark(body.y, "▲");
    }
    if scroll < most {
        mark(body.bottom().saturating_sub(1), "▼");
    }
}

fn footer(model: &Model, most: u16) -> Line<'static> {
    let mut words = format!("{} snapshots", model.snapshots);
    if model.damaged > 0 {
        words += &format!("  {} damaged", model.damaged);
    }
    words += "  q: quit";
    if most > 0 {
        words += "  ↑ ↓: scroll";
    }
    Line::from(words).style(Style::new().reversed())
}

fn lines(model: &Model) -> Vec<Line<'static>> {
    if model.pools.is_empty() {
        return vec![
            Line::from("No statistics yet."),
            Line::from(
                "The device prints them, for example once a second: println!(\"{}\", RX.stats())",
            ),
        ];
    }
    let mut lines = Vec::new();
    for pool in &model.pools {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(of_pool(pool));
    }
    lines
}

fn of_pool(pool: &Pool) -> Vec<Line<'static>> {
    let mut lines = vec![Line::from(vec![
        Span::raw(pool.name.clone()).bold(),
        Span::raw(format!("  hit rate {:.1} %  {}", pool.now.hit_rate(), text::rates(pool))),
    ])];
    let wide = |of: fn(&Tier) -> u64| {
        pool.now.tiers.iter().map(|tier| of(tier).to_string().len()).max().unwrap_or(0)
    };
    let (bytes, slots) = (wide(|tier| tier.bytes).max(5), wide(|tier| tier.slots));
    for ((tier, &peak), counts) in pool.now.tiers.iter().zip(&pool.peaks).zip(&pool.counts) {
        let mut spans = vec![Span::raw(format!("{:>bytes$}  ", tier.bytes))];
        spans.extend(bar(tier.in_use, peak, tier.slots));
        let about = if tier.exact { "" } else { "~" };
        let width = slots + 1;
        let in_use = format!("{about}{}", tier.in_use);
        spans.push(Span::raw(format!("  {in_use:>width$}/{:<slots$}  ", tier.slots)));
        let at_most = counts.is_some_and(|counts| counts.at_most);
        spans.push(Span::raw(format!("peak {}{peak:<slots$}", if at_most { "<=" } else { "" })));
        if let Some(counts) = counts {
            spans.push(Span::raw(format!("  served {}", counts.served)));
            let missed = Span::raw(format!("  missed {}", counts.missed));
            spans.push(if counts.missed > 0 { missed.yellow() } else { missed });
            if counts.cached > 0 {
                spans.push(Span::raw(format!("  cached {}", counts.cached)));
            }
        }
        if let Some(reserve) = tier.reserve {
            spans.push(Span::raw(format!("  reserve {}/{}", reserve.in_use, reserve.slots)));
        }
        lines.push(Line::from(spans));
    }
    if let Some(sums) = pool.sums
        && (pool.now.misses > 0 || pool.now.fallbacks > 0)
    {
        lines.push(Line::from(format!(
            "       exhausted {}  oversized {}  from the fallback {} (now {})",
            sums.exhausted, sums.oversized, pool.now.fallbacks, sums.fallback_live
        )));
    }
    lines.extend(held(pool));
    lines.extend(sizes(pool));
    if pool.restarts > 0 {
        lines.push(Line::from(format!("       the device started again {} times", pool.restarts)));
    }
    lines
}

/// Slots in use, and a mark at the peak.
fn bar(in_use: u64, peak: u64, slots: u64) -> Vec<Span<'static>> {
    // A slot in use is seen, however many there are.
    let cells = |count: u64| count.saturating_mul(BAR).div_ceil(slots.max(1)).min(BAR) as usize;
    let (full, mark) = (cells(in_use), cells(peak));
    let colour = if in_use == slots { Color::Red } else { Color::Green };
    let mut rest = vec!["░"; BAR as usize - full];
    if mark > full {
        rest[mark - full - 1] = "│";
    }
    vec![Span::raw("█".repeat(full)).fg(colour), Span::raw(rest.concat())]
}

/// Who holds what, the oldest first.
fn held(pool: &Pool) -> Vec<Line<'static>> {
    if pool.holders.is_empty() {
        return Vec::new();
    }
    let mut lines =
        vec![Line::from(format!("{:>6} {:>9} {:>13}  held by", "held", "bytes", "oldest"))];
    for holder in pool.holders.iter().take(MOST_HOLDERS) {
        let [bytes, age] = holder
            .bytes_and_age
            .map_or_else(Default::default, |(bytes, age)| [bytes.to_string(), age.to_string()]);
        lines.push(Line::from(format!(
            "{:>6} {bytes:>9} {age:>13}  {}",
            holder.buffers, holder.name
        )));
    }
    let more = pool.holders.len().saturating_sub(MOST_HOLDERS);
    if more > 0 {
        lines.push(Line::from(format!("       and {more} more")));
    }
    lines
}

/// What is asked for most, if the device printed a histogram.
fn sizes(pool: &Pool) -> Option<Line<'static>> {
    let histogram = pool.histogram.as_ref()?;
    let mut asked = histogram.asked.clone();
    asked.sort_by_key(|&(size, requests)| (std::cmp::Reverse(requests), size));
    let most: Vec<String> = asked
        .iter()
        .take(MOST_SIZES)
        .map(|(size, requests)| {
            let share = 100.0 * *requests as f64 / histogram.requests.max(1) as f64;
            format!("up to {size}: {share:.0} %")
        })
        .collect();
    Some(Line::from(format!("       asked for  {}", most.join("  "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::model::tests::model;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    /// The screen, without spaces at the ends of lines, and the largest scroll.
    fn screen(model: &Model, size: (u16, u16), scroll: u16) -> (Vec<String>, u16) {
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        let mut most = 0;
        terminal.draw(|frame| most = draw(frame, model, scroll)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let row = |y| (0..size.0).map(|x| buffer[(x, y)].symbol().to_owned()).collect::<String>();
        ((0..size.1).map(|y| row(y).trim_end().to_owned()).collect(), most)
    }

    tierpool::pool! {
        static VIEW = [64 x 4, 512 x 2 + 1];
        static OTHER = [64 x 10];
    }

    fn busy() -> Model {
        let first = VIEW.stats().to_string();
        let held = [VIEW.alloc(60), VIEW.alloc(500), VIEW.alloc(500), VIEW.alloc(500)];
        drop((VIEW.alloc(60), VIEW.alloc(60)));
        held.iter().flatten().for_each(|buffer| buffer.mark(&"parked"));
        let table = format!("{:#}\n{}", VIEW.stats(), VIEW.histogram());
        let other = OTHER.stats().to_string();
        drop(held);
        model(&[(1.0, &first), (2.0, &table), (2.0, &other)])
    }

    #[test]
    fn a_screen_shows_everything() {
        let (screen, most) = screen(&busy(), (100, 14), 0);
        let expected = [
            "VIEW  hit rate 83.3 %  6.0 requests/s  1.0 misses/s",
            "   64  ████████░░░░░░░░░░░░░░│░░░░░░░   1/4  peak 3  served 3  missed 0",
            "  512  ██████████████████████████████   2/2  peak 2  served 2  missed 1  reserve 0/1",
            "       exhausted 1  oversized 0  from the fallback 0 (now 0)",
            "  held     bytes        oldest  held by",
            "     3      1088             2  parked",
            "       asked for  up to 60: 50 %  up to 512: 50 %",
            "",
            "OTHER  hit rate 100.0 %  0 requests  0 misses",
            "   64  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░    0/10  peak 0",
            "",
            "",
            "",
            "3 snapshots  q: quit",
        ];
        assert_eq!(screen, expected, "{screen:#?}");
        assert_eq!(most, 0);
    }

    #[test]
    fn a_small_terminal_scrolls() {
        let model = busy();
        let (top, most) = screen(&model, (60, 5), 0);
        assert_eq!(most, 6);
        assert!(top[0].starts_with("VIEW") && top[3].ends_with('▼'), "{top:#?}");
        assert!(top[4].contains("↑ ↓: scroll"));
        let (bottom, _) = screen(&model, (60, 5), 99);
        assert!(bottom[0].ends_with('▲') && bottom[3].contains("0/10"), "{bottom:#?}");
        // Whatever is left of it.
        for size in [(1, 1), (3, 2), (10, 1), (200, 60)] {
            screen(&model, size, 3);
        }
    }

    #[test]
    fn before_the_first_line_it_says_what_to_do() {
        let (screen, _) = screen(&Model::default(), (90, 4), 0);
        assert!(screen[0].starts_with("No statistics yet") && screen[1].contains("RX.stats()"));
    }

    #[test]
    fn a_full_tier_is_red() {
        let colours = |in_use, slots| bar(in_use, in_use, slots)[0].style.fg;
        assert_eq!([colours(4, 4), colours(3, 4)], [Some(Color::Red), Some(Color::Green)]);
        let width = |in_use| bar(in_use, 1000, 1000)[0].content.chars().count();
        assert_eq!([width(0), width(1), width(999), width(1000)], [0, 1, 30, 30]);
    }
}
