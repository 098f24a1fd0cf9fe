//! What the GPU tests share: executors, awkward shapes, reproducible values, and the tolerance of f32 sums.
#![allow(dead_code, unused_imports)]

pub mod chromium;
pub mod command;
pub mod device;
pub mod page;
pub mod programs;
mod turns;
pub mod whole_runs;

use afterimage::config::Precision;
use afterimage::gpu::{AdapterChoice, Buffer, Executor, ExecutorOptions, Recording};
use afterimage::low_level::kernels::{ACTIVATIONS, Activation, ConvGeometry, LayerKind, Variant};
pub use afterimage::low_level::network::twin;
use afterimage::low_level::random::{Philox, Stream};
pub use turns::{extended, one_of};

/// Half a unit in the last place of 1.0f32: the relative error of one rounding.
pub const ROUNDING: f64 = 1.0 / (1 << 24) as f64;

/// An executor on the adapter that the program would choose.
pub fn executor(runtime_checks: bool) -> Executor {
    let options = ExecutorOptions {
        runtime_checks,
        ..Default::default()
    };
    Executor::open(&AdapterChoice::Best, options)
        .expect("the tests need an adapter: run `sh setup.sh`")
}

/// Every variant that can run on the adapter, with its name: of each family the best, then those that ask least of a
/// driver.
pub fn variants(executor: &Executor) -> Vec<(&'static str, Variant)> {
    let families = Variant::of_each_family(&executor.profile());
    let best = families.iter().map(|(best, _)| *best);
    let plain = families.iter().filter_map(|(_, plain)| *plain);
    let named = |variant: Variant| (&*variant.name().leak(), variant);
    best.chain(plain).map(named).collect()
}

/// The best variant of each family, likewise.
pub fn best_variants(executor: &Executor) -> Vec<(&'static str, Variant)> {
    let families = Variant::of_each_family(&executor.profile()).len();
    variants(executor).into_iter().take(families).collect()
}

/// Those, and in the extended tests all variants.
pub fn best_or_all(executor: &Executor) -> Vec<(&'static str, Variant)> {
    match extended() {
        true => variants(executor),
        false => best_variants(executor),
    }
}

/// The variants that can store maps as f16, doing so.
pub fn mixed_variants(executor: &Executor) -> Vec<(&'static str, Variant)> {
    let mixed = |(name, variant): (_, Variant)| {
        let variant = variant.in_precision(Precision::Mixed)?;
        Some((name, variant))
    };
    variants(executor).into_iter().filter_map(mixed).collect()
}

/// The variants that whole networks are checked in, with what each may be off by: the best of the last family, the usual one of
/// software drivers, and of the others, whose kernels `tests/layers.rs` checks one by one, two in turn.
pub fn network_variants(
    executor: &Executor,
    turn: usize,
    [full, mixed]: [f64; 2],
) -> Vec<(&'static str, Variant, f64)> {
    let all = variants(executor).into_iter();
    let mut best: Vec<_> = all.map(|(name, v)| (name, v, full)).collect();
    let mut plain = best.split_off(best_variants(executor).len());
    let mixed_variants = mixed_variants(executor).into_iter();
    plain.extend(mixed_variants.map(|(name, v)| (name, v, mixed)));
    let mut runs: Vec<_> = best.pop().into_iter().collect();
    runs.extend(one_of(best, turn));
    runs.extend(one_of(plain, turn));
    runs
}

/// Rounding to the nearest f16, which has 11 bits, relative to the value; values below 2⁻¹⁴ err by up to 2⁻²⁴.
pub const F16_ROUNDING: f64 = 1.0 / 2048.0;

/// The nearest f16, ties to even, of a value between 2⁻¹⁴ and 65504 in size, or of zero.
pub fn nearest_f16(value: f32) -> f32 {
    let bits = value.to_bits();
    f32::from_bits((bits + 0xfff + ((bits >> 13) & 1)) & 0xffff_e000)
}

/// Every activation function.
pub fn activations() -> [Activation; ACTIVATIONS.len()] {
    ACTIVATIONS.map(|kind| Activation::new(kind, 0.2))
}

/// Standard normals, the same for the same `tag`.
pub fn normals(tag: u32, count: usize) -> Vec<f32> {
    let mut generator = Philox::new(99, Stream::Data, tag);
    (0..count).map(|_| generator.normal()).collect()
}

pub fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// A buffer that holds `values`.
pub fn filled(recording: &mut Recording, label: &'static str, values: &[f32]) -> Buffer {
    let buffer = Buffer::new(label, values.len());
    recording.upload_f32(buffer, 0, values);
    buffer
}

/// A buffer full of NaN, so that an element nobody wrote is seen.
pub fn poisoned(recording: &mut Recording, label: &'static str, words: usize) -> Buffer {
    filled(recording, label, &vec![f32::NAN; words])
}

/// Asserts that `got` is `want` up to an error norm: max |got − want| ≤ `tolerance` × (1 + max |want|).
#[track_caller]
pub fn assert_close(what: &str, got: &[f32], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}: lengths differ");
    let scale = 1.0 + want.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    for (index, (&g, &w)) in got.iter().zip(want).enumerate() {
        let error = (f64::from(g) - w).abs();
        assert!(
            error <= tolerance * scale,
            "{what}[{index}]: got {g}, want {w} (of scale {scale})"
        );
    }
}

/// Asserts |got − want| ≤ allowed, value by value; a NaN fails.
#[track_caller]
pub fn assert_within(what: &str, got: &[f32], want: &[f64], allowed: impl Fn(usize) -> f64) {
    assert_eq!(got.len(), want.len(), "{what}: lengths differ");
    for (index, (&got, &want)) in got.iter().zip(want).enumerate() {
        let (error, allowed) = ((f64::from(got) - want).abs(), allowed(index));
        assert!(
            error <= allowed,
            "{what}[{index}]: got {got}, want {want}, off by {error:e} of {allowed:e}"
        );
    }
}

/// A convolution over square maps and kernels.
pub fn square(
    [in_channels, out_channels]: [usize; 2],
    side: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
) -> ConvGeometry {
    ConvGeometry {
        in_channels,
        in_height: side,
        in_width: side,
        out_channels,
        kernel_height: kernel,
        kernel_width: kernel,
        stride,
        padding,
    }
}

/// Odd sizes, one channel, three channels, strides larger than what is left of the kernel, rectangles.
pub fn awkward_geometries() -> Vec<ConvGeometry> {
    vec![
        square([1, 1], 5, 3, 1, 1),
        square([3, 5], 7, 3, 2, 1),
        square([1, 17], 28, 5, 2, 4),
        square([6, 64], 9, 4, 2, 1),
        square([64, 1], 4, 4, 1, 0),
        square([5, 7], 8, 2, 3, 0),
        square([4, 3], 6, 1, 2, 0),
        // Larger than the map.
        square([5, 6], 3, 3, 5, 1),
        ConvGeometry {
            in_channels: 2,
            in_height: 5,
            in_width: 11,
            out_channels: 9,
            kernel_height: 3,
            kernel_width: 2,
            stride: 2,
            padding: 1,
        },
    ]
}
