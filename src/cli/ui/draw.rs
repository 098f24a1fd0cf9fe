//! A run that this process trains, on its terminal.

use super::live::{End, Shown};
use crate::cli::output::in_one_line;
use crate::cli::watch::{Look, Seen, draw_help, draw_run, facts, name, time_left, verdict};
use crate::page::whole;
use crate::train::fits_so_far;
use indicatif::HumanDuration;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Gauge, Paragraph, Wrap};

/// Of so many lines of the terminal one is for what was written to stderr.
const LINES_A_LINE: u16 = 12;

/// Draws `shown`, what is seen of its run, and the last `lines` of stderr.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    shown: &Shown,
    seen: Option<&Seen>,
    look: &Look,
    lines: &[String],
    (stops, asks): (bool, bool),
) {
    let words = seen.and_then(|seen| words(shown, seen));
    let (bar, told, said) = match seen {
        Some(_) => (
            1,
            if words.is_some() { 2 } else { 0 },
            frame.area().height / LINES_A_LINE,
        ),
        None => (0, 0, 0),
    };
    let [top, bar, status, told, body, said, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(bar),
        Constraint::Length(1),
        Constraint::Length(told),
        Constraint::Min(0),
        Constraint::Length(said),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(headline(shown, seen, stops), top);
    frame.render_widget(condition(shown, seen), status);
    match seen {
        Some(seen) => {
            progress(frame, bar, shown, seen);
            let words = Paragraph::new(words.unwrap_or_default()).wrap(Wrap { trim: true });
            frame.render_widget(words, told);
            draw_run(frame, body, seen, look);
            draw_lines(frame, said, lines);
        }
        None => draw_lines(frame, body, lines),
    }
    frame.render_widget(keys(shown, look, stops, asks), foot);
    if look.helps {
        draw_help(
            frame,
            &[
                "p     pause, and go on",
                "s     a picture of the noise samples now",
                "c     a checkpoint and a training state now",
                "q     stop, and keep what there is; so does Ctrl-C",
                "",
                "None of them but stop changes a bit of the run.",
            ],
        );
    }
}

/// Name, state, and how the last step stands.
fn headline(shown: &Shown, seen: Option<&Seen>, stops: bool) -> Line<'static> {
    let called = match &shown.folder {
        Some(folder) => name(folder),
        None => Span::from(in_one_line(&shown.name)).bold(),
    };
    let state = match (&shown.end, seen) {
        (Some(End::ByKey(Some(_))), _) => "failed",
        (Some(_), Some(seen)) => seen.state.word(),
        (Some(_), None) => "ended",
        (None, _) if stops => "stopping",
        (None, _) if shown.is_paused => "paused",
        (None, _) if shown.began.is_none() => "opening",
        (None, _) => "running",
    };
    let mut headline = vec![called, Span::from(format!("  {state}"))];
    headline.extend(seen.map(facts).unwrap_or_default());
    Line::from(headline)
}

/// What is done at the moment, what happened last, and what the run has cost.
fn condition(shown: &Shown, seen: Option<&Seen>) -> Line<'static> {
    if let Some(End::ByKey(Some(error))) = &shown.end {
        return Line::from(in_one_line(error)).style(Style::default().fg(Color::Red));
    }
    let mut parts = vec![match (shown.part, &shown.end) {
        (_, Some(_)) => "ended".to_owned(),
        (Some((done, of)), None) => format!("{} {}/{}", shown.phase, done, of),
        (None, None) => shown.phase.to_owned(),
    }];
    if !shown.news.is_empty() {
        parts.push(in_one_line(&shown.news));
    }
    if let Some(row) = seen.and_then(|seen| seen.rows.last()) {
        parts.push(format!(
            "{} gradient evaluations",
            whole(row.gradient_evaluations)
        ));
    }
    if let (Some(began), None) = (shown.began, &shown.end) {
        parts.push(HumanDuration(began.elapsed()).to_string());
    }
    Line::from(parts.join(" · "))
}

/// How many steps are done, and how long the others will take.
fn progress(frame: &mut Frame<'_>, area: Rect, shown: &Shown, seen: &Seen) {
    let Some(config) = &seen.config else {
        return;
    };
    let (done, of) = (seen.rows.len() as u64, config.run.steps);
    let mut label = format!("{}/{} steps", whole(done), whole(of));
    let goes_on = shown.end.is_none() && !shown.is_paused && done < of;
    // How long it took before says nothing of how long it will take to open a device.
    if goes_on
        && shown.began.is_some()
        && let Some(left) = time_left(seen, config)
    {
        label += &format!(", {left} left");
    }
    let ratio = (done as f64 / of.max(1) as f64).clamp(0.0, 1.0);
    frame.render_widget(Gauge::default().ratio(ratio).label(label), area);
}

/// What the run comes to: in the end in its own words, before that by the last look at its chains.
fn words(shown: &Shown, seen: &Seen) -> Option<String> {
    let so_far = || {
        let fits = fits_so_far(seen.config.as_ref()?, seen.looks.last());
        Some(format!("fits so far: {fits}"))
    };
    match &shown.end {
        Some(_) => verdict(seen),
        None => so_far(),
    }
}

/// As many of the last lines as there is room for.
fn draw_lines(frame: &mut Frame<'_>, area: Rect, lines: &[String]) {
    let first = lines.len().saturating_sub(area.height.into());
    let styled = lines[first..].iter().map(|line| {
        let line = in_one_line(line);
        let style = match line.starts_with("warning") || line.starts_with("error") {
            true => Style::default().fg(Color::Yellow),
            false => Style::default().dim(),
        };
        Line::from(line).style(style)
    });
    frame.render_widget(Paragraph::new(styled.collect::<Vec<_>>()), area);
}

/// What keys do now.
fn keys(shown: &Shown, look: &Look, stops: bool, asks: bool) -> Line<'static> {
    let look = format!("←→ curves  l scale: {}  h help", look.scale.word());
    let line = match &shown.end {
        Some(_) => format!(" q leave  {look}"),
        None if asks && !stops => {
            let question = " stop the run? y stops it after this step, any other key goes on";
            return Line::from(question).reversed();
        }
        None if stops => format!(" Ctrl-C quit at once  {look}"),
        None => {
            let pause = if shown.is_paused { "go on" } else { "pause" };
            let wishes = match shown.is_past_steps {
                true => "",
                false => "s samples  c checkpoint  ",
            };
            format!(" q stop  p {pause}  {wishes}{look}")
        }
    };
    Line::from(line).dim()
}
