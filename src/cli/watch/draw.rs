//! A run on a terminal.

use super::curves::{self, Scale, charts};
use super::picture::{Colours, Picture};
use super::seen::Seen;
use crate::cli::output::{self, in_one_line};
use crate::config::Config;
use crate::page::{RunState, number, probed, whole};
use indicatif::HumanDuration;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Stylize;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Gauge, Paragraph, Wrap};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// A chart is legible from so many lines, and so many columns.
const LOWEST_CHART: u16 = 8;
const NARROWEST_CHART: u16 = 36;

/// What is chosen to be seen.
pub(in crate::cli) struct Look {
    /// The first chart.
    pub(super) first: usize,
    pub(in crate::cli) scale: Scale,
    pub(in crate::cli) helps: bool,
    colours: Colours,
}

impl Look {
    /// As the terminal behind stderr can show it.
    pub(in crate::cli) fn of_terminal() -> Self {
        let colours = std::env::var("COLORTERM").ok();
        Look {
            first: 0,
            scale: Scale::Usual,
            helps: false,
            colours: Colours::of_terminal(output::has_colours(), colours.as_deref()),
        }
    }
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
    let state = format!("  {}", seen.state.word()).into();
    let headline = Line::from([vec![name(&seen.folder), state], facts(seen)].concat());
    frame.render_widget(headline, top);
    progress(frame, bar, seen);
    if let Some(verdict) = verdict {
        frame.render_widget(Paragraph::new(verdict).wrap(Wrap { trim: true }), words);
    }
    draw_run(frame, body, seen, look);
    let keys = format!(
        " q leave   ←→ other curves   l scale: {}   h help",
        look.scale.word()
    );
    frame.render_widget(Line::from(keys).dim(), foot);
    if look.helps {
        draw_help(frame, &["q     leave; the run goes on"]);
    }
}

/// Charts and the newest picture.
pub(in crate::cli) fn draw_run(frame: &mut Frame<'_>, area: Rect, seen: &Seen, look: &Look) {
    let Some((image, what)) = &seen.picture else {
        draw_charts(frame, area, seen, look);
        return;
    };
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(area);
    draw_charts(frame, left, seen, look);
    let block = Block::bordered().title(what.clone().bold());
    let inner = block.inner(right);
    frame.render_widget(block, right);
    let colours = look.colours;
    frame.render_widget(Picture { image, colours }, inner);
}

/// What a run is called.
pub(in crate::cli) fn name(folder: &Path) -> Span<'static> {
    Span::from(in_one_line(&folder.display().to_string())).bold()
}

/// How the last step stands; nothing before the first.
pub(in crate::cli) fn facts(seen: &Seen) -> Vec<Span<'static>> {
    let Some(row) = seen.rows.last() else {
        return Vec::new();
    };
    let mut facts = vec![
        format!("ess {}", number(row.ess.into())),
        format!("acceptance {}", number(row.acceptance.into())),
        format!("step size {}", number(row.step_size.into())),
    ];
    // The probe of a run that has ended is in its summary alone.
    let config = seen.config.as_ref();
    let probe = config.and_then(|config| probed(&seen.summary, config));
    let last = probe.or(seen.looks.last().copied());
    let r_hat = last.and_then(|look| look.worst());
    facts.extend(r_hat.map(|(_, r_hat)| format!("R-hat {}", number(r_hat))));
    vec![Span::from(format!("  {}", facts.join("  "))).dim()]
}

/// How far it is, and how long it will take.
fn progress(frame: &mut Frame<'_>, area: Rect, seen: &Seen) {
    let done = seen.rows.len() as u64;
    let Some(config) = &seen.config else {
        frame.render_widget(Line::from(format!("{} steps", whole(done))), area);
        return;
    };
    let of = config.run.steps;
    let mut label = format!("{}/{} steps", whole(done), whole(of));
    if seen.state == RunState::Running {
        label += &match (done < of, time_left(seen, config)) {
            // What follows the last step: pictures, a probe of the chains.
            (false, _) => ", drawing and looking at the chains".to_owned(),
            (true, Some(left)) => format!(", {left} left"),
            // The first steps compile kernels.
            (true, None) => ", compiling kernels".to_owned(),
        };
    }
    let ratio = (done as f64 / of.max(1) as f64).clamp(0.0, 1.0);
    frame.render_widget(Gauge::default().ratio(ratio).label(label), area);
}

/// How long the steps that are left will take, at the rate of the last; none where that is not known yet.
pub(in crate::cli) fn time_left(seen: &Seen, config: &Config) -> Option<HumanDuration> {
    let rate = seen.rows.last()?.samples_per_second / config.run.batch as f32;
    let steps = config.run.steps.saturating_sub(seen.rows.len() as u64);
    let seconds = f64::from(steps as f32 / rate).min(1e9);
    (rate > 0.0).then(|| HumanDuration(Duration::from_secs_f64(seconds)))
}

/// What it has come to, in its own words.
pub(in crate::cli) fn verdict(seen: &Seen) -> Option<String> {
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
    for (place, chart) in places.zip(chosen.take(all.len())) {
        curves::draw(frame, place, seen, chart, look.scale);
    }
}

/// What keys do, `more` beside those that every view has, and what figures are.
pub(in crate::cli) fn draw_help(frame: &mut Frame<'_>, more: &[&str]) {
    let usual = [
        "← →   other curves",
        "l     values go up as usual, linearly, by their logarithm",
        "h     this",
    ];
    let figures = [
        "",
        "ess is the effective sample size of the noise, as a share;",
        "R-hat is of the last look at the chains. docs/training.md",
        "says what each curve is.",
    ];
    let text = [&usual[..], more, &figures].concat();
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
