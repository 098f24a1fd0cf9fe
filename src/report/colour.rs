//! Colours shared by the pictures.

use image::Rgb;

/// Marks a value that is not finite. It is far from every colour of [`viridis`] and from grey.
pub(super) const LOUD: Rgb<u8> = Rgb([255, 0, 255]);

/// Eleven evenly spaced samples of viridis, the perceptually uniform map of Smith and van der Walt
/// (<https://bids.github.io/colormap/>, public domain).
const VIRIDIS: [[u8; 3]; 11] = [
    [0x44, 0x01, 0x54],
    [0x48, 0x25, 0x76],
    [0x41, 0x44, 0x87],
    [0x35, 0x60, 0x8d],
    [0x2a, 0x78, 0x8e],
    [0x21, 0x90, 0x8c],
    [0x22, 0xa8, 0x84],
    [0x43, 0xbf, 0x71],
    [0x7a, 0xd1, 0x51],
    [0xbb, 0xdf, 0x27],
    [0xfd, 0xe7, 0x25],
];

/// The viridis colour of `value`, clamped to 0 (dark violet) ..= 1 (yellow); NaN is [`LOUD`].
pub(super) fn viridis(value: f32) -> Rgb<u8> {
    if value.is_nan() {
        return LOUD;
    }
    let position = value.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f32;
    let below = (position as usize).min(VIRIDIS.len() - 2);
    let fraction = position - below as f32;
    let mix = |channel: usize| {
        let low = f32::from(VIRIDIS[below][channel]);
        let high = f32::from(VIRIDIS[below + 1][channel]);
        (low + fraction * (high - low)).round() as u8
    };
    Rgb([mix(0), mix(1), mix(2)])
}
