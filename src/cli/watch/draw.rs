//! A run on a terminal.

use super::curves::{self, Scale, charts};
use super::picture::{Colours, Picture};
use super::seen::Seen;
use crate::cli::output::in_one_line;
use crate::page::{RunState, number, whole};
use indicatif::HumanDuration;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Stylize;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Gauge, Paragraph, Wrap};
use serde_json::Value;
use std::time::Duration;

/// A chart is legible from so many lines, and so many columns.
const LOWEST_CHART: u16 = 8;
const NARROWEST_CHART: u16 = 36;

/// What is chosen to be seen.
pub(super) struct Look {
    /// The first chart.
    pub(super) first: usize,
    pub(super) scale: Scale,
    pub(super) helps: bool,
    pub(super) colours: Colours,
}

pub(super) fn draw(frame: &mut Frame<'_>, seen: &Seen, look: &Look) {
    let verdict = verdict(seen);
    let lines = if verdict.is_some() { 2 } else { 0 };
    let [top, bar, words, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(lines),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(headline(seen), top);
    progress(frame, bar, seen);
    if let Some(verdict) = verdict {
        frame.render_widget(Paragraph::new(verdict).wrap(Wrap { trim: true }), words);
    }
    match &seen.picture {
        Some((image, what)) => {
            let [left, right] =
                Layout::horizontal([Constraint::Percentage(60), Constraint::Percentage(40)])
                    .areas(body);
            draw_charts(frame, left, seen, look);
            let block = Block::bordered().title(what.clone().bold());
            let inner = block.inner(right);
            frame.render_widget(block, right);
            let colours = look.colours;
            frame.render_widget(Picture { image, colours }, inner);
        }
        None => draw_charts(frame, body, seen, look),
    }
    let keys = format!(
        " q leave   ←→ other curves   l scale: {}   h help",
        look.scale.word()
    );
    frame.render_widget(Line::from(keys).dim(), foot);
    if look.helps {
        help(frame);
    }
}

/// Name, state, and how the last step stands.
fn headline(seen: &Seen) -> Line<'static> {
    let mut words = vec![
        Span::from(in_one_line(&seen.folder.display().to_string())).bold(),
        Span::from(format!("  {}", seen.state.word())),
    ];
    if let Some(row) = seen.rows.last() {
        let mut facts = vec![
            format!("ess {}", number(row.ess.into())),
            format!("acceptance {}", number(row.acceptance.into())),
            format!("step size {}", number(row.step_size.into())),
        ];
        let r_hat = seen.last_look.and_then(|look| look.worst());
        facts.extend(r_hat.map(|(_, r_hat)| format!("R-hat {}", number(r_hat))));
        words.push(Span::from(format!("  {}", facts.join("  "))).dim());
    }
    Line::from(words)
}

/// How far it is, and how long it will take.
fn progress(frame: &mut Frame<'_>, area: Rect, seen: &Seen) {
    let done = seen.rows.len() as u64;
    let Some(config) = &seen.config else {
        frame.render_widget(Line::from(format!("{} steps", whole(done))), area);
        return;
    };
    let of = config.run.steps;
    let rate = seen.rows.last().map_or(0.0, |row| row.samples_per_second) / config.run.batch as f32;
    let mut label = format!("{}/{} steps", whole(done), whole(of));
    if seen.state == RunState::Running {
        label += &match (done < of, rate > 0.0) {
            // What follows the last step: pictures, a probe of the chains.
            (false, _) => ", drawing and looking at the chains".to_owned(),
            (true, true) => {
                let seconds = f64::from((of - done) as f32 / rate).min(1e9);
                format!(", {} left", HumanDuration(Duration::from_secs_f64(seconds)))
            }
            // The first steps compile kernels.
            (true, false) => ", compiling kernels".to_owned(),
        };
    }
    let ratio = (done as f64 / of.max(1) as f64).clamp(0.0, 1.0);
    frame.render_widget(Gauge::default().ratio(ratio).label(label), area);
}

/// What it has come to, in its own words.
fn verdict(seen: &Seen) -> Option<String> {
    let text = |value: Option<&Value>| Some(in_one_line(value?.as_str()?));
    if let Some(diverged) = seen.summary.get("diverged") {
        let what = text(diverged.get("what")).unwrap_or_default();
        let advice = text(diverged.get("advice")).unwrap_or_default();
        return Some(format!("diverged: {what}; {advice}"));
    }
    text(seen.summary.get("fits")).map(|fits| format!("fits {fits}"))
}

/// As many charts as there is room for, from the first that is chosen.
fn draw_charts(frame: &mut Frame<'_>, area: Rect, seen: &Seen, look: &Look) {
    let all = charts();
    let columns = (area.width / NARROWEST_CHART).clamp(1, 3);
    let lines = (area.height / LOWEST_CHART).clamp(1, 4);
    let split = |count: u16| vec![Constraint::Ratio(1, count.into()); count.into()];
    let places = Layout::vertical(split(lines)).split(area);
    let places = places.iter().flat_map(|line| {
        let places = Layout::horizontal(split(columns)).split(*line);
        places.to_vec()
    });
    let chosen = all.iter().cycle().skip(look.first % all.len());
    for (place, curves) in places.zip(chosen.take(all.len())) {
        curves::draw(frame, place, &seen.rows, curves, look.scale);
    }
}

fn help(frame: &mut Frame<'_>) {
    let text = [
        "← →   other curves",
        "l     values go up as usual, linearly, by their logarithm",
        "h     this",
        "q     leave; the run goes on",
        "",
        "ess is the effective sample size of the noise, as a share;",
        "R-hat is of the last look at the chains. docs/training.md",
        "says what each curve is.",
    ];
    let area = frame.area();
    let (width, height) = (62.min(area.width), (text.len() as u16 + 2).min(area.height));
    let place = Rect::new(
        (area.width - width) / 2,
        (area.height - height) / 2,
        width,
        height,
    );
    frame.render_widget(Clear, place);
    let lines: Vec<Line<'_>> = text.into_iter().map(Line::from).collect();
    frame.render_widget(
        Paragraph::new(lines).block(Block::bordered().title("keys")),
        place,
    );
}
