//! What is seen of a picture: opaque pixels, grey or coloured.

use image::ColorType;

use super::decode::Decoded;
use crate::data::Colour;
use crate::data::loaded::STEPS_OF_A_BYTE;

/// A picture as it is seen.
pub(super) struct Picture {
    /// Width and height in pixels.
    pub(super) size: (u32, u32),
    pub(super) depth: Depth,
    /// Red, green and blue.
    pub(super) pixels: Vec<[u16; 3]>,
    /// Whether all pixels are grey.
    pub(super) is_grey: bool,
    /// Whether it could be coloured by the way it was stored.
    pub(super) has_colours: bool,
    /// Whether the background shows through.
    pub(super) is_transparent: bool,
    /// Whether it was stored in another orientation.
    pub(super) is_turned: bool,
}

/// Bits of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Eight,
    Sixteen,
}

impl Picture {
    /// A picture in front of `background`.
    pub(super) fn over(Decoded { image, is_turned }: Decoded, Colour(background): Colour) -> Self {
        let size = (image.width(), image.height());
        let has_colours = image.color().has_color();
        let (depth, white, background, stored): (_, _, _, Vec<[u16; 4]>) = match image.color() {
            ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8 => {
                let pixels = image.into_rgba8();
                let pixels = pixels.pixels().map(|pixel| pixel.0.map(u16::from));
                let background = background.map(u16::from);
                (Depth::Eight, u8::MAX.into(), background, pixels.collect())
            }
            _ => {
                let pixels = image.into_rgba16();
                let background = background.map(|value| u16::from(value) * STEPS_OF_A_BYTE);
                let pixels = pixels.pixels().map(|pixel| pixel.0).collect();
                (Depth::Sixteen, u16::MAX, background, pixels)
            }
        };
        let seen = |&[red, green, blue, alpha]: &[u16; 4]| {
            let mut behind = background.iter();
            [red, green, blue].map(|value| {
                let behind = behind.next().copied().unwrap_or_default();
                mixed(value, alpha, behind, white)
            })
        };
        let pixels: Vec<[u16; 3]> = stored.iter().map(seen).collect();
        Picture {
            size,
            depth,
            is_grey: pixels
                .iter()
                .all(|&[red, green, blue]| red == green && green == blue),
            pixels,
            has_colours,
            is_transparent: stored.iter().any(|&[.., alpha]| alpha < white),
            is_turned,
        }
    }
}

/// value · α + behind · (1 − α) with α = `alpha` / `white`, rounded, as Pillow's `alpha_composite` has it.
fn mixed(value: u16, alpha: u16, behind: u16, white: u16) -> u16 {
    let [value, alpha, behind, white] = [value, alpha, behind, white].map(u64::from);
    let sum = value * alpha + behind * (white - alpha);
    ((2 * sum + white) / (2 * white)) as u16
}

/// The brightness of a colour by the weights of ITU-R Rec. 601 in 65,536ths, rounded, as Pillow's mode `L` has it. That of a
/// grey is its own value.
pub(super) fn brightness([red, green, blue]: [u16; 3]) -> u16 {
    let [red, green, blue] = [red, green, blue].map(u32::from);
    ((19_595 * red + 38_470 * green + 7_471 * blue + 32_768) >> 16) as u16
}
