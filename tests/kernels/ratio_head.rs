//! The logistic ratio head.

use crate::common::device::Device;
use crate::common::{ROUNDING, assert_within, filled, normals, poisoned, widen};
use crate::launch::{bits, devices, guarded, run, unguarded};
use afterimage::gpu::Recording;
use afterimage::low_level::kernels::{
    self as gpu, Bregman, Generator, HeadArguments, METRIC_WORDS, Normaliser, RatioMetrics,
    RatioSettings,
};
use afterimage::low_level::twins::{self, RatioInput};

/// Absolute error that WGSL grants ln between ½ and 2; elsewhere it is 3 units in the last place.
const LOG_ERROR: f64 = 1.0 / (1 << 21) as f64;

const LOGISTIC: Bregman = Bregman {
    generator: Generator::LOGISTIC,
    exponent: 0.5,
    clamp: 10.0,
};

struct RatioCase {
    data: usize,
    noise: usize,
    c: f32,
    energy_l2: f32,
    rate: f32,
}

/// Metrics, factors and c that the devices leave.
fn run_ratio_head(
    devices: &mut [Device],
    case: &RatioCase,
    live: &[f32],
    snapshot: &[f32],
) -> Vec<(RatioMetrics, Vec<f32>, f32)> {
    let mut r = Recording::new();
    let normaliser = filled(&mut r, "c", &[case.c]);
    let arguments = HeadArguments {
        live: filled(&mut r, "live", live),
        snapshot: filled(&mut r, "snapshot", snapshot),
        factor: guarded(&mut r, "factor", &vec![f32::NAN; live.len()]),
        metrics: poisoned(&mut r, "metrics", METRIC_WORDS),
    };
    gpu::ratio_head(
        &mut r,
        &RatioSettings {
            bregman: LOGISTIC,
            normaliser: Normaliser::Learned { rate: case.rate },
            energy_l2: case.energy_l2,
        },
        case.data,
        case.noise,
        normaliser,
        &arguments,
    );
    let buffers = [arguments.metrics, arguments.factor, normaliser];
    run(devices, &r, buffers)
        .into_iter()
        .map(|[metrics, factor, c]| {
            let metrics = RatioMetrics::from_words(&bits(&metrics));
            assert!(metrics.gradient_norm.is_nan(), "that is another kernel's");
            (metrics, unguarded(factor), c[0])
        })
        .collect()
}

fn check_ratio_head(devices: &mut [Device], case: &RatioCase) {
    let &RatioCase {
        data,
        noise,
        c,
        energy_l2,
        rate,
    } = case;
    let count = data + noise;
    let energies = |tag| -> Vec<f32> {
        let energy = |v: f32| 3.0 * v + 10.0;
        normals(tag, count).into_iter().map(energy).collect()
    };
    let (live, snapshot) = (energies(1), energies(2));
    let got = run_ratio_head(devices, case, &live, &snapshot);

    let (live, snapshot) = (widen(&live), widen(&snapshot));
    let (c, energy_l2, rate) = (f64::from(c), f64::from(energy_l2), f64::from(rate));
    let input = RatioInput {
        live: &live,
        snapshot: &snapshot,
        data_count: data,
        noise_count: noise,
        c,
        energy_l2,
    };
    let want = twins::ratio_head(&LOGISTIC, &input);

    let nu = noise as f64 / data as f64;
    let share = |i: usize| 1.0 / if i < data { data } else { noise } as f64;
    let scale = |i: usize| if i < data { 1.0 } else { nu };
    let h = |i: usize| want.log_ratio[i] - nu.ln();
    let u_error = |i: usize| 2.0 * ROUNDING * (live[i].abs() + snapshot[i].abs() + c.abs());
    let h_error = |i: usize| u_error(i) + LOG_ERROR + ROUNDING * (6.0 * nu.ln().abs() + h(i).abs());
    // The logistic function is nowhere steeper than ¼. WGSL grants exp 3 + 2|z| units in the last place, of which
    // σ(1 − σ) ≤ ¼ and σ(1 − σ)|z| < 0.23 are left, and a division 2.5; one sum rounds.
    let weight_error = |i: usize| scale(i) * (h_error(i) / 4.0 + 9.0 * ROUNDING);
    let energy_term = |i: usize| 2.0 * energy_l2 * live[i].abs();
    let factor_error =
        |i: usize| share(i) * (weight_error(i) + 12.0 * ROUNDING * (scale(i) + energy_term(i)));
    // Softplus is nowhere steeper than 1; its logarithm is that of a number between 1 and 2.
    let loss_error =
        |i: usize| scale(i) * (h_error(i) + LOG_ERROR + 12.0 * ROUNDING * (1.0 + h(i).abs()));
    let sum = |term: &dyn Fn(usize) -> f64| (0..count).map(|i| share(i) * term(i)).sum::<f64>();
    let mean_energies = |range: std::ops::Range<usize>| {
        range.clone().map(|i| live[i].abs()).sum::<f64>() / range.len() as f64
    };
    // Of a sum: 64 invocations add their shares, then a tree of 6; every term was divided, up to 2.5 units.
    let summing = (count.div_ceil(64) + 6 + 5) as f64 * ROUNDING;
    let gradient_error = sum(&weight_error) + summing * (1.0 + nu);
    let largest = |value: &dyn Fn(usize) -> f64| (0..count).map(value).fold(0.0, f64::max);
    let largest_u = largest(&|i| want.log_ratio[i].abs());
    // By the triangle inequality the root mean square is off by no more than its worst term, that is, by the errors
    // of u and of its mean.
    let spread_error = 2.0 * largest(&u_error) + 2.0 * (summing + ROUNDING) * largest_u;
    // A sample so close to u = ln ν may be counted on either side.
    let undecided = (0..count).filter(|&i| h(i).abs() <= h_error(i)).count() as f64;

    for (metrics, factor, new_c) in got {
        let what = format!("{data} data, {noise} noise, c {c}, l2 {energy_l2}");
        assert_within(
            &format!("factor, {what}"),
            &factor,
            &want.factor,
            factor_error,
        );
        let wanted = [
            want.loss,
            want.l2,
            want.mean_energy_data,
            want.mean_energy_noise,
            want.accuracy,
            want.spread,
            c,
            want.c_gradient,
            0.0,
            c - rate * want.c_gradient,
        ];
        let allowed = [
            sum(&loss_error) + summing * want.loss,
            (summing + 4.0 * ROUNDING) * want.l2,
            summing * mean_energies(0..data),
            summing * mean_energies(data..count),
            undecided / count as f64 + 4.0 * ROUNDING,
            spread_error,
            0.0,
            gradient_error,
            0.0,
            rate * gradient_error + 2.0 * ROUNDING * (c.abs() + rate * (1.0 + nu)),
        ];
        let m = metrics;
        let values = [
            m.loss,
            m.energy_l2,
            m.energy_data,
            m.energy_noise,
            m.nce_accuracy,
            m.log_ratio_spread,
            m.normaliser,
            m.normaliser_gradient,
            m.lost,
            new_c,
        ];
        assert_within(&format!("metrics, {what}"), &values, &wanted, |i| {
            allowed[i]
        });
    }
}

