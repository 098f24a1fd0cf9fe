//! The frames of an animation over training.

use image::{Rgb, RgbImage, imageops};
use plotters::style::{Color, RGBColor};

use super::ReportError;
use super::canvas::paint_over;
use super::landscape::{ABOVE_PANEL, MARGIN_TOP, PITCH, check_extent, panel_height, square};

const WHITE: Rgb<u8> = Rgb([255; 3]);

/// A datum is a white dot on a black one, which is seen on every colour of a landscape.
const RIM_RADIUS: f64 = 2.0;
const DOT_RADIUS: f64 = 1.0;

/// The energy landscape of a picture by [`landscape`](super::landscape()) of the square [−`extent`, `extent`]², with `data` over
/// it; none where it is another picture.
///
/// # Errors
/// [`ReportError`] if `extent` is not in 1e-6 ..= 1e6.
pub(crate) fn landscape_with_data(
    picture: &RgbImage,
    extent: f32,
    data: &[[f32; 2]],
) -> Result<Option<RgbImage>, ReportError> {
    check_extent(extent)?;
    if picture.dimensions() != (3 * PITCH, panel_height()) {
        return Ok(None);
    }
    // The panel's own title says less than that of a frame.
    let top = MARGIN_TOP - ABOVE_PANEL;
    let panel = imageops::crop_imm(picture, 0, top, PITCH, panel_height() - top);
    let frame = square(0, extent);
    let inside = |point: &&[f32; 2]| point.iter().all(|value| value.abs() <= extent);
    paint_over(&panel.to_image(), |canvas| {
        for [x, y] in data.iter().filter(inside) {
            let (x, y) = frame.pixel(f64::from(*x), f64::from(*y));
            let at = (x, y - f64::from(top));
            canvas.dot(at, RGBColor(0, 0, 0).mix(0.8), RIM_RADIUS)?;
            canvas.dot(at, RGBColor(255, 255, 255).to_rgba(), DOT_RADIUS)?;
        }
        Ok(())
    })
    .map(Some)
}

/// `frames` on sheets of one size, the largest width and height among them.
pub(crate) fn on_one_size(frames: Vec<RgbImage>) -> Vec<RgbImage> {
    let width = frames.iter().map(RgbImage::width).max().unwrap_or(0);
    let height = frames.iter().map(RgbImage::height).max().unwrap_or(0);
    let fitted = frames.into_iter().map(|frame| {
        if frame.dimensions() == (width, height) {
            return frame;
        }
        let mut sheet = RgbImage::from_pixel(width, height, WHITE);
        imageops::replace(&mut sheet, &frame, 0, 0);
        sheet
    });
    fitted.collect()
}

/// `most` places of 0..`all`, the first and the last among them; all where there are no more.
pub(crate) fn evenly(all: usize, most: usize) -> Vec<usize> {
    match most {
        _ if all <= most => (0..all).collect(),
        0 => Vec::new(),
        1 => vec![all - 1],
        _ => (0..most)
            .map(|place| (place * (all - 1) + (most - 1) / 2) / (most - 1))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::landscape;
    use super::super::landscape::{MARGIN_LEFT, SIDE};
    use super::*;

    #[test]
    fn places_are_even_and_hold_both_ends() {
        assert_eq!(evenly(3, 24), [0, 1, 2]);
        assert_eq!(evenly(5, 1), [4]);
        let places = evenly(1001, 11);
        assert_eq!(places, (0..11).map(|place| place * 100).collect::<Vec<_>>());
        let places = evenly(100, 24);
        assert_eq!((places.len(), places[0], places[23]), (24, 0, 99));
        assert!(
            places
                .windows(2)
                .all(|pair| (4..=5).contains(&(pair[1] - pair[0])))
        );
    }

    #[test]
    fn data_stand_where_they_are_on_the_landscape() {
        let energies: Vec<f32> = (0..16).map(|cell| cell as f32).collect();
        let whole = landscape(&energies, 4, 2.0, &[[0.0, 0.0]], &[], "samples").unwrap();
        let data = [[1.0, 1.0], [f32::NAN, 0.0], [3.0, 0.0]];
        let bare = landscape_with_data(&whole, 2.0, &[]).unwrap().unwrap();
        let drawn = landscape_with_data(&whole, 2.0, &data).unwrap().unwrap();
        let inside = imageops::crop_imm(&whole, 70, 80, 300, 300).to_image();
        let lifted =
            imageops::crop_imm(&bare, 70, 80 - (MARGIN_TOP - ABOVE_PANEL), 300, 300).to_image();
        assert_eq!(inside, lifted, "the landscape itself is not drawn anew");
        let changed: Vec<(u32, u32)> = drawn
            .enumerate_pixels()
            .filter(|(x, y, pixel)| *pixel != bare.get_pixel(*x, *y))
            .map(|(x, y, _)| (x, y))
            .collect();
        // Three quarters to the right, a quarter from above.
        let (x, y) = (MARGIN_LEFT + SIDE * 3 / 4, ABOVE_PANEL + SIDE / 4);
        assert_eq!(*drawn.get_pixel(x, y), WHITE);
        let is_near = |&(px, py): &(u32, u32)| px.abs_diff(x) <= 4 && py.abs_diff(y) <= 4;
        assert!(changed.len() > 9 && changed.iter().all(is_near));
        let other = RgbImage::new(3 * PITCH, panel_height() - 1);
        assert!(landscape_with_data(&other, 2.0, &data).unwrap().is_none());
    }

    #[test]
    fn frames_of_different_sizes_are_put_on_one() {
        let frames = [(3, 2), (2, 5)].map(|(w, h)| RgbImage::new(w, h));
        let fitted = on_one_size(frames.into());
        assert!(fitted.iter().all(|frame| frame.dimensions() == (3, 5)));
        assert_eq!(*fitted[0].get_pixel(2, 4), WHITE);
        assert_eq!(*fitted[0].get_pixel(2, 1), Rgb([0; 3]));
        assert!(on_one_size(Vec::new()).is_empty());
    }
}
