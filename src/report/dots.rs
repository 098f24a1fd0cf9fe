//! Figures of several rows beside one another, each with its repetitions and an interval; and figures over cost.

use image::RgbImage;
use plotters::style::{Color, RGBAColor, RGBColor};

use super::ReportError;
use super::axes::{Axis, Frame, ink};
use super::canvas::{Canvas, HPos, VPos, check_size, paint};
use super::curves::{MARGIN_BOTTOM, MARGIN_RIGHT, TITLE_HEIGHT, colour, draw_title};

/// Rows with one figure each, drawn from above.
#[derive(Clone, Debug, Default)]
pub struct DotPanel {
    /// What is plotted, with its unit.
    pub title: String,
    /// What the rows are called.
    pub rows: Vec<String>,
    /// Several figures a row, in colours of their own.
    pub groups: Vec<DotGroup>,
    /// Whether 0 has a place on the axis.
    pub from_zero: bool,
}

/// A figure for each row.
#[derive(Clone, Debug, Default)]
pub struct DotGroup {
    /// The name in the legend.
    pub label: String,
    /// For each row the figures of all repetitions.
    pub dots: Vec<Vec<f64>>,
    /// For each row their mean, and the ends of its interval.
    pub spreads: Vec<Option<[f64; 3]>>,
}

/// Figures over what they cost.
#[derive(Clone, Debug, Default)]
pub struct CostPanel {
    /// What is plotted, with its unit.
    pub title: String,
    /// The cost, with its unit.
    pub cost: String,
    pub groups: Vec<CostGroup>,
}

/// Points of one colour.
#[derive(Clone, Debug, Default)]
pub struct CostGroup {
    /// The name in the legend.
    pub label: String,
    /// What stands beside a point, its cost and its figure.
    pub points: Vec<(String, f64, f64)>,
}

const WIDTH: usize = 1200;
const TEXT_SIZE: f64 = 16.0;
const SMALL_SIZE: f64 = 14.0;
const LEGEND_HEIGHT: f64 = 26.0;
/// The names of rows take no more than this.
const LONGEST_NAME: f64 = 420.0;
const ROW_HEIGHT: f64 = 20.0;
const ROW_GAP: f64 = 12.0;
const COST_HEIGHT: usize = 560;
/// Values that differ by more than this factor are easier to compare on a logarithmic axis.
const WIDE: f64 = 8.0;

/// Draws `panels` one above the other on a picture 1200 pixels wide. What is not finite is left out, and the panel says how
/// many.
///
/// # Errors
/// [`ReportError`] if there is no panel, or so many rows that the picture would be too large.
pub fn dots(panels: &[DotPanel]) -> Result<RgbImage, ReportError> {
    if panels.is_empty() {
        return Err(ReportError::Nothing { what: "panels" });
    }
    let heights: Vec<f64> = panels.iter().map(height).collect();
    let (width, height) = check_size(WIDTH, heights.iter().sum::<f64>() as usize)?;
    paint(width, height, |canvas| {
        let mut top = 0.0;
        for (panel, height) in panels.iter().zip(&heights) {
            draw_dots(canvas, panel, top, *height)?;
            top += height;
        }
        Ok(())
    })
}

fn height(panel: &DotPanel) -> f64 {
    let row = ROW_HEIGHT * panel.groups.len().max(1) as f64 + ROW_GAP;
    TITLE_HEIGHT + LEGEND_HEIGHT + row * panel.rows.len().max(1) as f64 + MARGIN_BOTTOM
}

