//! Every head against its twin.

use crate::batch::{Batch, ENERGY_L2, LOG_ERROR, NORMALISERS, every, launched, run_ratio_head};
use crate::common::device::device;
use crate::common::{ROUNDING, assert_within, extended, one_of};
use afterimage::low_level::kernels::{
    Bregman, Normaliser, RatioMetrics, divergence_head, ranking_head,
};
use afterimage::low_level::twins::{self, RatioOutput};

/// Checks what does not depend on the loss.
fn check_shared(what: &str, batch: &Batch, c: f64, got: &RatioMetrics, want: &RatioOutput) {
    let count = batch.data + batch.noise;
    let summing = batch.summing();
    let largest = |of: &dyn Fn(usize) -> f64| (0..count).map(of).fold(0.0, f64::max);
    let energies = largest(&|i| f64::from(batch.live[i].abs()));
    let u_error = largest(&|i| batch.u_error(i, c));
    let largest_u = largest(&|i| want.log_ratio[i].abs());
    // A weight is off by its exponent's error and by the 3 + 2|x| units in the last place that WGSL grants exp(x). Those
    // 20 below the largest have no weight.
    let weight_error = 2.0 * u_error + (3.0 + 2.0 * 20.0) * 2.0 * ROUNDING;
    let wanted = [
        want.l2,
        want.mean_energy_data,
        want.mean_energy_noise,
        want.spread,
        want.ess,
        0.0,
    ];
    let allowed = [
        (summing + 4.0 * ROUNDING) * want.l2,
        summing * energies,
        summing * energies,
        // By the triangle inequality no more than the worst term is off.
        2.0 * u_error + 2.0 * (summing + ROUNDING) * largest_u,
        want.ess * (4.0 * weight_error + 3.0 * summing) + 1e-8,
        0.0,
    ];
    let values = [
        got.energy_l2,
        got.energy_data,
        got.energy_noise,
        got.log_ratio_spread,
        got.ess,
        got.lost,
    ];
    assert_within(&format!("shared metrics, {what}"), &values, &wanted, |i| {
        allowed[i]
    });
}

/// Checks a launch with a penalty of [`ENERGY_L2`] against the twin at the c that the launch used.
fn check_ratio_head(
    what: &str,
    bregman: &Bregman,
    batch: &Batch,
    normaliser: Normaliser,
    (got, factor): (&RatioMetrics, &[f32]),
) {
    let (count, nu) = (batch.data + batch.noise, batch.nu());
    let c = f64::from(got.normaliser);
    let want = batch.twin(c, ENERGY_L2.into(), |input| {
        twins::ratio_head(bregman, input)
    });
    check_shared(what, batch, c, got, &want);

    // The largest exponent of r in a weight; ln ν adds to what `logistic` computes.
    let power = 1.0 + f64::from(bregman.exponent).max(1.0);
    let u_error = |i: usize| batch.u_error(i, c) + LOG_ERROR + 6.0 * ROUNDING * nu.ln().abs();
    // exp(x) may be off by 3 + 2|x| units in the last place; its argument rounds, and so do a few products and sums.
    let relative = |i: usize| {
        let exponent = power * (bregman.clamped(want.log_ratio[i]).abs() + nu.ln().abs());
        (3.0 + 2.0 * exponent) * 2.0 * ROUNDING + exponent * 2.0 * ROUNDING + 12.0 * ROUNDING
    };
    let pick = |i: usize, pair: (f64, f64)| if i < batch.data { pair.0 } else { pair.1 };
    let weight = |i: usize, u: f64| pick(i, bregman.weights(u, nu));
    let loss = |i: usize, u: f64| pick(i, bregman.losses(u, nu));
    let moved = |i: usize, of: &dyn Fn(usize, f64) -> f64| {
        let (u, error) = (want.log_ratio[i], u_error(i));
        let at = of(i, u);
        (of(i, u + error) - at)
            .abs()
            .max((of(i, u - error) - at).abs())
    };
    // f32 has no numbers below 1e-38, where saturated logistic weights are.
    let weight_error =
        |i: usize| moved(i, &weight) + relative(i) * weight(i, want.log_ratio[i]) + 1e-36;
    let l2 = |i: usize| 2.0 * f64::from(ENERGY_L2) * f64::from(batch.live[i].abs());
    let factor_error = |i: usize| {
        let size = weight(i, want.log_ratio[i]) + l2(i);
        batch.kind_share(i) * (weight_error(i) + 12.0 * ROUNDING * size)
    };
    assert_within(
        &format!("factor, {what}"),
        factor,
        &want.factor,
        factor_error,
    );

    // The terms that a loss is put together from: 1/a and (1 + a)/a·rᵃ of `power` are the largest, and the tangent's.
    let terms = |i: usize| {
        let (u, w) = (want.log_ratio[i], weight(i, want.log_ratio[i]));
        (1.0 + nu + loss(i, u).abs() + w) * (1.0 + 1.0 / f64::from(bregman.exponent)) + w * u.abs()
    };
    let loss_error = |i: usize| {
        moved(i, &loss) + (relative(i) + 12.0 * ROUNDING) * terms(i) + LOG_ERROR * (1.0 + nu)
    };
    let sum = |of: &dyn Fn(usize) -> f64| -> f64 {
        (0..count).map(|i| batch.kind_share(i) * of(i)).sum()
    };
    let near = |line: f64| {
        let near = |&i: &usize| (want.log_ratio[i].abs() - line).abs() <= u_error(i);
        (0..count).filter(near).count() as f64
    };
    let undecided = (0..count)
        .filter(|&i| (want.log_ratio[i] - nu.ln()).abs() <= u_error(i))
        .count() as f64;
    let wanted = [want.loss, want.accuracy, want.c_gradient, want.clamped];
    let allowed = [
        sum(&loss_error) + batch.summing() * sum(&terms),
        undecided / count as f64 + 4.0 * ROUNDING,
        sum(&weight_error) + batch.summing() * sum(&|i| weight(i, want.log_ratio[i])),
        if bregman.generator.is_unbounded() {
            near(bregman.clamp.into())
        } else {
            0.0
        },
    ];
    let values = [
        got.loss,
        got.nce_accuracy,
        got.normaliser_gradient,
        got.clamped,
    ];
    assert_within(&format!("metrics, {what}"), &values, &wanted, |i| {
        allowed[i]
    });

    // Of a profiled c: the slope that is left, by what its weights are off, by ln's error, and by the last step, which is
    // at most 4.8e-7 of c before it is taken.
    if normaliser == Normaliser::Profiled {
        let weights = [0..batch.data, batch.data..count]
            .map(|range| range.map(|i| batch.kind_share(i) * weight(i, want.log_ratio[i])))
            .map(|terms| terms.sum::<f64>());
        let step = 2.0 * LOG_ERROR + 2.0 * 4.8e-7 * c.abs().max(1.0);
        let left = allowed[2] + power * step * weights[0].max(weights[1]);
        assert!(
            want.c_gradient.abs() <= left,
            "{what}: ∂L/∂c = {:e} of {left:e} at c = {c}",
            want.c_gradient
        );
    }
}

