//! Sums over partial gradients, and the norm of a gradient.

use crate::common::{ROUNDING, assert_within, executor, filled, normals, poisoned, widen};
use crate::launch::{HUGE, SENTINEL, SIZES, devices, guarded, run, unguarded};
use afterimage::gpu::{GpuError, Recording};
use afterimage::low_level::gpu::MOST_TURNS;
use afterimage::low_level::kernels::{self as gpu, NORM_PARTS};
use afterimage::low_level::method::FixedNoise;
use afterimage::low_level::twins;

#[test]
fn sum_partials_agrees_with_its_twin() {
    let mut devices = devices();
    for (parts, length, first) in [
        (1, 1, 0),
        (7, 3, 2),
        (64, 63, 0),
        (3, 65, 1),
        (200, 1000, 4),
        (1, HUGE, 3),
    ] {
        let partials: Vec<f32> = normals(1, 1009)
            .into_iter()
            .cycle()
            .take(parts * length)
            .collect();
        let mut r = Recording::new();
        let partial_buffer = filled(&mut r, "partials", &partials);
        let before = normals(2, length);
        let [replaced, added] = [(vec![f32::NAN; length], false), (before.clone(), true)].map(
            |(values, accumulate)| {
                let values = [vec![SENTINEL; first], values].concat();
                let gradient = guarded(&mut r, "gradient", &values);
                let partials = partial_buffer;
                gpu::sum_partials(&mut r, parts, length, first, accumulate, partials, gradient);
                gradient
            },
        );
        let (partials, before) = (widen(&partials), widen(&before));
        let absolute = |values: &[f64]| -> Vec<f64> { values.iter().map(|v| v.abs()).collect() };
        for outcome in run(&mut devices, &r, [replaced, added]) {
            for (got, before) in outcome.into_iter().zip([None, Some(&before[..])]) {
                let want = twins::sum_partials(parts, length, before, &partials);
                let magnitudes = before.map(absolute);
                let absolute =
                    twins::sum_partials(parts, length, magnitudes.as_deref(), &absolute(&partials));
                let got = unguarded(got);
                assert_eq!(
                    got[..first],
                    vec![SENTINEL; first],
                    "wrote before its place"
                );
                // The first addition, to zero, is exact.
                let roundings = parts - 1 + usize::from(before.is_some());
                assert_within(
                    &format!("{parts} parts of {length}, added: {}", before.is_some()),
                    &got[first..],
                    &want,
                    |i| roundings as f64 * ROUNDING * absolute[i],
                );
            }
        }
    }
}

/// On drivers that may stop a loop without a word.
#[test]
fn more_turns_than_a_driver_makes_are_refused() {
    let mut executor = executor(false);
    // One step more than a turn may have, after all that a driver makes.
    let length = 16 * MOST_TURNS + 1;
    let is_cpu = executor.profile().is_cpu;
    let mut r = Recording::new();
    FixedNoise::uniform(-1.0, 1.0, 1, length, 7).energies(
        &mut r,
        poisoned(&mut Recording::new(), "samples", length),
        poisoned(&mut Recording::new(), "energies", 1),
    );
    match executor.run(&r) {
        Err(error @ GpuError::TooManyTurns { .. }) => {
            assert!(
                is_cpu && error.to_string().contains("noise/box_energy"),
                "{error}"
            );
        }
        outcome => assert!(!is_cpu && outcome.is_ok(), "{outcome:?}"),
    }
}

/// Relative error of the norm of `count` values: each of 64 · parts invocations sums its share of rounded squares; two
/// trees of 6 sums and the sum of the parts follow. The root halves all that and rounds by up to 3 units.
pub fn norm_error(count: usize) -> f64 {
    let parts = count.div_ceil(64 * 16).clamp(1, NORM_PARTS);
    let roundings = 1 + count.div_ceil(64 * parts) + 6 + parts.div_ceil(64) + 6;
    (0.5 * roundings as f64 + 6.0) * ROUNDING
}

#[test]
fn gradient_norm_agrees_with_its_twin() {
    let mut devices = devices();
    // Fewer than 256 parts, and more than 16 values for each of 256 · 64 invocations.
    for size in SIZES.into_iter().chain([100_003, 300_001]) {
        let gradient = normals(1, size);
        let mut r = Recording::new();
        let buffer = guarded(&mut r, "gradient", &gradient);
        let scratch = poisoned(&mut r, "scratch", NORM_PARTS);
        let norm = poisoned(&mut r, "metrics", 3);
        gpu::gradient_norm(&mut r, size, buffer, scratch, norm, 1);
        let want = twins::gradient_norm(&widen(&gradient));
        for [got] in run(&mut devices, &r, [norm]) {
            assert!(got[0].is_nan() && got[2].is_nan(), "wrote beside its place");
            assert_within(&format!("{size} values"), &got[1..2], &[want], |_| {
                norm_error(size) * want
            });
        }
    }
}
