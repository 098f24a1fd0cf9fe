//! What the log-normaliser difference is in each of its modes.

use crate::batch::{Batch, LOG_ERROR, NORMALISERS, every, run_ratio_head};
use crate::common::device::device;
use crate::common::{ROUNDING, assert_within, normals, one_of};
use afterimage::low_level::kernels::Normaliser;
use afterimage::low_level::twins;

/// Where the slope ∂L/∂c is not small, c itself is right, too.
#[test]
fn the_profiled_normaliser_is_the_twin_s_root() {
    let mut device = device(false);
    let counts = vec![(1, 1), (64, 64), (50, 150), (200, 20)];
    for (turn, bregman) in every(12.0).enumerate() {
        for (data, noise) in one_of(counts.clone(), turn) {
            let batch = Batch::random(data, noise, 1.0);
            let root = batch.twin(0.0, 0.0, |input| {
                twins::profiled_normaliser(&bregman, input)
            });
            let (got, ..) = run_ratio_head(
                &mut device,
                bregman,
                Normaliser::Profiled,
                0.0,
                &batch,
                &[0.0],
            );
            // ln of the quotient of the mean weights has a slope of 1 in c, or for `logistic` at a spread of 1 one near it.
            // Errors: of u, of exp, of sums, of two logarithms, and of the last step.
            let slope = 0.25;
            let error = 1e-6 * f64::from(2 * 12) + 4.0 * LOG_ERROR + 4.0 * batch.summing();
            let what = format!("{bregman:?}, {data} data, {noise} noise");
            assert_within(&what, &[got.normaliser], &[root], |_| error / slope);
        }
    }
}

/// So many samples that all steps towards the root, if they were needed, would take more turns than some drivers make.
#[test]
fn the_profiled_normaliser_of_a_huge_batch_is_a_root() {
    let mut device = device(false);
    let batch = Batch::random(45_000, 45_001, 3.0);
    let bregman = every(12.0).next().expect("there is one");
    let root = batch.twin(0.0, 0.0, |input| {
        twins::profiled_normaliser(&bregman, input)
    });
    let (profiled, state) = (Normaliser::Profiled, [0.0]);
    let (got, ..) = run_ratio_head(&mut device, bregman, profiled, 0.0, &batch, &state);
    // Sums over 1,407 samples an invocation.
    assert_within("c", &[got.normaliser], &[root], |_| 1e-3);
}

#[test]
fn the_importance_normaliser_agrees_with_its_twin_over_several_batches() {
    let mut device = device(false);
    let bregman = every(10.0).next().expect("there is one");
    for decay in [0.0f32, 0.5, 0.9] {
        let normaliser = Normaliser::Importance { decay };
        let (mut state, mut want) = (vec![0.0, 0.0], (0.0, 0.0));
        for step in 0..6 {
            let mut batch = Batch::random(20, 70, 0.3 * step as f32);
            for energy in &mut batch.live {
                *energy += 0.5 * step as f32;
            }
            let (got, _, after) =
                run_ratio_head(&mut device, bregman, normaliser, 0.0, &batch, &state);
            want = batch.twin(0.0, 0.0, |input| {
                twins::importance_normaliser(input, f64::from(decay), want)
            });
            // Each batch adds the errors of energies of at most 30, of exp, of sums and of three logarithms of numbers
            // below 10 in size.
            let error = f64::from(step + 1) * (60.0 * 2.0 * ROUNDING + 200.0 * ROUNDING);
            let what = format!("decay {decay}, step {step}");
            assert_within(&what, &[got.normaliser], &[want.0], |_| error);
            assert_within(&what, &after, &[want.0, want.1], |i| {
                [error, 8.0 * ROUNDING][i]
            });
            state = after;
        }
    }
}

#[test]
fn every_normaliser_is_zero_at_a_fresh_snapshot() {
    let mut device = device(false);
    let energies = normals(1, 133);
    let batch = Batch {
        data: 33,
        noise: 100,
        live: energies.clone(),
        snapshot: energies,
    };
    for (turn, bregman) in every(10.0).enumerate() {
        // Only the profiled one solves an equation of the generator's.
        let [learned, profiled, importance] = NORMALISERS;
        let mut normalisers = one_of(vec![Normaliser::Zero, learned, importance], turn);
        normalisers.push(profiled);
        for normaliser in normalisers {
            let state = vec![0.0; normaliser.words()];
            let (got, ..) = run_ratio_head(&mut device, bregman, normaliser, 0.0, &batch, &state);
            assert_eq!(got.normaliser, 0.0, "{bregman:?}, {normaliser:?}");
            assert_eq!((got.log_ratio_spread, got.clamped), (0.0, 0.0));
            assert_within("share of the noise", &[got.ess], &[1.0], |_| {
                16.0 * ROUNDING
            });
        }
    }
}