#[test]
fn every_generator_agrees_with_its_twin_on_awkward_batches() {
    // Every pair of counts is a program of its own for every generator and normaliser: every two of the three meet.
    // Programs with checks take long to compile, so that there a generator meets one normaliser.
    let counts = [(1, 1), (1, 3), (63, 65), (70, 7), (130, 333)];
    for (runtime_checks, counts) in [(false, &counts[..]), (true, &[(5, 20)])] {
        let mut device = device(runtime_checks);
        for (turn, &(data, noise)) in counts.iter().enumerate() {
            for batch in [
                Batch::random(data, noise, 0.3),
                Batch::random(data, noise, 4.0),
                Batch::extreme(data, noise),
            ] {
                let heads = every(6.0).enumerate().flat_map(|(generator, bregman)| {
                    let normalisers = one_of(NORMALISERS.to_vec(), generator + turn);
                    normalisers.into_iter().map(move |n| (bregman, n))
                });
                for (bregman, normaliser) in heads {
                    let what = format!("{bregman:?} {normaliser:?}, {data} data, {noise} noise");
                    let mut state = vec![0.0; normaliser.words()];
                    if let Normaliser::Learned { .. } = normaliser {
                        state[0] = 0.4;
                    }
                    let (got, factor, after) =
                        run_ratio_head(&mut device, bregman, normaliser, ENERGY_L2, &batch, &state);
                    check_ratio_head(&what, &bregman, &batch, normaliser, (&got, &factor));
                    if let Normaliser::Learned { rate } = normaliser {
                        assert_eq!(got.normaliser, 0.4);
                        let want = 0.4 - rate * got.normaliser_gradient;
                        let error = 4.0 * ROUNDING * f64::from(0.4 + want.abs());
                        assert_within(&what, &after, &[want.into()], |_| error);
                    }
                }
            }
        }
    }
}

