//! Curves of cost over size.

use image::RgbImage;

use super::ReportError;
use super::axes::{Axis, Frame};
use super::canvas::Canvas;
use super::curves::{
    COLUMNS, MARGIN_BOTTOM, MARGIN_LEFT, MARGIN_RIGHT, PANEL_HEIGHT, TITLE_HEIGHT, colour,
    draw_line, draw_size, draw_title, drawable, in_columns,
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
    in_columns(panels, COLUMNS, draw_panel)
}

fn draw_panel(
    canvas: &Canvas,
    panel: &GrowthPanel,
    (left, top): (f64, f64),
    width: f64,
) -> Result<(), ReportError> {
    let points: Vec<(f64, f64)> = drawable(&panel.points, false)
        .into_iter()
        .filter(|(size, _)| *size > 0.0)
        .collect();
    let skipped = panel.points.len() - points.len();
    let (left, width) = (left + MARGIN_LEFT, width - MARGIN_LEFT - MARGIN_RIGHT);
    draw_title(canvas, &panel.title, skipped, (left, top), width)?;
    let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let sizes: Vec<f64> = points.iter().map(|point| point.0).collect();
    let frame = Frame {
        left,
        top: top + TITLE_HEIGHT,
        width,
        height: PANEL_HEIGHT as f64 - TITLE_HEIGHT - MARGIN_BOTTOM,
        x: Axis::sizes(&sizes),
        y: Axis::linear(0.0, if highest > 0.0 { highest * 1.1 } else { 1.0 }, 0.0),
    };
    frame.draw(canvas)?;
    draw_size(canvas, &panel.size, (left, top), width)?;
    draw_line(canvas, &frame, &points, colour(0))?;
    for &(size, cost) in &points {
        canvas.dot(frame.pixel(size, cost), colour(0), 4.0)?;
    }
    Ok(())
}
