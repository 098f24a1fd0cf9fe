//! Noise that the GPU draws when it decides to.

use super::{Trained, small, train};
use crate::common::{ROUNDING, assert_close, executor, filled, normals, poisoned, widen};
use afterimage::config::{ChainKind, Config, Interval};
use afterimage::gpu::{Buffer, Recording};
use afterimage::low_level::kernels::{METRIC_WORDS, RatioMetrics, noise as kernels};
use afterimage::low_level::random::{Philox, Stream};
use afterimage::low_level::twins::noise as twins;
use std::mem::offset_of;

/// A step of 8 noise samples at K = 100, of chains that start afresh, so that a pass does not depend on which came before.
fn short_run() -> Config {
    let mut config = small("copy");
    config.snapshot.interval = Interval::Every(100);
    config.sampler.chains = ChainKind::ShortRun;
    config.sampler.diagnose = 0;
    config
}

fn adaptive(mut config: Config, threshold: f32, most: u64) -> Config {
    config.sampler.reuse = Interval::Adaptive;
    config.sampler.reuse_threshold = threshold;
    config.sampler.max_reuse = most;
    config
}

/// The steps that have other noise than the one before.
fn draws(trained: &Trained) -> Vec<usize> {
    let noise = &trained.noise;
    (0..noise.len())
        .filter(|&step| step == 0 || noise[step] != noise[step - 1])
        .collect()
}

/// Passes up to and with each step, from the energy-gradient evaluations.
fn passes(trained: &Trained) -> Vec<u64> {
    let rows = trained.rows.iter();
    rows.map(|row| row.gradient_evaluations / (2 * 8)).collect()
}

