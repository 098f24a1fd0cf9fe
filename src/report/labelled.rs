//! Image samples side by side, with words.

use image::RgbImage;
use plotters::style::{Color, RGBColor};

use super::ReportError;
use super::canvas::{HPos, VPos, check_size, paint_over};
use super::grid::{BACKGROUND, check_samples, put_sample};
use super::title::titled;
use crate::shape::Shape;

/// What is written on a grid of samples.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words<'a> {
    /// Two lines above all of it.
    pub(crate) title: [&'a str; 2],
    /// Above each column; empty for nothing.
    pub(crate) heads: &'a [String],
    /// Below each sample; empty for nothing.
    pub(crate) below: &'a [String],
}

/// Pixels between cells and around the grid.
const GAP: usize = 4;
/// The longer side of a cell has at least so many pixels, so that there is room for words.
const SMALLEST_CELL: usize = 80;
/// A line of words.
const LINE: usize = 22;
const TEXT_SIZE: f64 = 16.0;
const INK: RGBColor = RGBColor(235, 235, 235);

/// Draws image samples as [`sample_grid`](super::sample_grid) does, in cells of at least 80 pixels, with words.
///
/// # Errors
/// As for [`sample_grid`](super::sample_grid).
pub(crate) fn labelled_grid(
    samples: &[f32],
    shape: Shape,
    brightness: impl Fn(f32) -> f32,
    columns: usize,
    words: &Words<'_>,
) -> Result<RgbImage, ReportError> {
    let count = check_samples(samples, shape, columns)?;
    let columns = columns.min(count);
    let factor = SMALLEST_CELL.div_ceil(shape.height.max(shape.width));
    let (width, height) = (shape.width * factor, shape.height * factor);
    let head = if words.heads.is_empty() { 0 } else { LINE };
    let foot = if words.below.is_empty() { 0 } else { LINE };
    // A narrow picture stands in the middle of a cell that has room for words.
    let step_x = width.max(SMALLEST_CELL) + GAP;
    let step_y = height + foot + GAP;
    let (image_width, image_height) = check_size(
        columns.saturating_mul(step_x).saturating_add(GAP),
        count
            .div_ceil(columns)
            .saturating_mul(step_y)
            .saturating_add(GAP + head),
    )?;
    let mut image = RgbImage::from_pixel(image_width, image_height, BACKGROUND);
    let corner = |index: usize| {
        (
            GAP + index % columns * step_x,
            GAP + head + index / columns * step_y,
        )
    };
    for (index, sample) in samples.chunks_exact(shape.len()).enumerate() {
        let (left, top) = corner(index);
        let at = (left + (step_x - GAP - width) / 2, top);
        put_sample(&mut image, at, sample, shape, &brightness, factor);
    }
    let room = (step_x - GAP) as f64;
    let written = paint_over(&image, |canvas| {
        let write = |text: &str, index: usize, y: usize| {
            let text = canvas.fit(text, TEXT_SIZE, room)?;
            let at = (corner(index).0 as f64 + room / 2.0, (y + LINE / 2) as f64);
            let anchor = (HPos::Center, VPos::Center);
            canvas.text(&text, at, TEXT_SIZE, INK.to_rgba(), anchor)
        };
        for (column, text) in words.heads.iter().take(columns).enumerate() {
            write(text, column, GAP / 2)?;
        }
        for (index, text) in words.below.iter().take(count).enumerate() {
            write(text, index, corner(index).1 + height)?;
        }
        Ok(())
    })?;
    titled(&written, words.title)
}

/// `values` as short as they can be told apart by, with as many decimals each.
pub(crate) fn in_few_digits(values: &[f32]) -> Vec<String> {
    let largest = values.iter().filter(|value| value.is_finite());
    let largest = largest.fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let decimals = match largest {
        _ if largest < 10.0 => 2,
        _ if largest < 1000.0 => 1,
        _ => 0,
    };
    let text = |value: &f32| match largest {
        _ if largest >= 1e6 => format!("{value:.1e}"),
        _ => format!("{value:.decimals$}"),
    };
    let texts = values.iter().map(text);
    texts.map(|text| text.replace('-', "−")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, imageops};

    fn white(words: &Words<'_>, shape: Shape) -> RgbImage {
        labelled_grid(&vec![1.0; 6 * shape.len()], shape, |v| v, 3, words).unwrap()
    }

    #[test]
    fn words_stand_beside_the_samples_and_cover_none() {
        let shape = Shape::new(1, 8, 8);
        let texts = |what: &str, count| vec![what.to_owned(); count];
        let (heads, below) = (texts("step 5", 3), texts("−12.3", 6));
        let words = Words {
            title: ["a title", "and what it says"],
            heads: &heads,
            below: &below,
        };
        let count = |image: &RgbImage, colour: [u8; 3]| {
            let same = |pixel: &&Rgb<u8>| pixel.0 == colour;
            image.pixels().filter(same).count()
        };
        let all = white(&words, shape);
        let top = all.height() - (GAP + LINE + 2 * (80 + LINE + GAP)) as u32;
        let below_title = imageops::crop_imm(&all, 0, top, all.width(), all.height() - top);
        let grid = below_title.to_image();
        assert_eq!(count(&grid, [255; 3]), 6 * 80 * 80 + side_strips(&grid));
        assert!(count(&grid, [235; 3]) > 100);
        let bare = white(&Words::default(), shape);
        assert_eq!(count(&bare, [235; 3]), 0);
        assert!(bare.height() < all.height());
    }

    /// White beside a grid that is narrower than its title.
    fn side_strips(grid: &RgbImage) -> usize {
        let narrow = 3 * (80 + GAP) + GAP;
        (grid.width() as usize - narrow) * grid.height() as usize
    }

    #[test]
    fn narrow_samples_have_room_for_words() {
        let words = Words::default();
        let image = white(&words, Shape::new(1, 36, 1));
        // Cells of 80 pixels in three columns, each with three white ones in its middle.
        let grid_width = 3 * (80 + GAP) + GAP;
        let left = (image.width() as usize - grid_width) / 2;
        let row = image.height() - 10;
        let lit = |x: usize| image.get_pixel((left + x) as u32, row).0 == [255; 3];
        let found: Vec<usize> = (0..grid_width).filter(|&x| lit(x)).collect();
        assert_eq!(found, [42, 43, 44, 126, 127, 128, 210, 211, 212]);
    }

    #[test]
    fn energies_are_told_in_few_digits() {
        assert_eq!(in_few_digits(&[-1.234, 5.0]), ["−1.23", "5.00"]);
        assert_eq!(in_few_digits(&[-12.34, 5.0]), ["−12.3", "5.0"]);
        assert_eq!(in_few_digits(&[-1234.5, 5.0]), ["−1234", "5"]);
        assert_eq!(in_few_digits(&[-2.5e7]), ["−2.5e7"]);
        assert_eq!(in_few_digits(&[f32::NAN, 1.0]), ["NaN", "1.00"]);
        assert!(in_few_digits(&[]).is_empty());
    }
}
