//! A white sheet to draw lines, dots and text on, with smooth edges.

use std::fmt::Display;
#[cfg(not(target_arch = "wasm32"))]
use std::sync::OnceLock;

use image::{RgbImage, imageops};
use plotters::backend::BitMapBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon};
use plotters::style::text_anchor::Pos;
use plotters::style::{Color, IntoFont, RGBAColor, TextStyle, WHITE};
#[cfg(not(target_arch = "wasm32"))]
use plotters::style::{FontStyle, register_font};

use super::ReportError;

pub(super) use plotters::style::text_anchor::{HPos, VPos};

const FONT: &str = "afterimage";
#[cfg(not(target_arch = "wasm32"))]
const FONT_BYTES: &[u8] = include_bytes!("../../assets/fonts/DejaVuSans-subset.ttf");

/// Everything is drawn this many times larger and averaged down: the bitmap backend leaves the
/// edges of thick lines jagged and sets glyphs on whole pixels only.
const OVERSAMPLING: u32 = 2;
/// The most pixels a picture may have (192 MiB of RGB), so that a slip in a size is an error rather
/// than an exhausted memory.
const MOST_PIXELS: usize = 1 << 26;

/// The pixel size of a picture as the image crate counts it, or an error if it is too large.
pub(super) fn check_size(width: usize, height: usize) -> Result<(u32, u32), ReportError> {
    let too_large = ReportError::TooLarge { width, height };
    match (u32::try_from(width), u32::try_from(height)) {
        (Ok(w), Ok(h)) if width.saturating_mul(height) <= MOST_PIXELS => Ok((w, h)),
        _ => Err(too_large),
    }
}

/// A drawing surface. All coordinates and sizes are in pixels of the finished picture.
pub(super) struct Canvas<'a> {
    area: DrawingArea<BitMapBackend<'a>, Shift>,
}

/// Draws a picture of `width` × `height` pixels on white.
pub(super) fn paint(
    width: u32,
    height: u32,
    draw: impl FnOnce(&Canvas) -> Result<(), ReportError>,
) -> Result<RgbImage, ReportError> {
    use_embedded_font()?;
    let mut large = RgbImage::new(width * OVERSAMPLING, height * OVERSAMPLING);
    let size = large.dimensions();
    {
        let area = BitMapBackend::with_buffer(&mut large, size).into_drawing_area();
        area.fill(&WHITE).map_err(drawing)?;
        draw(&Canvas { area })?;
    }
    Ok(imageops::thumbnail(&large, width, height))
}

/// Draws over `image`, and leaves it as it is elsewhere.
pub(super) fn paint_over(
    image: &RgbImage,
    draw: impl FnOnce(&Canvas) -> Result<(), ReportError>,
) -> Result<RgbImage, ReportError> {
    use_embedded_font()?;
    let (width, height) = image.dimensions();
    // Averaged down, four equal pixels are what they were.
    let mut large = RgbImage::from_fn(width * OVERSAMPLING, height * OVERSAMPLING, |x, y| {
        *image.get_pixel(x / OVERSAMPLING, y / OVERSAMPLING)
    });
    let size = large.dimensions();
    {
        let area = BitMapBackend::with_buffer(&mut large, size).into_drawing_area();
        draw(&Canvas { area })?;
    }
    Ok(imageops::thumbnail(&large, width, height))
}

impl Canvas<'_> {
    /// A line with round ends and joints through `points`.
    pub(super) fn line(
        &self,
        points: &[(f64, f64)],
        colour: RGBAColor,
        width: f64,
    ) -> Result<(), ReportError> {
        let stroke = colour.stroke_width(((width * f64::from(OVERSAMPLING)).round() as u32).max(1));
        // One segment at a time: the backend's mitred joints spike out of a noisy curve.
        for pair in points.windows(2) {
            let ends = [large_pixel(pair[0]), large_pixel(pair[1])];
            if ends[0] != ends[1] {
                self.area
                    .draw(&PathElement::new(ends, stroke))
                    .map_err(drawing)?;
            }
        }
        if width > 1.0 {
            for &point in points {
                self.dot(point, colour, width / 2.0)?;
            }
        }
        Ok(())
    }

    /// What lies inside of `corners`.
    pub(super) fn area(
        &self,
        corners: &[(f64, f64)],
        colour: RGBAColor,
    ) -> Result<(), ReportError> {
        let corners: Vec<(i32, i32)> = corners.iter().map(|&corner| large_pixel(corner)).collect();
        self.area
            .draw(&Polygon::new(corners, colour))
            .map_err(drawing)
    }

    /// A filled disc.
    pub(super) fn dot(
        &self,
        centre: (f64, f64),
        colour: RGBAColor,
        radius: f64,
    ) -> Result<(), ReportError> {
        let radius = (radius * f64::from(OVERSAMPLING)).round() as i32;
        self.area
            .draw(&Circle::new(large_pixel(centre), radius, colour.filled()))
            .map_err(drawing)
    }

    /// One line of text, anchored at `at` as `anchor` says.
    pub(super) fn text(
        &self,
        text: &str,
        at: (f64, f64),
        size: f64,
        colour: RGBAColor,
        anchor: (HPos, VPos),
    ) -> Result<(), ReportError> {
        // The backend centres the line with its leading, which leaves the letters too high.
        let lowered = match anchor.1 {
            VPos::Center => 0.12 * size,
            VPos::Top | VPos::Bottom => 0.0,
        };
        let at = (at.0, at.1 + lowered);
        let style = text_style(size)
            .color(&colour)
            .pos(Pos::new(anchor.0, anchor.1));
        self.area
            .draw_text(text, &style, large_pixel(at))
            .map_err(drawing)
    }

    /// The width of one line of text in pixels.
    pub(super) fn text_width(&self, text: &str, size: f64) -> Result<f64, ReportError> {
        let (width, _) = self
            .area
            .estimate_text_size(text, &text_style(size))
            .map_err(drawing)?;
        Ok(f64::from(width) / f64::from(OVERSAMPLING))
    }

    /// `text`, with its end replaced by an ellipsis if it is wider than `room` pixels.
    pub(super) fn fit(&self, text: &str, size: f64, room: f64) -> Result<String, ReportError> {
        let mut fitted = text.to_owned();
        let mut kept: Vec<char> = text.chars().collect();
        while !kept.is_empty() && self.text_width(&fitted, size)? > room {
            kept.pop();
            fitted = kept.iter().chain(&['…']).collect();
        }
        Ok(fitted)
    }
}

fn text_style(size: f64) -> TextStyle<'static> {
    (FONT, size * f64::from(OVERSAMPLING)).into_font().into()
}

fn large_pixel((x, y): (f64, f64)) -> (i32, i32) {
    let scale = |v: f64| (v * f64::from(OVERSAMPLING)).round() as i32;
    (scale(x), scale(y))
}

/// A page draws for itself, and plotters knows no fonts of ours there.
#[cfg(target_arch = "wasm32")]
fn use_embedded_font() -> Result<(), ReportError> {
    Err(ReportError::Drawing {
        cause: "in a page there are no fonts for pictures".into(),
    })
}

#[cfg(not(target_arch = "wasm32"))]
fn use_embedded_font() -> Result<(), ReportError> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let registered =
        *REGISTERED.get_or_init(|| register_font(FONT, FontStyle::Normal, FONT_BYTES).is_ok());
    registered
        .then_some(())
        .ok_or_else(|| ReportError::Drawing {
            cause: "the embedded font is damaged".into(),
        })
}

fn drawing(cause: impl Display) -> ReportError {
    ReportError::Drawing {
        cause: cause.to_string(),
    }
}
