//! A 2-D model beside its data.

use image::RgbImage;
use plotters::style::{Color, RGBColor};

use super::ReportError;
use super::axes::{Axis, Frame, ink};
use super::canvas::{Canvas, HPos, VPos, paint};
use super::colour::{LOUD, viridis};

/// The part of the plane that pictures of the planar sets show: the square [−4, 4]², where they lie.
pub(crate) const PLANE: f32 = 4.0;
/// Cells on a side of the grid of a landscape of it.
pub(crate) const PLANE_CELLS: usize = 160;

/// The inside of each square panel, in pixels.
pub(super) const SIDE: u32 = 360;
pub(super) const MARGIN_LEFT: u32 = 56;
const MARGIN_RIGHT: u32 = 14;
pub(super) const MARGIN_TOP: u32 = 44;
/// The uppermost tick label stands so far above the inside of a panel.
pub(super) const ABOVE_PANEL: u32 = 10;
const MARGIN_BOTTOM: u32 = 60;
pub(super) const PITCH: u32 = MARGIN_LEFT + SIDE + MARGIN_RIGHT;
const TITLE_SIZE: f64 = 20.0;
const NOTE_SIZE: f64 = 15.0;

pub(super) const DATA_COLOUR: RGBColor = RGBColor(0x00, 0x72, 0xb2);
pub(super) const SAMPLE_COLOUR: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
const POINT_RADIUS: f64 = 1.5;
/// Points are translucent, so that a crowd is darker than a straggler.
const POINT_OPACITY: f64 = 0.55;

/// Draws three squares that share the axes [−`extent`, `extent`]²: the energy landscape, the `data`
/// and `samples`, both as (x, y). The last one is called `title`, after what has drawn the samples.
///
/// `energies` is a grid of `side` × `side` cells in rows, the top row first: `energies[row * side +
/// col]` is the energy at the centre of its cell,
///
/// - x = −extent + (col + ½) · 2 · extent / side
/// - y = extent − (row + ½) · 2 · extent / side
///
/// Its colour is the unnormalised density relative to the best cell, exp(−(E − E_min)): modes are
/// yellow, and dark violet is improbable. Energies that are not finite are magenta and have no part
/// in E_min. Points outside the square cannot be drawn; a note below the panel counts them, and
/// those that are not finite.
///
/// # Errors
/// [`ReportError`] if `side` is 0, if `energies` does not have `side` × `side` values, or if
/// `extent` is not in 1e-6 ..= 1e6.
pub fn landscape(
    energies: &[f32],
    side: usize,
    extent: f32,
    data: &[[f32; 2]],
    samples: &[[f32; 2]],
    title: &str,
) -> Result<RgbImage, ReportError> {
    check_grids("energies", &[energies], side)?;
    check_extent(extent)?;
    let finite = finite(energies);
    let lowest = finite.iter().copied().fold(f32::INFINITY, f32::min);
    let mut image = paint(3 * PITCH, panel_height(), |canvas| {
        let energy_note = count_note(&[(energies.len() - finite.len(), "not finite")]);
        draw_panel(canvas, 0, extent, "energy: exp(−E)", &energy_note)?;
        draw_points(canvas, 1, extent, "data", data, DATA_COLOUR)?;
        draw_points(canvas, 2, extent, title, samples, SAMPLE_COLOUR)
    })?;
    fill(&mut image, 0, side, energies, |energy| {
        (lowest - energy).exp()
    });
    Ok(image)
}

/// The centres of the cells of such a grid, as (x, y), one after the other.
pub(crate) fn cell_centres(side: usize, extent: f32) -> Vec<f32> {
    let cell = 2.0 * extent / side as f32;
    let centre = |place: usize| {
        let (row, column) = (place / side, place % side);
        let x = -extent + (column as f32 + 0.5) * cell;
        [x, extent - (row as f32 + 0.5) * cell]
    };
    (0..side * side).flat_map(centre).collect()
}

/// Draws `points`, as (x, y), in the square [−`extent`, `extent`]² under `title`.
///
/// # Errors
/// [`ReportError`] if `extent` is not in 1e-6 ..= 1e6.
pub(crate) fn scatter(
    title: &str,
    extent: f32,
    points: &[[f32; 2]],
) -> Result<RgbImage, ReportError> {
    check_extent(extent)?;
    paint(PITCH, panel_height(), |canvas| {
        draw_points(canvas, 0, extent, title, points, SAMPLE_COLOUR)
    })
}