fn draw_dots(canvas: &Canvas, panel: &DotPanel, top: f64, height: f64) -> Result<(), ReportError> {
    let mut names = Vec::new();
    let mut widest = 0.0_f64;
    for row in &panel.rows {
        let name = canvas.fit(row, SMALL_SIZE + 1.0, LONGEST_NAME)?;
        widest = widest.max(canvas.text_width(&name, SMALL_SIZE + 1.0)?);
        names.push(name);
    }
    let left = widest + 30.0;
    let width = WIDTH as f64 - left - MARGIN_RIGHT - 20.0;
    let all: Vec<f64> = panel
        .groups
        .iter()
        .flat_map(|group| group.dots.iter().flatten().copied())
        .collect();
    let finite: Vec<f64> = all.iter().copied().filter(|v| v.is_finite()).collect();
    let skipped = all.len() - finite.len();
    draw_title(
        canvas,
        &panel.title,
        skipped,
        (20.0, top),
        WIDTH as f64 - 40.0,
    )?;
    draw_legend(
        canvas,
        panel.groups.iter().map(|group| group.label.as_str()),
        (left, top + TITLE_HEIGHT),
    )?;
    let means = panel.groups.iter().flat_map(|group| &group.spreads);
    let ends = means.flatten().flatten().copied();
    let axis = value_axis(&finite, ends, panel.from_zero);
    let frame = Frame {
        left,
        top: top + TITLE_HEIGHT + LEGEND_HEIGHT,
        width,
        height: height - TITLE_HEIGHT - LEGEND_HEIGHT - MARGIN_BOTTOM,
        x: axis,
        y: Axis::rows(&names),
    };
    frame.draw(canvas)?;
    let groups = panel.groups.len();
    for (index, group) in panel.groups.iter().enumerate() {
        // Within a row the groups stand one above the other.
        let shift = (index as f64 - (groups as f64 - 1.0) / 2.0) * ROW_HEIGHT;
        for row in 0..names.len() {
            let values = group.dots.get(row).map_or(&[][..], Vec::as_slice);
            let spread = group.spreads.get(row).copied().flatten();
            let place = |value: f64| {
                let (x, y) = frame.pixel(value, frame.y.ticks()[row].0);
                (x.clamp(left, left + width), y + shift)
            };
            draw_row(canvas, values, spread, place, colour(index))?;
        }
    }
    Ok(())
}

/// The repetitions as pale dots, and over them the mean with its interval.
fn draw_row(
    canvas: &Canvas,
    values: &[f64],
    spread: Option<[f64; 3]>,
    place: impl Fn(f64) -> (f64, f64),
    colour: RGBAColor,
) -> Result<(), ReportError> {
    let pale = colour.mix(0.45);
    if let Some([mean, low, high]) = spread.filter(|ends| ends.iter().all(|v| v.is_finite())) {
        let ends = [place(low), place(high)]
            .map(|(x, y)| if x.is_finite() { (x, y) } else { place(mean) });
        canvas.line(&ends, colour, 2.0)?;
        for (x, y) in ends {
            canvas.line(&[(x, y - 4.0), (x, y + 4.0)], colour, 2.0)?;
        }
        canvas.dot(place(mean), colour, 5.0)?;
    }
    for value in values.iter().filter(|value| value.is_finite()) {
        canvas.dot(place(*value), pale, 3.0)?;
    }
    Ok(())
}

/// An axis on which all of `values` have a place, and the ends of intervals where that changes little: logarithmic where all
/// are above 0 and far apart.
fn value_axis(values: &[f64], ends: impl Iterator<Item = f64>, from_zero: bool) -> Axis {
    let bounds = |values: &mut dyn Iterator<Item = f64>| {
        values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
    };
    let (low, high) = bounds(&mut values.iter().copied());
    if low > high {
        return Axis::linear(0.0, 1.0, 0.0);
    }
    if low > 0.0 && high > WIDE * low && !from_zero {
        let reach = 0.05 * (high / low).log10();
        return Axis::logarithmic(low.log10() - reach, high.log10() + reach);
    }
    let (low, high) = bounds(&mut values.iter().copied().chain(ends));
    let low = if from_zero { low.min(0.0) } else { low };
    let reach = match high - low {
        0.0 => (0.1 * low.abs()).max(1e-9),
        range => 0.05 * range,
    };
    let low = if from_zero && low == 0.0 {
        0.0
    } else {
        low - reach
    };
    Axis::linear(low, high + reach, 0.0)
}

fn draw_legend<'a>(
    canvas: &Canvas,
    labels: impl Iterator<Item = &'a str>,
    (left, top): (f64, f64),
) -> Result<(), ReportError> {
    let mut x = left;
    for (index, label) in labels.enumerate() {
        let y = top + 8.0;
        canvas.dot((x + 6.0, y), colour(index), 5.0)?;
        let at = (x + 18.0, y);
        canvas.text(label, at, TEXT_SIZE, ink(), (HPos::Left, VPos::Center))?;
        x += 18.0 + canvas.text_width(label, TEXT_SIZE)? + 24.0;
    }
    Ok(())
}

