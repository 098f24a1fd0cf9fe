//! Curves of metrics on a terminal.

use super::seen::Seen;
use crate::page::whole;
use crate::train::{CURVES, Curve, MetricsRow};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, Paragraph};

/// Points of a curve, at most: as many as a wide terminal has columns of dots.
const MOST_POINTS: usize = 400;
/// Told apart without colours by their names, which stand in the order of the lines.
const COLOURS: [Color; 4] = [Color::Cyan, Color::Yellow, Color::Magenta, Color::Green];

/// How values go up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Scale {
    /// As the pictures of the run have them.
    Usual,
    Linear,
    Logarithmic,
}

impl Scale {
    pub(in crate::cli) fn next(self) -> Self {
        match self {
            Scale::Usual => Scale::Linear,
            Scale::Linear => Scale::Logarithmic,
            Scale::Logarithmic => Scale::Usual,
        }
    }

    pub(in crate::cli) fn word(self) -> &'static str {
        match self {
            Scale::Usual => "usual",
            Scale::Linear => "linear",
            Scale::Logarithmic => "logarithmic",
        }
    }
}

/// What a line of a chart shows over the steps.
enum Source {
    Metric(&'static Curve),
    /// The share of proposals that the Metropolis test accepted.
    Acceptance,
    /// The worst R-hat of each look at the chains.
    RHat,
}

/// A chart, and the lines in it by their names.
pub(super) struct Drawn {
    title: &'static str,
    lines: Vec<(&'static str, Source)>,
    is_log: bool,
    /// Whether the steps with new noise are marked.
    has_marks: bool,
}

/// The metric whose chart tells when the noise is out of date.
const SHARE: &str = "ess";

/// The charts that there are: those of the pictures, in their order, with what is said of the chains after the noise.
pub(super) fn charts() -> Vec<Drawn> {
    let mut curves: Vec<&Curve> = CURVES.iter().collect();
    curves.sort_by_key(|curve| curve.place);
    let mut charts = Vec::new();
    for curves in curves.chunk_by(|a, b| a.title == b.title) {
        let is_share = curves[0].name == SHARE;
        let lines = curves
            .iter()
            .map(|&curve| (curve.label, Source::Metric(curve)));
        charts.push(Drawn {
            title: curves[0].title,
            lines: lines.collect(),
            is_log: curves[0].log_scale,
            has_marks: is_share,
        });
        if is_share {
            let of_chains = |title, source| Drawn {
                title,
                lines: vec![(title, source)],
                is_log: false,
                has_marks: false,
            };
            charts.push(of_chains("acceptance", Source::Acceptance));
            charts.push(of_chains("R-hat", Source::RHat));
        }
    }
    charts
}

/// Draws a chart.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, seen: &Seen, drawn: &Drawn, scale: Scale) {
    let is_log = match scale {
        Scale::Usual => drawn.is_log,
        Scale::Linear => false,
        Scale::Logarithmic => true,
    };
    let values = |(_, source): &(&str, Source)| points(seen, source, is_log);
    let lines: Vec<Means> = drawn.lines.iter().map(values).collect();
    let left_out: usize = lines.iter().map(|line| line.left_out).sum();
    let colour = |place: usize| Style::default().fg(COLOURS[place % COLOURS.len()]);
    let mut title = vec![drawn.title.bold()];
    for (place, (label, _)) in drawn.lines.iter().enumerate().filter(|_| lines.len() > 1) {
        title.extend([" ".into(), Span::styled(*label, colour(place))]);
    }
    let all = lines.iter().flat_map(|line| &line.points);
    let all = all.map(|(_, value)| *value);
    let bounds = (all.clone().reduce(f64::min), all.reduce(f64::max));
    let (Some(low), Some(high)) = bounds else {
        let block = Block::bordered().title(Line::from(title));
        let why = match (left_out, is_log) {
            (0, _) => "nothing yet",
            (_, true) => "no value above 0",
            (_, false) => "no finite value",
        };
        frame.render_widget(Paragraph::new(why).block(block), area);
        return;
    };
    if left_out > 0 {
        title.push(format!(" {} left out", whole(left_out as u64)).dim());
    }
    let (low, high) = span(low, high);
    let marks = match drawn.has_marks {
        true => refreshes(&seen.rows, low),
        false => Vec::new(),
    };
    if !marks.is_empty() {
        title.push(Span::styled(format!(" {MARK} new noise"), colour(1)));
    }
    let mut datasets: Vec<Dataset<'_>> = Vec::new();
    for (place, Means { points, .. }) in lines.iter().enumerate() {
        let line = Dataset::default().graph_type(GraphType::Line);
        datasets.push(
            line.marker(Marker::Braille)
                .style(colour(place))
                .data(points),
        );
    }
    let dots = Dataset::default().graph_type(GraphType::Scatter);
    datasets.push(dots.marker(Marker::Dot).style(colour(1)).data(&marks));
    let last = seen.rows.last().map_or(0, |row| row.step);
    let faint = Style::default().add_modifier(Modifier::DIM);
    let label = |value: f64| match is_log {
        true => short(10f64.powf(value)),
        false => short(value),
    };
    let chart = Chart::new(datasets)
        .block(Block::bordered().title(Line::from(title)))
        .x_axis(
            Axis::default()
                .bounds([0.0, (last as f64).max(1.0)])
                .labels(["0".to_owned(), last.to_string()])
                .style(faint),
        )
        .y_axis(
            Axis::default()
                .bounds([low, high])
                .labels([label(low), label((low + high) / 2.0), label(high)])
                .style(faint),
        )
        .legend_position(None);
    frame.render_widget(chart, area);
}

/// What [`Marker::Dot`] draws.
const MARK: char = '•';

/// The steps with new noise, at the height `low`; none where every step has.
fn refreshes(rows: &[MetricsRow], low: f64) -> Vec<(f64, f64)> {
    let is_new = |row: &&MetricsRow| row.snapshot_age == 0;
    if rows.iter().all(|row| is_new(&row)) {
        return Vec::new();
    }
    let new = rows.iter().filter(is_new);
    new.map(|row| (row.step as f64, low)).collect()
}

/// Bounds with room for what is between them.
fn span(low: f64, high: f64) -> (f64, f64) {
    match high > low {
        true => (low, high),
        false => (low - 0.5, high + 0.5),
    }
}

/// What a line is drawn by.
#[derive(Debug, PartialEq)]
struct Means {
    /// Steps, and the means of values up to there.
    points: Vec<(f64, f64)>,
    /// Values that are not finite, or have no logarithm.
    left_out: usize,
}

/// Values over steps as means of neighbours, as logarithms where they are to be; what is not finite, or has no logarithm, is left out.
fn points(seen: &Seen, source: &Source, is_log: bool) -> Means {
    let of_rows = |value: &dyn Fn(&MetricsRow) -> f32| {
        means(&seen.rows, is_log, &|row| (row.step, value(row).into()))
    };
    match source {
        Source::Metric(curve) => of_rows(&|row| curve.of(row)),
        Source::Acceptance => of_rows(&|row| row.acceptance),
        Source::RHat => means(&seen.looks, is_log, &|look| {
            (look.step, look.worst().map_or(f64::NAN, |(_, r_hat)| r_hat))
        }),
    }
}

/// The means of what is next to each other in `rows`.
fn means<T>(rows: &[T], is_log: bool, value: &dyn Fn(&T) -> (u64, f64)) -> Means {
    let mut left_out = 0;
    let mean = |rows: &[T]| {
        let (mut sum, mut count, mut last) = (0.0, 0_u32, 0);
        for row in rows {
            let (step, value) = value(row);
            let value = if is_log { value.log10() } else { value };
            if value.is_finite() {
                sum += value;
                count += 1;
            }
            last = step;
        }
        left_out += rows.len() - count as usize;
        (count > 0).then(|| (last as f64, sum / f64::from(count)))
    };
    let each = rows.len().div_ceil(MOST_POINTS).max(1);
    let points = rows.chunks(each).filter_map(mean).collect();
    Means { points, left_out }
}

/// A number in a few characters.
fn short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".into()
    } else if (0.01..1e5).contains(&size) {
        let places = (2 - size.log10().floor() as i32).clamp(0, 3) as usize;
        format!("{value:.places$}")
    } else {
        format!("{value:.1e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use std::fs;

    /// The chart of the loss of a run in which it had these values.
    fn drawn(losses: &[f64], scale: Scale) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let row = |(step, loss): (usize, &f64)| format!("{{\"step\":{step},\"loss\":{loss}}}\n");
        let rows: String = losses.iter().enumerate().map(row).collect();
        fs::write(folder.path().join("config.toml"), "").expect("is written");
        fs::write(folder.path().join("metrics.jsonl"), rows).expect("is written");
        let seen = Seen::of(folder.path()).expect("a run");
        let charts = charts();
        let chart = charts.iter().find(|chart| chart.title == "loss");
        let chart = chart.expect("the loss is drawn");
        let mut terminal = Terminal::new(TestBackend::new(50, 10)).expect("a terminal");
        let draw = |frame: &mut Frame<'_>| super::draw(frame, frame.area(), &seen, chart, scale);
        terminal.draw(draw).expect("is drawn");
        terminal.backend().to_string()
    }

    #[test]
    fn values_that_cannot_be_drawn_are_told() {
        let shown = drawn(&[-1.0, 2.0, 0.0], Scale::Linear);
        assert!(!shown.contains("left out"), "{shown}");
        let shown = drawn(&[-1.0, 2.0, 0.0], Scale::Logarithmic);
        assert!(shown.contains("2 left out"), "{shown}");
        let shown = drawn(&[-1.0, -2.0], Scale::Logarithmic);
        assert!(shown.contains("no value above 0"), "{shown}");
        let shown = drawn(&[], Scale::Logarithmic);
        assert!(shown.contains("nothing yet"), "{shown}");
    }
}
