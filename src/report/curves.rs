//! Training curves.

use image::RgbImage;
use plotters::style::{Color, RGBAColor, RGBColor};

use super::ReportError;
use super::axes::{Axis, Frame, ink};
use super::canvas::{Canvas, HPos, VPos, check_size, paint};

/// One plot: a title above and one line per series.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    /// What is plotted, with its unit.
    pub title: String,
    /// The lines. A legend names them if there are several.
    pub series: Vec<Series>,
    /// Whether the vertical axis is logarithmic; values of 0 and below then have no place.
    pub log_scale: bool,
}

/// One line of a [`Panel`].
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The name in the legend.
    pub label: String,
    /// (optimiser step, value), in the order in which the line runs.
    pub points: Vec<(f64, f64)>,
}

/// The width of the whole picture in pixels.
const WIDTH: usize = 1200;
pub(super) const PANEL_HEIGHT: usize = 320;
pub(super) const COLUMNS: usize = 2;

pub(super) const MARGIN_LEFT: f64 = 78.0;
pub(super) const MARGIN_RIGHT: f64 = 26.0;
pub(super) const MARGIN_BOTTOM: f64 = 56.0;
pub(super) const TITLE_HEIGHT: f64 = 40.0;
const TITLE_SIZE: f64 = 20.0;
const TEXT_SIZE: f64 = 16.0;
const LEGEND_ROW: f64 = 20.0;
/// Rows of the legend; what does not fit is left out, so that the plot keeps its room.
const LEGEND_ROWS: usize = 2;
const SWATCH: f64 = 22.0;
const LINE_WIDTH: f64 = 1.5;

/// Magnitudes beyond this, or on a logarithmic axis below its inverse, are treated as not finite:
/// the margin that an axis adds around them could overflow.
const LARGEST: f64 = 1e250;

/// Line colours, told apart with the common kinds of colour blindness (Okabe and Ito, 2008,
/// <https://jfly.uni-koeln.de/color/>), without the yellow that vanishes on white.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0xe6, 0x9f, 0x00),
];

/// Draws `panels` in two columns on a picture 1200 pixels wide (one panel takes the full width).
///
/// Points that are not finite (magnitudes above 1e250 included), or on a logarithmic axis not above
/// 0 (below 1e-250), are skipped and the panel says how many. A panel without any point left says "no data".
///
/// # Errors
/// [`ReportError`] if there is no panel, or so many that the picture would be too large.
pub fn curves(panels: &[Panel]) -> Result<RgbImage, ReportError> {
    in_columns(panels, COLUMNS.min(panels.len()), draw_panel)
}

/// Has `draw` put every panel at its upper left corner, in its width.
pub(super) fn in_columns<P>(
    panels: &[P],
    columns: usize,
    draw: impl Fn(&Canvas, &P, (f64, f64), f64) -> Result<(), ReportError>,
) -> Result<RgbImage, ReportError> {
    if panels.is_empty() {
        return Err(ReportError::Nothing { what: "panels" });
    }
    let rows = panels.len().div_ceil(columns);
    let (width, height) = check_size(WIDTH, rows.saturating_mul(PANEL_HEIGHT))?;
    let panel_width = (WIDTH / columns) as f64;
    paint(width, height, |canvas| {
        for (index, panel) in panels.iter().enumerate() {
            let left = (index % columns) as f64 * panel_width;
            let top = (index / columns * PANEL_HEIGHT) as f64;
            draw(canvas, panel, (left, top), panel_width)?;
        }
        Ok(())
    })
}

fn draw_panel(
    canvas: &Canvas,
    panel: &Panel,
    (panel_left, panel_top): (f64, f64),
    panel_width: f64,
) -> Result<(), ReportError> {
    let lines: Vec<Vec<(f64, f64)>> = panel
        .series
        .iter()
        .map(|series| drawable(&series.points, panel.log_scale))
        .collect();
    let given: usize = panel.series.iter().map(|series| series.points.len()).sum();
    let skipped = given - lines.iter().map(Vec::len).sum::<usize>();

    let left = panel_left + MARGIN_LEFT;
    let width = panel_width - MARGIN_LEFT - MARGIN_RIGHT;
    draw_title(canvas, &panel.title, skipped, (left, panel_top), width)?;
    let legend_rows = draw_legend(
        canvas,
        &panel.series,
        (left, panel_top + TITLE_HEIGHT),
        width,
    )?;

    let top = panel_top + TITLE_HEIGHT + legend_rows as f64 * LEGEND_ROW;
    let frame = Frame {
        left,
        top,
        width,
        height: panel_top + PANEL_HEIGHT as f64 - MARGIN_BOTTOM - top,
        x: step_axis(lines.iter().flatten().map(|point| point.0)),
        y: value_axis(lines.iter().flatten().map(|point| point.1), panel.log_scale),
    };
    frame.draw(canvas)?;
    draw_size(canvas, "optimiser step", (left, panel_top), width)?;
    if lines.iter().all(Vec::is_empty) {
        let at = (left + width / 2.0, frame.top + frame.height / 2.0);
        let centred = (HPos::Center, VPos::Center);
        canvas.text("no data", at, TITLE_SIZE, grey(), centred)?;
    }
    for (index, line) in lines.iter().enumerate() {
        draw_line(canvas, &frame, line, colour(index))?;
    }
    Ok(())
}

/// The points that have a place on the axes.
pub(super) fn drawable(points: &[(f64, f64)], log_scale: bool) -> Vec<(f64, f64)> {
    let smallest = if log_scale { 1.0 / LARGEST } else { -LARGEST };
    points
        .iter()
        .copied()
        .filter(|(x, y)| x.abs() <= LARGEST && (smallest..=LARGEST).contains(y))
        .collect()
}