#[test]
fn ranking_and_contrastive_divergence_agree_with_their_twins() {
    for runtime_checks in [false, true] {
        let mut device = device(runtime_checks);
        // Also with fewer negatives than data, and with some that are left over: the ones that could be read by mistake,
        // which the checks are for.
        for (data, noise) in [
            (1, 1),
            (1, 7),
            (63, 63),
            (65, 130),
            (3, 100),
            (5, 2),
            (70, 214),
        ]
        .into_iter()
        .filter(|&(data, noise)| !runtime_checks || noise % data != 0 || extended())
        {
            for mut batch in [
                Batch::random(data, noise, 0.0),
                Batch::random(data, noise, 1.0),
                Batch::extreme(data, noise),
            ] {
                let what = format!("{data} data, {noise} noise");
                let (got, factor, _) = launched(&mut device, &batch, &[0.0], |r, _, a| {
                    ranking_head(r, data, noise, 0.01, a);
                });
                let want = batch.twin(0.0, 0.01, twins::ranking_head);
                check_shared(&what, &batch, 0.0, &got, &want);
                // Shares of a softmax: the exponents' errors, exp's where it counts, a sum of N and divisions.
                let count = data + noise;
                let exponents = (0..count)
                    .map(|i| batch.u_error(i, 0.0))
                    .fold(0.0, f64::max);
                let negatives = (noise / data) as f64;
                let share = 4.0 * exponents + (2.0 * (43.0 + 12.0) + negatives) * ROUNDING;
                let l2 = |i: usize| 0.02 * f64::from(batch.live[i].abs());
                assert_within(&what, &factor, &want.factor, |i| {
                    share / data as f64 + 12.0 * ROUNDING * l2(i) * batch.kind_share(i)
                });
                let largest = want.log_ratio.iter().fold(0.0f64, |m, u| m.max(u.abs()));
                let loss = 2.0 * exponents
                    + share
                    + LOG_ERROR
                    + 4.0 * ROUNDING * (1.0 + negatives).ln()
                    + 2.0 * batch.summing() * (1.0 + 2.0 * largest);
                let wanted = [want.loss, want.accuracy, 0.0, 0.0, 0.0];
                // Pairs closer than their errors may be in either order.
                let close = |&(i, j): &(usize, usize)| {
                    (want.log_ratio[i] - want.log_ratio[j]).abs() <= 2.0 * exponents
                };
                let each = noise / data;
                let pairs = (0..data * each).map(|j| (j / each, data + j));
                let undecided = pairs.filter(close).count() as f64;
                let accuracy = undecided / (data * each).max(1) as f64 + batch.summing();
                let allowed = [loss, accuracy, 0.0, 0.0, 0.0];
                let values = [
                    got.loss,
                    got.nce_accuracy,
                    got.normaliser,
                    got.normaliser_gradient,
                    got.clamped,
                ];
                assert_within(&what, &values, &wanted, |i| allowed[i]);

                let (got, factor, _) = launched(&mut device, &batch, &[0.0], |r, _, a| {
                    divergence_head(r, data, noise, 0.01, a.live, a.factor, a.metrics);
                });
                batch.snapshot.clone_from(&batch.live);
                let want = batch.twin(0.0, 0.01, twins::divergence_head);
                check_shared(&what, &batch, 0.0, &got, &want);
                assert_within(&what, &factor, &want.factor, |i| {
                    12.0 * ROUNDING * batch.kind_share(i) * (1.0 + l2(i))
                });
                let energies = batch.live.iter().fold(0.0f32, |m, e| m.max(e.abs()));
                let error = (2.0 * batch.summing() + ROUNDING) * f64::from(energies);
                assert_within(&what, &[got.loss], &[want.loss], |_| error);
                assert_eq!((got.nce_accuracy, got.clamped), (0.5, 0.0));
            }
        }
    }
}

#[test]
fn every_head_counts_energies_that_are_not_finite() {
    let mut device = device(false);
    let mut batch = Batch::random(40, 80, 1.0);
    (batch.live[7], batch.live[119]) = (f32::NAN, f32::INFINITY);
    let heads = every(10.0).enumerate().flat_map(|(turn, bregman)| {
        let normalisers = one_of(NORMALISERS.to_vec(), turn);
        normalisers.into_iter().map(move |n| (bregman, n))
    });
    for (bregman, normaliser) in heads {
        let state = vec![0.0; normaliser.words()];
        let (got, ..) = run_ratio_head(&mut device, bregman, normaliser, 0.0, &batch, &state);
        assert_eq!(got.lost, 2.0, "{bregman:?}, {normaliser:?}");
    }
    let (got, ..) = launched(&mut device, &batch, &[0.0], |r, _, a| {
        ranking_head(r, 40, 80, 0.0, a);
    });
    assert_eq!(got.lost, 2.0);
    let (got, ..) = launched(&mut device, &batch, &[0.0], |r, _, a| {
        divergence_head(r, 40, 80, 0.0, a.live, a.factor, a.metrics);
    });
    assert_eq!(got.lost, 2.0);
}
