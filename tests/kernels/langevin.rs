//! Langevin steps.

use crate::common::{ROUNDING, assert_within, filled, normals, widen};
use crate::launch::{SEED, SIZES, bits, devices, guarded, normal_error, run, unguarded};
use afterimage::gpu::{Buffer, Recording};
use afterimage::low_level::kernels::{self as gpu, Bounds, ChainBatch, LangevinSettings};
use afterimage::low_level::random::Stream;
use afterimage::low_level::twins;

const BOUNDS: [Bounds; 3] = [
    Bounds::None,
    Bounds::Clamp {
        low: -0.5,
        high: 0.75,
    },
    Bounds::Reflect {
        low: -0.5,
        high: 0.75,
    },
];

fn wide_bounds(bounds: Bounds) -> twins::Bounds {
    match bounds {
        Bounds::None => twins::Bounds::None,
        Bounds::Clamp { low, high } => twins::Bounds::Clamp {
            low: low.into(),
            high: high.into(),
        },
        Bounds::Reflect { low, high } => twins::Bounds::Reflect {
            low: low.into(),
            high: high.into(),
        },
    }
}

fn langevin_in_place(
    r: &mut Recording,
    settings: &LangevinSettings,
    step: u32,
    first: u32,
    x: &[f32],
    gradient: &[f32],
) -> Buffer {
    // Chains of one value, so that the first may be any.
    let batch = ChainBatch {
        chains: x.len(),
        length: 1,
        stream: Stream::Langevin,
        seed: SEED,
        x: guarded(r, "x", x),
        energies: Buffer::new("energies", x.len()),
        gradient: filled(r, "gradient", gradient),
    };
    gpu::langevin(r, settings, &batch, step, first as usize);
    batch.x
}

#[test]
fn langevin_agrees_with_its_twin() {
    let mut devices = devices();
    for (index, size) in SIZES.into_iter().enumerate() {
        for (kind, bounds) in BOUNDS.into_iter().enumerate() {
            let clip = [0.0, 0.4][(index + kind) % 2];
            // Not multiples of 4 but the first, and step numbers that use the high bits.
            let (first, step) = ([0, 1, 2, 7, 1001][index], [0, 1, 77, u32::MAX, 9][index]);
            let settings = LangevinSettings {
                step_size: 0.7,
                noise: 0.3,
                clip,
                bounds,
            };
            let (x, gradient) = (normals(1, size), normals(2, size));
            let mut r = Recording::new();
            let states = langevin_in_place(&mut r, &settings, step, first, &x, &gradient);

            let wide = twins::LangevinSettings {
                step_size: settings.step_size.into(),
                noise: settings.noise.into(),
                clip: clip.into(),
                bounds: wide_bounds(bounds),
            };
            let (start, gradient) = (widen(&x), widen(&gradient));
            let mut want = start.clone();
            twins::langevin(&wide, SEED, step, first, &mut want, &gradient);
            let allowed = |i: usize| {
                let noise_error = normal_error(Stream::Langevin, step, first + i as u32);
                // No normal here is beyond 6. Two products and two sums round the terms; clamping moves nothing
                // apart, and the triangle wave rounds the distance from `low` and the width a few times.
                let terms = start[i].abs() + 0.7 * gradient[i].abs() + 0.3 * 6.0;
                let folds = if matches!(bounds, Bounds::Reflect { .. }) {
                    16.0 * ROUNDING * (terms + 2.0)
                } else {
                    0.0
                };
                0.3 * noise_error + 4.0 * ROUNDING * terms + folds
            };
            for [got] in run(&mut devices, &r, [states]) {
                let what = format!("{size} from {first}, {settings:?}");
                assert_within(&what, &unguarded(got), &want, allowed);
            }
        }
    }
}

#[test]
fn langevin_does_not_depend_on_how_a_batch_is_launched() {
    let settings = LangevinSettings {
        step_size: 0.2,
        noise: 1.0,
        clip: 0.0,
        bounds: Bounds::None,
    };
    let (x, gradient) = (normals(1, 100), normals(2, 100));
    let mut r = Recording::new();
    let whole = langevin_in_place(&mut r, &settings, 5, 6, &x, &gradient);
    let head = langevin_in_place(&mut r, &settings, 5, 6, &x[..37], &gradient[..37]);
    let tail = langevin_in_place(&mut r, &settings, 5, 43, &x[37..], &gradient[37..]);
    for parts in run(&mut devices(), &r, [whole, head, tail]) {
        let [whole, head, tail] = parts.map(unguarded);
        assert_eq!(bits(&whole), bits(&[head, tail].concat()));
    }
}

#[test]
fn bounded_chains_stay_inside_however_large_the_overshoot() {
    let (low, high) = (-0.3, 0.7);
    for bounds in [Bounds::Clamp { low, high }, Bounds::Reflect { low, high }] {
        for scale in [10.0, 1e6, 1e37] {
            let settings = LangevinSettings {
                step_size: scale,
                noise: 0.0,
                clip: 0.0,
                bounds,
            };
            let mut r = Recording::new();
            let (x, gradient) = (normals(1, 200), normals(2, 200));
            let states = langevin_in_place(&mut r, &settings, 0, 0, &x, &gradient);
            for [got] in run(&mut devices(), &r, [states]) {
                for x in unguarded(got) {
                    assert!((low..=high).contains(&x), "{x}: {bounds:?}, scale {scale}");
                }
            }
        }
    }
}

#[test]
fn a_lost_chain_is_hidden_neither_by_the_bounds_nor_by_the_clip() {
    for bounds in BOUNDS {
        for clip in [0.0, 0.1] {
            let settings = LangevinSettings {
                step_size: 0.1,
                noise: 0.1,
                clip,
                bounds,
            };
            let (nan, infinity) = (f32::NAN, f32::INFINITY);
            let mut r = Recording::new();
            let x = [nan, 0.1, infinity, 0.2, 0.3];
            let states =
                langevin_in_place(&mut r, &settings, 0, 0, &x, &[0.0, nan, 0.0, infinity, 0.0]);
            for [got] in run(&mut devices(), &r, [states]) {
                let lost: Vec<bool> = unguarded(got).iter().map(|x| !x.is_finite()).collect();
                assert_eq!(lost, [true, true, true, true, false], "{settings:?}");
            }
        }
    }
}
