//! Launches with and without runtime checks, on buffers that show what was written.

pub use crate::common::device::devices;
use crate::common::device::{Device, is_browser};
use crate::common::{ROUNDING, filled};
use afterimage::gpu::{Buffer, Recording};
use afterimage::low_level::random::{Philox, Stream, uniform01};
use std::f64::consts::TAU;

/// Single values, odd sizes, one less and one more than a workgroup, and several workgroups.
pub const SIZES: [usize; 5] = [1, 3, 63, 65, 1000];

/// More invocations than one dimension of a launch may have: 65,535 workgroups of 64.
pub const HUGE: usize = 65_535 * 64 + 65;

/// Stands behind the values of a kernel that works in place; no kernel may touch it.
pub const SENTINEL: f32 = 12_345.0;

pub const SEED: u64 = 0x1234_5678_9abc_def0;

/// What every device leaves in each of `buffers` when it has run `recording`.
pub fn run<const N: usize>(
    devices: &mut [Device],
    recording: &Recording,
    buffers: [Buffer; N],
) -> Vec<[Vec<f32>; N]> {
    let one = |device: &mut Device| {
        device.run(recording);
        buffers.map(|buffer| device.read(buffer))
    };
    devices.iter_mut().map(one).collect()
}

/// A buffer of `values` with sentinels behind them.
pub fn guarded(recording: &mut Recording, label: &'static str, values: &[f32]) -> Buffer {
    filled(recording, label, &[values, &[SENTINEL; 5]].concat())
}

/// The values of a guarded buffer.
pub fn unguarded(mut values: Vec<f32>) -> Vec<f32> {
    let guards = values.split_off(values.len() - 5);
    assert_eq!(guards, [SENTINEL; 5], "wrote behind its values");
    values
}

pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// How far a normal number of the GPU may be off.
///
/// The radius √(−2 ln u): WGSL grants the logarithm an absolute error of 2⁻²¹ between ½ and 2 and 3 units in the last
/// place elsewhere, and the root 3 units more. Sine and cosine: WGSL grants 2⁻¹¹ and nothing beyond ±π, but hardware
/// keeps to 2⁻²¹ or better (CUDA's `__sinf` and `__cosf`, the crudest around, are documented with 2⁻²¹·¹⁹) for an angle
/// that is rounded by the product with 2π and by the reduction to one turn. Chromium's software adapter takes all that is
/// granted: 1.9e-4 was measured.
pub fn normal_error(stream: Stream, step: u32, element: u32) -> f64 {
    let words = Philox::words(SEED, stream, step, element / 4);
    let u = f64::from(uniform01(words[if element % 4 < 2 { 0 } else { 2 }]));
    let square = -2.0 * u.ln();
    let radius = square.sqrt();
    let square_error = if u >= 0.5 {
        2.0 * (-21f64).exp2()
    } else {
        6.0 * ROUNDING * square
    };
    let radius_error = (square_error / radius).min(square_error.sqrt()) + 6.0 * ROUNDING * radius;
    let of_turns: f64 = if is_browser() { -11.0 } else { -21.0 };
    radius_error + radius * (of_turns.exp2() + 4.0 * ROUNDING * TAU)
}
