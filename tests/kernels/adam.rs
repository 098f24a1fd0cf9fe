//! Adam.

use crate::common::device::Device;
use crate::common::{ROUNDING, assert_within, filled, normals, poisoned, widen};
use crate::launch::{SIZES, bits, devices, guarded, run, unguarded};
use crate::sums::norm_error;
use afterimage::gpu::Recording;
use afterimage::low_level::kernels::{self as gpu, AdamArguments, AdamSettings, NORM_PARTS};
use afterimage::low_level::twins;

const ADAM: AdamSettings = AdamSettings {
    rate: 0.01,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weight_decay: 0.0,
    gradient_clip: 0.0,
    average: 0.0,
    normalise_gradient: false,
};

/// The state of the optimiser: parameters, first and second moment, average.
type AdamState = [Vec<f32>; 4];

/// One step of the norm and Adam on every device, from a state that all of them share.
fn run_adam(
    devices: &mut [Device],
    settings: &AdamSettings,
    step: u64,
    state: &AdamState,
    gradient: &[f32],
) -> Vec<AdamState> {
    let mut r = Recording::new();
    let count = gradient.len();
    let labels = ["parameters", "first moment", "second moment", "average"];
    let [parameters, first_moment, second_moment, average] =
        [0, 1, 2, 3].map(|i| guarded(&mut r, labels[i], &state[i]));
    let arguments = AdamArguments {
        gradient: filled(&mut r, "gradient", gradient),
        norm: poisoned(&mut r, "metrics", 2),
        norm_place: 1,
        parameters,
        first_moment,
        second_moment,
        average,
    };
    let scratch = poisoned(&mut r, "scratch", NORM_PARTS);
    gpu::gradient_norm(
        &mut r,
        count,
        arguments.gradient,
        scratch,
        arguments.norm,
        arguments.norm_place,
    );
    gpu::adam(&mut r, settings, step, count, &arguments);
    run(
        devices,
        &r,
        [parameters, first_moment, second_moment, average],
    )
    .into_iter()
    .map(|state| state.map(unguarded))
    .collect()
}

/// Compares one step with the twin's from the same state, so that errors of earlier steps do not matter.
fn check_adam(
    settings: &AdamSettings,
    step: u64,
    before: &AdamState,
    gradient: &[f32],
    after: &AdamState,
) {
    let wide = twins::AdamSettings {
        rate: settings.rate.into(),
        beta1: settings.beta1.into(),
        beta2: settings.beta2.into(),
        epsilon: settings.epsilon.into(),
        weight_decay: settings.weight_decay.into(),
        gradient_clip: settings.gradient_clip.into(),
        average: settings.average.into(),
        normalise_gradient: settings.normalise_gradient,
    };
    let gradient = widen(gradient);
    let old = before.each_ref().map(|values| widen(values));
    let [mut p, mut m, mut v, mut a] = old.clone();
    let norm = twins::adam(
        &wide,
        step as u32,
        &mut p,
        &mut m,
        &mut v,
        &mut a,
        &gradient,
    );
    let length = if wide.normalise_gradient { 1.0 } else { norm };
    let scale = if wide.gradient_clip > 0.0 {
        wide.gradient_clip.min(length) / norm
    } else {
        length / norm
    };
    // Relative error of the scaled gradient: of the norm, of a division (2.5 units) and of a product.
    let g_error = norm_error(gradient.len()) + 6.0 * ROUNDING;
    let (c1, c2) = (
        1.0 - wide.beta1.powf(step as f64),
        1.0 - wide.beta2.powf(step as f64),
    );
    let m_error = |i: usize| {
        let [kept, new] = [
            wide.beta1 * old[1][i].abs(),
            (1.0 - wide.beta1) * scale * gradient[i].abs(),
        ];
        g_error * new + 3.0 * ROUNDING * (kept + new)
    };
    let v_error = |i: usize| (2.0 * g_error + 4.0 * ROUNDING) * v[i];
    let p_error = |i: usize| {
        let root = (v[i] / c2).sqrt() + wide.epsilon;
        let update = m[i].abs() / c1 / root;
        // The root halves the relative error of v and rounds by up to 3 units; three divisions round by 2.5 each, two
        // corrections and a sum by a half.
        let relative = g_error + (2.0 + 6.0 + 15.0 + 3.0) * ROUNDING;
        let decay = wide.weight_decay * old[0][i].abs();
        let change = wide.rate * (m_error(i) / c1 / root + relative * update)
            + 4.0 * ROUNDING * wide.rate * (update + decay);
        change + 2.0 * ROUNDING * (old[0][i].abs() + p[i].abs())
    };
    let a_error =
        |i: usize| p_error(i) + 4.0 * ROUNDING * (old[3][i].abs() + p[i].abs() + a[i].abs());
    let what = |part| format!("{part} after step {step}, {settings:?}");
    assert_within(&what("parameters"), &after[0], &p, p_error);
    assert_within(&what("first moment"), &after[1], &m, m_error);
    assert_within(&what("second moment"), &after[2], &v, v_error);
    assert_within(&what("average"), &after[3], &a, a_error);
}

#[test]
fn adam_agrees_with_its_twin_over_several_steps() {
    let mut devices = devices();
    let everything = AdamSettings {
        rate: 0.02,
        beta1: 0.8,
        beta2: 0.95,
        epsilon: 1e-3,
        weight_decay: 0.2,
        gradient_clip: 1.5,
        average: 0.9,
        normalise_gradient: false,
    };
    let no_momentum = AdamSettings {
        beta1: 0.0,
        average: 0.995,
        ..ADAM
    };
    let normalised = AdamSettings {
        normalise_gradient: true,
        ..ADAM
    };
    let normalised_and_clipped = AdamSettings {
        gradient_clip: 0.3,
        ..normalised
    };
    for settings in [
        ADAM,
        everything,
        no_momentum,
        normalised,
        normalised_and_clipped,
    ] {
        for size in SIZES {
            let start = normals(1, size);
            let mut state = [start.clone(), vec![0.0; size], vec![0.0; size], start];
            // The ramp (1 + t) / (10 + t) of the average is below 0.9 until step 80.
            for step in [1, 2, 3, 4, 80, 100_000] {
                // From far below the clip to far above it.
                let scale = [0.01, 1.0, 10.0][step as usize % 3] / (size as f32).sqrt();
                let gradient: Vec<f32> = normals(step as u32, size)
                    .iter()
                    .map(|g| scale * g)
                    .collect();
                let after = run_adam(&mut devices, &settings, step, &state, &gradient);
                for after in &after {
                    check_adam(&settings, step, &state, &gradient, after);
                }
                state = after.into_iter().next().expect("there is a device");
            }
        }
    }
}

#[test]
fn a_gradient_that_is_not_finite_changes_nothing() {
    let size = 130;
    let state = [1, 2, 3, 4].map(|tag| normals(tag, size));
    for lost in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for clip in [0.0, 1.0] {
            let settings = AdamSettings {
                gradient_clip: clip,
                weight_decay: 0.1,
                ..ADAM
            };
            let mut gradient = normals(5, size);
            gradient[77] = lost;
            for after in run_adam(&mut devices(), &settings, 3, &state, &gradient) {
                for (before, after) in state.iter().zip(&after) {
                    assert_eq!(bits(before), bits(after), "with {lost} in the gradient");
                }
            }
        }
    }
}