/// Draws a figure over its cost, each point with its name. Both axes are logarithmic where their values are far apart.
///
/// # Errors
/// [`ReportError`] if drawing fails.
pub fn costs(panel: &CostPanel) -> Result<RgbImage, ReportError> {
    let (width, height) = check_size(WIDTH, COST_HEIGHT)?;
    paint(width, height, |canvas| draw_costs(canvas, panel))
}

fn draw_costs(canvas: &Canvas, panel: &CostPanel) -> Result<(), ReportError> {
    let points = panel.groups.iter().flat_map(|group| &group.points);
    let drawn: Vec<(f64, f64)> = points
        .clone()
        .map(|(_, x, y)| (*x, *y))
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let skipped = points.count() - drawn.len();
    let (left, top) = (86.0, TITLE_HEIGHT + LEGEND_HEIGHT);
    // Names stand to the right of points.
    let across = WIDTH as f64 - left - 200.0;
    draw_title(
        canvas,
        &panel.title,
        skipped,
        (20.0, 0.0),
        WIDTH as f64 - 40.0,
    )?;
    let labels = panel.groups.iter().map(|group| group.label.as_str());
    draw_legend(canvas, labels, (left, TITLE_HEIGHT))?;
    let (xs, ys): (Vec<f64>, Vec<f64>) = drawn.into_iter().unzip();
    let frame = Frame {
        left,
        top,
        width: across,
        height: COST_HEIGHT as f64 - top - MARGIN_BOTTOM,
        x: value_axis(&xs, std::iter::empty(), false),
        y: value_axis(&ys, std::iter::empty(), false),
    };
    frame.draw(canvas)?;
    let below = (left + across / 2.0, COST_HEIGHT as f64 - 26.0);
    canvas.text(
        &panel.cost,
        below,
        TEXT_SIZE,
        ink(),
        (HPos::Center, VPos::Center),
    )?;
    // Points are not covered either.
    let places = panel.groups.iter().flat_map(|group| &group.points);
    let places = places.map(|(_, cost, figure)| frame.pixel(*cost, *figure));
    let mut taken: Vec<(f64, f64, f64)> = places
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .map(|(x, y)| (x - 6.0, y, 12.0))
        .collect();
    let inside = frame.top + 8.0..frame.top + frame.height - 8.0;
    for (index, group) in panel.groups.iter().enumerate() {
        for (name, cost, figure) in &group.points {
            if !(cost.is_finite() && figure.is_finite()) {
                continue;
            }
            let (x, y) = frame.pixel(*cost, *figure);
            canvas.dot((x, y), colour(index), 5.0)?;
            let name = canvas.fit(name, SMALL_SIZE, 180.0)?;
            let width = canvas.text_width(&name, SMALL_SIZE)?;
            let at = free(&mut taken, &inside, (x + 12.0, y), width);
            let grey = RGBColor(150, 150, 150).to_rgba();
            if (at.1 - y).abs() > 2.0 {
                canvas.line(&[(x, y), (at.0 - 2.0, at.1)], grey, 1.0)?;
            }
            canvas.text(
                &name,
                at,
                SMALL_SIZE,
                colour(index),
                (HPos::Left, VPos::Center),
            )?;
        }
    }
    Ok(())
}

/// The place nearest to `at`, above or below it and `inside`, where a text of this width covers nothing that is `taken`.
fn free(
    taken: &mut Vec<(f64, f64, f64)>,
    inside: &std::ops::Range<f64>,
    at: (f64, f64),
    width: f64,
) -> (f64, f64) {
    const STEP: f64 = SMALL_SIZE + 2.0;
    let is_free = |y: f64| {
        let apart = |&(x, other, wide): &(f64, f64, f64)| {
            (other - y).abs() >= STEP || x + wide < at.0 || at.0 + width < x
        };
        taken.iter().all(apart)
    };
    let shifts = (0..40).flat_map(|n| [-1.0, 1.0].map(|sign| sign * f64::from(n) * STEP / 2.0));
    let shift = shifts
        .into_iter()
        .find(|shift| inside.contains(&(at.1 + shift)) && is_free(at.1 + shift));
    let place = (at.0, at.1 + shift.unwrap_or(0.0));
    taken.push((place.0, place.1, width));
    place
}
