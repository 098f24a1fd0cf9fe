//! A title above a picture.

use image::{Rgb, RgbImage, imageops};

use super::ReportError;
use super::axes::ink;
use super::canvas::{HPos, VPos, check_size, paint};

/// The strip with the two lines of a title: legible at half the size.
pub(super) const STRIP: u32 = 62;
const TITLE_SIZE: f64 = 21.0;
const NOTE_SIZE: f64 = 17.0;
const INDENT: f64 = 10.0;
/// A title takes so many pixels at least.
const NARROWEST: u32 = 402;
const WHITE: Rgb<u8> = Rgb([255; 3]);

/// `picture` below two lines, each cut short where it is too long.
///
/// # Errors
/// [`ReportError`] if it would be too large.
pub(crate) fn titled(picture: &RgbImage, lines: [&str; 2]) -> Result<RgbImage, ReportError> {
    let width = picture.width().max(NARROWEST);
    let height = u64::from(picture.height()) + u64::from(STRIP);
    let (width, height) = check_size(width as usize, height as usize)?;
    let strip = paint(width, STRIP, |canvas| {
        let lines = [(lines[0], TITLE_SIZE, 19.0), (lines[1], NOTE_SIZE, 45.0)];
        for (line, size, y) in lines {
            let line = canvas.fit(line, size, f64::from(width) - 2.0 * INDENT)?;
            let anchor = (HPos::Left, VPos::Center);
            canvas.text(&line, (INDENT, y), size, ink(), anchor)?;
        }
        Ok(())
    })?;
    let mut frame = RgbImage::from_pixel(width, height, WHITE);
    imageops::replace(&mut frame, &strip, 0, 0);
    let left = (width - picture.width()) / 2;
    imageops::replace(&mut frame, picture, left.into(), STRIP.into());
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_stands_above_the_picture_and_changes_none_of_it() {
        let picture = RgbImage::from_fn(500, 30, |x, y| Rgb([x as u8, y as u8, 7]));
        let frame = titled(&picture, ["after 5 steps", &"much too long ".repeat(20)]).unwrap();
        assert_eq!(frame.dimensions(), (500, 30 + STRIP));
        let below = imageops::crop_imm(&frame, 0, STRIP, 500, 30).to_image();
        assert_eq!(below, picture);
        let is_written = |pixel: &&Rgb<u8>| pixel[0] < 100;
        let rows = [0..STRIP / 2, STRIP / 2..STRIP].map(|rows| {
            let strip = imageops::crop_imm(&frame, 0, rows.start, 500, STRIP / 2);
            strip.to_image().pixels().filter(is_written).count()
        });
        assert!(rows.iter().all(|&dark| dark > 50), "{rows:?}");
        let small = titled(&RgbImage::new(2, 2), ["a", "b"]).unwrap();
        assert_eq!(small.dimensions(), (NARROWEST, 2 + STRIP));
    }
}
