//! Image samples side by side.

use image::{Rgb, RgbImage};

use super::ReportError;
use super::canvas::check_size;
use super::colour::LOUD;
use crate::shape::Shape;

/// Pixels between cells and around the grid.
const GAP: usize = 2;
/// The longer side of a cell has at least this many pixels.
const SMALLEST_CELL: usize = 48;
pub(super) const BACKGROUND: Rgb<u8> = Rgb([40, 40, 40]);

/// Draws image samples as a grid, left to right and top to bottom.
///
/// `samples` holds whole samples one after the other, each channel by channel in rows (C×H×W) with 1
/// channel (grey) or 3 (red, green, blue). `brightness` maps a model value to 0 (dark) ..= 1
/// (bright); what it returns outside is clamped. A value that is not finite, before or after
/// `brightness`, makes its whole pixel magenta. Small images are enlarged by the whole factor
/// that brings their longer side to at least 48 pixels. With fewer samples than `columns`, the grid
/// is only as wide as the samples.
///
/// # Errors
/// [`ReportError`] if `samples` is empty or not whole samples of `shape`, if `shape` is empty or has
/// another number of channels, if `columns` is 0, or if the picture would be too large.
pub fn sample_grid(
    samples: &[f32],
    shape: Shape,
    brightness: impl Fn(f32) -> f32,
    columns: usize,
) -> Result<RgbImage, ReportError> {
    let count = check_samples(samples, shape, columns)?;
    let Shape { height, width, .. } = shape;
    let columns = columns.min(count);
    let factor = SMALLEST_CELL.div_ceil(height.max(width));
    let (step_x, step_y) = (width * factor + GAP, height * factor + GAP);
    let (image_width, image_height) = check_size(
        columns.saturating_mul(step_x).saturating_add(GAP),
        count
            .div_ceil(columns)
            .saturating_mul(step_y)
            .saturating_add(GAP),
    )?;
    let mut image = RgbImage::from_pixel(image_width, image_height, BACKGROUND);
    for (index, sample) in samples.chunks_exact(shape.len()).enumerate() {
        let at = (
            GAP + index % columns * step_x,
            GAP + index / columns * step_y,
        );
        put_sample(&mut image, at, sample, shape, &brightness, factor);
    }
    Ok(image)
}

/// How many samples of `shape` there are, if they can be drawn in `columns`.
pub(super) fn check_samples(
    samples: &[f32],
    shape: Shape,
    columns: usize,
) -> Result<usize, ReportError> {
    let Shape {
        channels,
        height,
        width,
    } = shape;
    if channels != 1 && channels != 3 {
        return Err(ReportError::UnsupportedChannels { shape });
    }
    if height == 0 || width == 0 {
        return Err(ReportError::EmptyShape { shape });
    }
    if columns == 0 {
        return Err(ReportError::NoColumns);
    }
    if samples.is_empty() {
        return Err(ReportError::Nothing { what: "samples" });
    }
    // A product that would overflow exceeds the length of any slice.
    let sample_len = height.saturating_mul(width).saturating_mul(channels);
    match samples.len().is_multiple_of(sample_len) {
        true => Ok(samples.len() / sample_len),
        false => Err(ReportError::PartialSample {
            values: samples.len(),
            shape,
        }),
    }
}

/// Draws a sample, enlarged by `factor`, with its upper left corner at (`left`, `top`).
pub(super) fn put_sample(
    image: &mut RgbImage,
    (left, top): (usize, usize),
    sample: &[f32],
    shape: Shape,
    brightness: impl Fn(f32) -> f32,
    factor: usize,
) {
    let pixels = shape.height * shape.width;
    for pixel in 0..pixels {
        let channel = |c: usize| {
            let value = sample[c * pixels + pixel];
            let bright = brightness(value);
            (value.is_finite() && bright.is_finite())
                .then(|| (bright.clamp(0.0, 1.0) * 255.0).round() as u8)
        };
        let colour = if shape.channels == 1 {
            channel(0).map(|grey| Rgb([grey; 3]))
        } else {
            channel(0)
                .zip(channel(1))
                .zip(channel(2))
                .map(|((red, green), blue)| Rgb([red, green, blue]))
        };
        let colour = colour.unwrap_or(LOUD);
        let x = left + pixel % shape.width * factor;
        let y = top + pixel / shape.width * factor;
        for dy in 0..factor {
            for dx in 0..factor {
                image.put_pixel((x + dx) as u32, (y + dy) as u32, colour);
            }
        }
    }
}
