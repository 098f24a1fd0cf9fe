//! Frames as an animated GIF.

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, DynamicImage, Frame, RgbImage};

use super::ReportError;

/// The quantiser's setting from 1 (slowest, best) to 30; 10 is its author's recommendation.
const SPEED: i32 = 10;

/// Encodes `frames` as a GIF that loops for ever, each frame shown for `delay_ms` milliseconds.
///
/// The format counts in hundredths of a second, so the delay is rounded down to 10 ms; many viewers
/// slow down anything faster than 20 ms. Colours are reduced to 256 per frame.
///
/// # Errors
/// [`ReportError`] if there is no frame, if frames differ in size, or if a side is 0 or above 65535.
pub fn gif(frames: &[RgbImage], delay_ms: u32) -> Result<Vec<u8>, ReportError> {
    held_gif(frames, delay_ms, delay_ms)
}

/// The same with the last frame shown for `held_ms`.
pub(crate) fn held_gif(
    frames: &[RgbImage],
    delay_ms: u32,
    held_ms: u32,
) -> Result<Vec<u8>, ReportError> {
    let first = frames
        .first()
        .ok_or(ReportError::Nothing { what: "frames" })?;
    let (width, height) = first.dimensions();
    let encodable = 1..=u32::from(u16::MAX);
    if !encodable.contains(&width) || !encodable.contains(&height) {
        return Err(ReportError::GifSize { width, height });
    }
    let odd_one = frames
        .iter()
        .enumerate()
        .find(|(_, frame)| frame.dimensions() != (width, height));
    if let Some((index, frame)) = odd_one {
        return Err(ReportError::FrameSize {
            index,
            width: frame.width(),
            height: frame.height(),
            first_width: width,
            first_height: height,
        });
    }

    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, SPEED);
    encoder.set_repeat(Repeat::Infinite)?;
    for (index, frame) in frames.iter().enumerate() {
        let shown = if index + 1 == frames.len() {
            held_ms
        } else {
            delay_ms
        };
        let delay = Delay::from_numer_denom_ms(shown, 1);
        let rgba = DynamicImage::ImageRgb8(frame.clone()).into_rgba8();
        encoder.encode_frame(Frame::from_parts(rgba, 0, 0, delay))?;
    }
    drop(encoder);
    Ok(bytes)
}