#[test]
fn the_highest_threshold_draws_in_every_step_to_the_bit() {
    // No weights that differ have an effective sample size of 1.
    let trained = train(&adaptive(short_run(), 1.0, 100));
    assert_eq!(trained, train(&short_run()));
    assert_eq!(passes(&trained), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn without_a_threshold_noise_serves_its_most_steps_and_no_refresh() {
    let mut config = adaptive(short_run(), 0.0, 3);
    let trained = train(&config);
    assert_eq!(draws(&trained), [0, 3, 6]);
    assert_eq!(passes(&trained), [1, 1, 1, 2, 2, 2, 3]);
    assert_eq!(trained, train(&config));
    // Noise does not outlive its snapshot, whether the host knows of the refresh ...
    config.snapshot.interval = Interval::Every(4);
    let refreshed = train(&config);
    assert_eq!(draws(&refreshed), [0, 3, 4]);
    // ... or the GPU, which decides on it by a threshold of its own.
    config.snapshot.interval = Interval::Adaptive;
    config.snapshot.ess_threshold = 0.0;
    config.snapshot.max_interval = 4;
    assert_eq!(train(&config), refreshed);
    config.snapshot.ess_threshold = 1.0;
    let ages = train(&config).rows;
    assert!(ages.iter().all(|row| row.snapshot_age == 0), "{ages:?}");
}

#[test]
fn the_threshold_between_decides_by_what_an_update_leaves() {
    let mut config = short_run();
    config.optimiser.rate = 0.05;
    // What the first pool comes to, step by step, says where it ends at which threshold.
    let all = train(&adaptive(config.clone(), 0.0, 100));
    assert_eq!(draws(&all), [0]);
    let ess: Vec<f32> = all.rows.iter().map(|row| row.ess).collect();
    let end = (2..ess.len())
        .find(|&step| ess[1..step].iter().all(|&before| before > ess[step]))
        .expect("falls");
    let between = (ess[end] + ess[1..end].iter().copied().fold(1.0, f32::min)) / 2.0;
    // The row of a step has the energies of new data, too, but the noise and its weights are those that were judged.
    let trained = train(&adaptive(config, between, 100));
    assert_eq!(draws(&trained)[..2], [0, end], "{ess:?}");
}

#[test]
fn persistent_chains_take_turns_by_passes() {
    let mut config = short_run();
    config.sampler.chains = ChainKind::Persistent;
    config.sampler.restart = 0.0;
    // As many slots as chains of four passes: within an epoch the order is that of any run.
    config.sampler.buffer = 32;
    config.run.steps = 4;
    let every = train(&config);
    let trained = train(&adaptive(config.clone(), 1.0, 100));
    assert_eq!(trained, every);
    config.run.steps = 7;
    let sparse = train(&adaptive(config, 0.0, 2));
    assert_eq!(draws(&sparse), [0, 2, 4, 6]);
    assert_eq!(sparse.noise[0], every.noise[0]);
}

#[test]
fn a_pool_holds_the_passes_since_the_refresh() {
    let mut config = short_run();
    config.snapshot.interval = Interval::Every(4);
    let plain = train(&config);
    config.sampler.pool = 3;
    let pooled = train(&config);
    assert_eq!(passes(&pooled), [1, 2, 3, 4, 5, 6, 7]);
    // The optimiser has moved by other noise from step 1 on, but until the refresh that changes no chain.
    let chains =
        |noise: &[f32]| -> Vec<Vec<f32>> { noise.chunks(2).map(<[f32]>::to_vec).collect() };
    let mut older = 0;
    for step in 0..4 {
        let valid = step.min(2);
        for (chain, state) in chains(&pooled.noise[step]).iter().enumerate() {
            let from = (0..=valid)
                .find(|back| chains(&plain.noise[step - back])[chain] == *state)
                .unwrap_or_else(|| panic!("step {step}, chain {chain}: {state:?}"));
            older += usize::from(from > 0);
        }
    }
    assert!(older > 0);
    // Right after the refresh there is one pass only.
    config.sampler.pool = 1;
    config.sampler.reuse = Interval::Adaptive;
    config.sampler.max_reuse = 1;
    assert_eq!(train(&config).noise[..4], plain.noise[..4]);
    let other = adaptive(config, 0.0, 1);
    assert_eq!(train(&other).noise[..5], plain.noise[..5]);
}

#[test]
fn the_effective_sample_size_agrees_with_its_twin() {
    let mut executor = executor(true);
    for (count, scale) in [(1, 1.0), (64, 0.1), (67, 3.0), (300, 300.0)] {
        let live: Vec<f32> = normals(5, count).iter().map(|e| scale * e).collect();
        let snapshot: Vec<f32> = normals(6, count + 3).iter().map(|e| scale * e).collect();
        let mut r = Recording::new();
        let of = filled(&mut r, "live", &live);
        let before = filled(&mut r, "snapshot", &snapshot);
        let metrics = poisoned(&mut r, "metrics", METRIC_WORDS);
        kernels::effective_sample_size(&mut r, of, before, 3, metrics);
        executor.run(&r).expect("runs");
        let words = executor
            .read_words(metrics, 0, METRIC_WORDS)
            .expect("reads");
        let got = RatioMetrics::from_words(&words).ess_after;
        let want = twins::effective_sample_size(&widen(&live), &widen(&snapshot[3..]));
        // A difference of energies is right to its own rounding, which the exponential turns into a share of the weight.
        let exponent = 2.0 * f64::from(scale) * 4.0;
        assert_close("ess", &[got], &[want], (8.0 + 4.0 * exponent) * ROUNDING);
    }
}

#[test]
fn a_pool_is_judged_by_effective_sample_size_use_and_refreshes() {
    let mut executor = executor(true);
    // State before: due, used, passes, valid; effective sample size; refresh as the host and as the GPU knows; state after.
    for (before, ess, host, gpu, after) in [
        ([1, 7, 0, 0], 0.9, false, 0, [0, 1, 1, 1]),
        ([0, 1, 1, 1], 0.5, false, 0, [0, 2, 1, 1]),
        ([0, 1, 1, 1], 0.49, false, 0, [1, 2, 1, 1]),
        ([0, 4, 9, 3], 0.9, false, 0, [1, 5, 9, 3]),
        ([1, 5, 9, 3], 0.9, false, 0, [0, 1, 10, 4]),
        ([0, 1, 1, 1], 0.9, true, 0, [1, 2, 1, 0]),
        ([0, 1, 1, 1], 0.9, false, 1, [1, 2, 1, 0]),
        ([1, 1, 0x1_ffff, 2], 0.9, false, 0, [0, 1, 0x2_0000, 3]),
    ] {
        let mut r = Recording::new();
        let state = Buffer::new("state", kernels::POOL_WORDS);
        r.upload(state, 0, before.to_vec());
        let snapshot = Buffer::new("snapshot", 2);
        r.upload(snapshot, 0, vec![gpu, 0]);
        let metrics = poisoned(&mut r, "metrics", METRIC_WORDS);
        let place = offset_of!(RatioMetrics, ess_after) / size_of::<f32>();
        r.upload_f32(metrics, place, &[ess]);
        kernels::judge_pool(&mut r, (0.5, 5), host, state, snapshot, metrics);
        executor.run(&r).expect("runs");
        let got = executor.read_words(state, 0, kernels::POOL_WORDS);
        assert_eq!(got.expect("reads"), after, "{before:?} {ess} {host} {gpu}");
        let words = executor
            .read_words(metrics, 0, METRIC_WORDS)
            .expect("reads");
        let metrics = RatioMetrics::from_words(&words);
        let passes = metrics.passes_high as u32 * 0x1_0000 + metrics.passes_low as u32;
        assert_eq!(passes, after[2]);
    }
}

#[test]
fn noise_is_kept_and_picked_by_the_pass() {
    let mut executor = executor(true);
    let (passes, chains, length, seed, step) = (3, 5, 2, 11, 4);
    let values = chains * length;
    let pass = |number: usize| -> Vec<f32> { normals(20 + number as u32, values) };
    let kept = Buffer::new("kept", passes * values);
    let state = Buffer::new("state", kernels::POOL_WORDS);
    let samples = Buffer::new("samples", 3 + values);
    for number in 0..5 {
        let mut r = Recording::new();
        r.upload(state, 0, vec![1, 0, number as u32, 0]);
        let x = filled(&mut r, "x", &pass(number));
        // In two groups.
        let rest = filled(&mut r, "rest", &pass(number)[4..]);
        kernels::keep_noise(&mut r, state, x, (0, 4), kept, passes);
        kernels::keep_noise(&mut r, state, rest, (4, values - 4), kept, passes);
        executor.run(&r).expect("runs");
    }
    // Five passes, of which the last (number 4) was in this step and 1 before it is valid; then all of them, without a pass.
    for (words, valid) in [([1, 0, 4, 1], 2), ([0, 2, 5, 5], 3), ([1, 0, 4, 0], 1)] {
        let mut r = Recording::new();
        r.upload(state, 0, words.to_vec());
        let pool = kernels::NoisePool {
            state,
            kept,
            passes,
            chains,
        };
        kernels::pick_noise(&mut r, &pool, (seed, step), samples, 3);
        executor.run(&r).expect("runs");
        let got = executor.read(samples).expect("reads");
        for chain in 0..chains {
            let word = Philox::words(seed, Stream::NoisePool, step, chain as u32)[0];
            let back = (u64::from(word) * valid) >> 32;
            let want = &pass(4 - back as usize)[chain * length..][..length];
            assert_eq!(&got[3 + chain * length..][..length], want, "{words:?}");
        }
    }
}
