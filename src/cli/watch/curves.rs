//! Curves of metrics on a terminal.

use crate::train::{CURVES, Curve, MetricsRow};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType};

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

/// The charts that there are, each with its curves: those with one title share one.
pub(super) fn charts() -> Vec<Vec<&'static Curve>> {
    let mut curves: Vec<&Curve> = CURVES.iter().collect();
    curves.sort_by_key(|curve| curve.place);
    let groups = curves.chunk_by(|a, b| a.title == b.title);
    groups.map(<[&Curve]>::to_vec).collect()
}

/// Draws a chart of these curves.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    rows: &[MetricsRow],
    curves: &[&Curve],
    scale: Scale,
) {
    let is_log = match scale {
        Scale::Usual => curves[0].log_scale,
        Scale::Linear => false,
        Scale::Logarithmic => true,
    };
    let lines: Vec<Vec<(f64, f64)>> = curves
        .iter()
        .map(|curve| points(rows, curve, is_log))
        .collect();
    let mut title = vec![curves[0].title.bold()];
    for (place, curve) in curves.iter().enumerate().filter(|_| curves.len() > 1) {
        let style = Style::default().fg(COLOURS[place % COLOURS.len()]);
        title.push(" ".into());
        title.push(ratatui::text::Span::styled(curve.label, style));
    }
    let block = Block::bordered().title(Line::from(title));
    let all = lines.iter().flatten().map(|(_, value)| *value);
    let (low, high) = match (all.clone().reduce(f64::min), all.reduce(f64::max)) {
        (Some(low), Some(high)) => span(low, high),
        _ => {
            let empty = ratatui::widgets::Paragraph::new("nothing yet").block(block);
            frame.render_widget(empty, area);
            return;
        }
    };
    let last = rows.last().map_or(0, |row| row.step);
    let datasets = lines.iter().enumerate().map(|(place, points)| {
        Dataset::default()
            .marker(Marker::Braille)
            .graph_type(GraphType::Line)
            .style(Style::default().fg(COLOURS[place % COLOURS.len()]))
            .data(points)
    });
    let faint = Style::default().add_modifier(Modifier::DIM);
    let label = |value: f64| match is_log {
        true => short(10f64.powf(value)),
        false => short(value),
    };
    let chart = Chart::new(datasets.collect())
        .block(block)
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

/// Bounds with room for what is between them.
fn span(low: f64, high: f64) -> (f64, f64) {
    match high > low {
        true => (low, high),
        false => (low - 0.5, high + 0.5),
    }
}

/// The curve as means of neighbours, as logarithms where it is to be; what is not finite, or has no logarithm, is left out.
fn points(rows: &[MetricsRow], curve: &Curve, is_log: bool) -> Vec<(f64, f64)> {
    let each = rows.len().div_ceil(MOST_POINTS).max(1);
    let place = |value: f64| match is_log {
        true => value.log10(),
        false => value,
    };
    let mean = |rows: &[MetricsRow]| {
        let values = rows.iter().map(|row| place(f64::from(curve.of(row))));
        let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let step = rows[rows.len() - 1].step as f64;
        (!values.is_empty()).then_some((step, mean))
    };
    rows.chunks(each).filter_map(mean).collect()
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