/// Refuses grids that do not have `side` × `side` values, and those without any, which lack `what`.
pub(super) fn check_grids(
    what: &'static str,
    grids: &[&[f32]],
    side: usize,
) -> Result<(), ReportError> {
    if side == 0 {
        return Err(ReportError::Nothing { what });
    }
    for energies in grids.iter().map(|grid| grid.len()) {
        if side.checked_mul(side) != Some(energies) {
            return Err(ReportError::LandscapeSize { energies, side });
        }
    }
    Ok(())
}

pub(super) fn check_extent(extent: f32) -> Result<(), ReportError> {
    match (1e-6..=1e6).contains(&extent) {
        true => Ok(()),
        false => Err(ReportError::Extent { extent }),
    }
}

/// Those of `values` that are finite.
pub(super) fn finite(values: &[f32]) -> Vec<f32> {
    let finite = values.iter().filter(|value| value.is_finite());
    finite.copied().collect()
}

/// Fills the inside of a panel with the colours of `values`, cell by cell, straight into the finished picture: cells have
/// no edges to smooth.
pub(super) fn fill(
    image: &mut RgbImage,
    panel: u32,
    side: usize,
    values: &[f32],
    brightness: impl Fn(f32) -> f32,
) {
    let colour = |value: f32| match value.is_finite() {
        true => viridis(brightness(value)),
        false => LOUD,
    };
    let cell = |pixel: u32| pixel as usize * side / SIDE as usize;
    // The outermost pixels stay as they are: they carry the frame.
    for y in 1..SIDE {
        for x in 1..SIDE {
            let colour = colour(values[cell(y) * side + cell(x)]);
            image.put_pixel(panel * PITCH + MARGIN_LEFT + x, MARGIN_TOP + y, colour);
        }
    }
}

/// The height of a picture of one row of panels.
pub(super) fn panel_height() -> u32 {
    MARGIN_TOP + SIDE + MARGIN_BOTTOM
}

pub(super) fn draw_points(
    canvas: &Canvas,
    panel: u32,
    extent: f32,
    title: &str,
    points: &[[f32; 2]],
    colour: RGBColor,
) -> Result<(), ReportError> {
    let is_finite = |point: &&[f32; 2]| point.iter().all(|v| v.is_finite());
    let is_inside = |point: &&[f32; 2]| point.iter().all(|v| v.abs() <= extent);
    let finite = points.iter().filter(is_finite).count();
    let inside = points.iter().filter(is_inside).count();
    let note = count_note(&[
        (finite - inside, "outside"),
        (points.len() - finite, "not finite"),
    ]);
    let frame = draw_panel(canvas, panel, extent, title, &note)?;
    for [x, y] in points.iter().filter(is_inside) {
        let pixel = frame.pixel(f64::from(*x), f64::from(*y));
        canvas.dot(pixel, colour.mix(POINT_OPACITY), POINT_RADIUS)?;
    }
    if points.is_empty() {
        let centre = frame.pixel(0.0, 0.0);
        let grey = RGBColor(130, 130, 130).to_rgba();
        let anchor = (HPos::Center, VPos::Center);
        canvas.text("no points", centre, TITLE_SIZE, grey, anchor)?;
    }
    Ok(())
}

/// The inside of a panel, counted from the left.
pub(super) fn square(panel: u32, extent: f32) -> Frame {
    let axis = || Axis::linear(-f64::from(extent), f64::from(extent), 0.0);
    Frame {
        left: f64::from(panel * PITCH + MARGIN_LEFT),
        top: f64::from(MARGIN_TOP),
        width: f64::from(SIDE),
        height: f64::from(SIDE),
        x: axis(),
        y: axis(),
    }
}

/// Draws the axes, the title and the note of a panel, counted from the left.
pub(super) fn draw_panel(
    canvas: &Canvas,
    panel: u32,
    extent: f32,
    title: &str,
    note: &str,
) -> Result<Frame, ReportError> {
    let frame = square(panel, extent);
    frame.draw(canvas)?;
    let middle = frame.left + frame.width / 2.0;
    let anchor = (HPos::Center, VPos::Center);
    let above = frame.top / 2.0;
    canvas.text(title, (middle, above), TITLE_SIZE, ink(), anchor)?;
    if !note.is_empty() {
        let below = frame.top + frame.height + 44.0;
        let red = RGBColor(0xc0, 0x10, 0x10).to_rgba();
        canvas.text(note, (middle, below), NOTE_SIZE, red, anchor)?;
    }
    Ok(frame)
}

/// "3 outside, 1 not finite", without the parts that count nothing.
pub(super) fn count_note(counts: &[(usize, &str)]) -> String {
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    parts.join(", ")
}
