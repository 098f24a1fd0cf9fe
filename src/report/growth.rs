//! Curves of cost over size.

use image::RgbImage;

use super::ReportError;
use super::axes::{Axis, Frame, ink};
use super::canvas::{Canvas, HPos, VPos, check_size, paint};
use super::curves::{
    COLUMNS, MARGIN_BOTTOM, MARGIN_LEFT, MARGIN_RIGHT, PANEL_HEIGHT, TEXT_SIZE, TITLE_HEIGHT,
    WIDTH, colour, draw_line, draw_title, drawable,
};

/// A cost over sizes that double, drawn from zero up, so that flat looks flat.
#[derive(Clone, Debug, Default)]
pub struct GrowthPanel {
    /// What is plotted, with its unit.
    pub title: String,
    /// What grows.
    pub size: String,
    /// (size, cost) in growing order; sizes are above zero.
    pub points: Vec<(f64, f64)>,
}

/// Draws `panels` in two columns on a picture 1200 pixels wide. Points that are not finite are skipped, and the panel
/// says how many.
///
/// # Errors
/// [`ReportError`] if there is no panel, or so many that the picture would be too large.
pub fn growth_curves(panels: &[GrowthPanel]) -> Result<RgbImage, ReportError> {
    if panels.is_empty() {
        return Err(ReportError::Nothing { what: "panels" });
    }
    let rows = panels.len().div_ceil(COLUMNS);
    let (width, height) = check_size(WIDTH, rows.saturating_mul(PANEL_HEIGHT))?;
    paint(width, height, |canvas| {
        for (index, panel) in panels.iter().enumerate() {
            let left = (index % COLUMNS * (WIDTH / COLUMNS)) as f64;
            let top = (index / COLUMNS * PANEL_HEIGHT) as f64;
            draw_panel(canvas, panel, (left, top))?;
        }
        Ok(())
    })
}

fn draw_panel(
    canvas: &Canvas,
    panel: &GrowthPanel,
    (left, top): (f64, f64),
) -> Result<(), ReportError> {
    let points: Vec<(f64, f64)> = drawable(&panel.points, false)
        .into_iter()
        .filter(|(size, _)| *size > 0.0)
        .collect();
    let skipped = panel.points.len() - points.len();
    let width = (WIDTH / COLUMNS) as f64 - MARGIN_LEFT - MARGIN_RIGHT;
    let inner_left = left + MARGIN_LEFT;
    draw_title(canvas, &panel.title, skipped, (inner_left, top), width)?;
    let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let sizes: Vec<f64> = points.iter().map(|point| point.0).collect();
    let frame = Frame {
        left: inner_left,
        top: top + TITLE_HEIGHT,
        width,
        height: PANEL_HEIGHT as f64 - TITLE_HEIGHT - MARGIN_BOTTOM,
        x: Axis::sizes(&sizes),
        y: Axis::linear(0.0, if highest > 0.0 { highest * 1.1 } else { 1.0 }, 0.0),
    };
    frame.draw(canvas)?;
    let below = (inner_left + width / 2.0, top + PANEL_HEIGHT as f64 - 26.0);
    let centred = (HPos::Center, VPos::Center);
    canvas.text(&panel.size, below, TEXT_SIZE, ink(), centred)?;
    draw_line(canvas, &frame, &points, colour(0))?;
    for &(size, cost) in &points {
        canvas.dot(frame.pixel(size, cost), colour(0), 4.0)?;
    }
    Ok(())
}