#[test]
fn ratio_head_agrees_with_its_twin() {
    let mut devices = devices();
    for (data, noise) in [(1, 1), (1, 3), (63, 65), (70, 7), (5, 20), (333, 667)] {
        for (c, energy_l2, rate) in [
            (0.0, 0.0, 0.0),
            (0.7, 0.1, 0.0),
            (-2.0, 0.0, 0.05),
            (0.3, 0.01, 1.0),
        ] {
            let case = RatioCase {
                data,
                noise,
                c,
                energy_l2,
                rate,
            };
            check_ratio_head(&mut devices, &case);
        }
    }
}

#[test]
fn ratio_head_counts_ties_as_half_right() {
    let case = RatioCase {
        data: 33,
        noise: 33,
        c: 0.0,
        energy_l2: 0.0,
        rate: 0.0,
    };
    let energies = normals(1, 66);
    for (metrics, _, _) in run_ratio_head(&mut devices(), &case, &energies, &energies) {
        // Halves and whole numbers are exact.
        assert_eq!(metrics.nce_accuracy, 0.5);
        assert_eq!(metrics.log_ratio_spread, 0.0);
    }
}

#[test]
fn ratio_head_counts_energies_that_are_not_finite_and_stays_finite_for_huge_ones() {
    let case = RatioCase {
        data: 40,
        noise: 80,
        c: 0.0,
        energy_l2: 0.0,
        rate: 0.0,
    };
    let (mut live, mut snapshot) = (normals(1, 120), normals(2, 120));
    (live[7], live[119], snapshot[50], snapshot[7]) =
        (f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::INFINITY);
    for (metrics, _, _) in run_ratio_head(&mut devices(), &case, &live, &snapshot) {
        assert_eq!(metrics.lost, 3.0, "sample 7 counts once");
    }

    let (mut live, snapshot) = (vec![1e4; 120], vec![-1e4; 120]);
    live[60..].fill(-3e4);
    for (metrics, factor, _) in run_ratio_head(&mut devices(), &case, &live, &snapshot) {
        assert_eq!(metrics.lost, 0.0);
        assert!(metrics.loss.is_finite() && metrics.log_ratio_spread.is_finite());
        // Data with r → 0 has weight 1, noise with r → 0 none and with r → ∞ ν = 2.
        assert_eq!(factor[0], 1.0 / 40.0);
        assert_eq!(factor[40], 0.0);
        assert_eq!(factor[119], -2.0 / 80.0);
    }
}