pub(super) fn draw_title(
    canvas: &Canvas,
    title: &str,
    skipped: usize,
    (left, top): (f64, f64),
    width: f64,
) -> Result<(), ReportError> {
    let middle = top + TITLE_HEIGHT / 2.0 + 2.0;
    let mut room = width;
    if skipped > 0 {
        let plural = if skipped == 1 { "" } else { "s" };
        let note = format!("{skipped} point{plural} skipped");
        let red = RGBColor(0xc0, 0x10, 0x10).to_rgba();
        let anchor = (HPos::Right, VPos::Center);
        canvas.text(&note, (left + width, middle), TEXT_SIZE, red, anchor)?;
        room -= canvas.text_width(&note, TEXT_SIZE)? + 12.0;
    }
    let title = canvas.fit(title, TITLE_SIZE, room)?;
    let anchor = (HPos::Left, VPos::Center);
    canvas.text(&title, (left, middle), TITLE_SIZE, ink(), anchor)
}

/// Says below the plot what its horizontal axis is.
pub(super) fn draw_size(
    canvas: &Canvas,
    text: &str,
    (left, top): (f64, f64),
    width: f64,
) -> Result<(), ReportError> {
    let below = (left + width / 2.0, top + PANEL_HEIGHT as f64 - 26.0);
    let centred = (HPos::Center, VPos::Center);
    canvas.text(text, below, TEXT_SIZE, ink(), centred)
}

/// Names the series above the plot, where no line can run through the names; returns the rows used.
fn draw_legend(
    canvas: &Canvas,
    series: &[Series],
    (left, top): (f64, f64),
    width: f64,
) -> Result<usize, ReportError> {
    if series.len() < 2 {
        return Ok(0);
    }
    let (mut x, mut row) = (left, 0);
    for (index, series) in series.iter().enumerate() {
        let label = canvas.fit(&series.label, TEXT_SIZE, width - SWATCH - 6.0)?;
        let entry = SWATCH + 6.0 + canvas.text_width(&label, TEXT_SIZE)?;
        if x > left && x + entry > left + width {
            if row + 1 == LEGEND_ROWS {
                break;
            }
            (x, row) = (left, row + 1);
        }
        let y = top + row as f64 * LEGEND_ROW + 6.0;
        canvas.line(&[(x, y), (x + SWATCH, y)], colour(index), 3.0)?;
        let at = (x + SWATCH + 6.0, y);
        canvas.text(&label, at, TEXT_SIZE, ink(), (HPos::Left, VPos::Center))?;
        x += entry + 18.0;
    }
    Ok(row + 1)
}

pub(super) fn draw_line(
    canvas: &Canvas,
    frame: &Frame,
    points: &[(f64, f64)],
    colour: RGBAColor,
) -> Result<(), ReportError> {
    if let [(x, y)] = *points {
        return canvas.dot(frame.pixel(x, y), colour, 3.0);
    }
    let pixels: Vec<_> = points.iter().map(|&(x, y)| frame.pixel(x, y)).collect();
    canvas.line(&thinned(&pixels), colour, LINE_WIDTH)
}

/// The same picture from fewer points: of a run that shares a half-pixel column only the first, the
/// extremes and the last can show.
fn thinned(pixels: &[(f64, f64)]) -> Vec<(f64, f64)> {
    pixels
        .chunk_by(|a, b| (a.0 * 2.0).floor() == (b.0 * 2.0).floor())
        .flat_map(|run| {
            let by_height = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
            let extremes = [run.iter().min_by(by_height), run.iter().max_by(by_height)];
            let [lowest, highest] = extremes;
            [run.first(), lowest, highest, run.last()]
        })
        .flatten()
        .copied()
        .collect()
}

/// The smallest and largest value, if there is any.
fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |bounds, value| {
        let (low, high) = bounds.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

/// Whether a range is too narrow for distinct ticks.
fn is_constant((low, high): (f64, f64)) -> bool {
    high - low <= low.abs().max(high.abs()) * 1e-9 || high - low < 1e-200
}

fn step_axis(steps: impl Iterator<Item = f64>) -> Axis {
    let (low, high) = bounds(steps).unwrap_or((0.0, 1.0));
    if is_constant((low, high)) {
        let reach = (low.abs() * 0.1).max(1.0);
        return Axis::linear(low - reach, high + reach, 1.0);
    }
    Axis::linear(low, high, 1.0)
}

fn value_axis(values: impl Iterator<Item = f64>, log_scale: bool) -> Axis {
    let (low, high) = bounds(values).unwrap_or(if log_scale { (0.1, 1.0) } else { (0.0, 1.0) });
    if log_scale {
        let (low, high) = (low.log10(), high.log10());
        let reach = if high - low < 1e-6 {
            0.5
        } else {
            (high - low) * 0.05
        };
        return Axis::logarithmic(low - reach, high + reach);
    }
    let reach = match (is_constant((low, high)), low) {
        (true, 0.0) => 1.0,
        (true, _) => (low.abs() * 0.1).max(1e-200),
        (false, _) => (high - low) * 0.05,
    };
    Axis::linear(low - reach, high + reach, 0.0)
}

pub(super) fn colour(index: usize) -> RGBAColor {
    COLOURS[index % COLOURS.len()].to_rgba()
}

fn grey() -> RGBAColor {
    RGBColor(130, 130, 130).to_rgba()
}
