//! Every kernel that is no layer against its f64 twin, with the shaders' runtime checks off, as in production, and on.

mod common;

use afterimage::gpu::{Buffer, Executor, Recording};
use afterimage::kernels::{
    self as gpu, AdamArguments, AdamSettings, Bounds, Bregman, ChainStart, Generator,
    HeadArguments, LangevinSettings, METRIC_WORDS, NORM_PARTS, Normaliser, QuadraticBase,
    RatioMetrics, RatioSettings,
};
use afterimage::random::{Philox, Stream, uniform01};
use afterimage::twins::{self, RatioInput};
use common::{ROUNDING, assert_within, executor, filled, normals, poisoned, widen};
use std::f64::consts::TAU;

/// Single values, odd sizes, one less and one more than a workgroup, and several workgroups.
const SIZES: [usize; 5] = [1, 3, 63, 65, 1000];

/// More invocations than one dimension of a launch may have: 65,535 workgroups of 64.
const HUGE: usize = 65_535 * 64 + 65;

/// Stands behind the values of a kernel that works in place; no kernel may touch it.
const SENTINEL: f32 = 12_345.0;

const SEED: u64 = 0x1234_5678_9abc_def0;

fn executors() -> [Executor; 2] {
    [false, true].map(executor)
}

/// What every executor leaves in each of `buffers` when it has run `recording`.
fn run<const N: usize>(
    executors: &mut [Executor],
    recording: &Recording,
    buffers: [Buffer; N],
) -> Vec<[Vec<f32>; N]> {
    let one = |executor: &mut Executor| {
        executor.run(recording).expect("runs");
        buffers.map(|buffer| executor.read(buffer).expect("reads"))
    };
    executors.iter_mut().map(one).collect()
}

/// A buffer of `values` with sentinels behind them.
fn guarded(recording: &mut Recording, label: &'static str, values: &[f32]) -> Buffer {
    filled(recording, label, &[values, &[SENTINEL; 5]].concat())
}

/// The values of a guarded buffer.
fn unguarded(mut values: Vec<f32>) -> Vec<f32> {
    let guards = values.split_off(values.len() - 5);
    assert_eq!(guards, [SENTINEL; 5], "wrote behind its values");
    values
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// How far a normal number of the GPU may be off.
///
/// The radius √(−2 ln u): WGSL grants the logarithm an absolute error of 2⁻²¹ between ½ and 2 and 3 units in the last
/// place elsewhere, and the root 3 units more. Sine and cosine: WGSL grants 2⁻¹¹ and nothing beyond ±π, but hardware
/// keeps to 2⁻²¹ or better (CUDA's `__sinf` and `__cosf`, the crudest around, are documented with 2⁻²¹·¹⁹) for an angle
/// that is rounded by the product with 2π and by the reduction to one turn.
fn normal_error(stream: Stream, step: u32, element: u32) -> f64 {
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
    radius_error + radius * ((-21f64).exp2() + 4.0 * ROUNDING * TAU)
}

#[test]
fn philox_gives_the_words_of_random123_on_the_gpu() {
    let ones = u32::MAX;
    let known = [
        (
            [0; 4],
            [0; 2],
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
        ),
        (
            [ones; 4],
            [ones; 2],
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
        ),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ];
    let mut executors = executors();
    for size in [3, 63, 65, 1000] {
        let mut counters: Vec<[u32; 4]> = known.iter().map(|k| k.0).collect();
        let mut keys: Vec<[u32; 2]> = known.iter().map(|k| k.1).collect();
        for i in counters.len() as u32..size as u32 {
            let words = Philox::words(SEED, Stream::Data, 0, i);
            counters.push(words);
            keys.push([words[0] ^ i, words[3]]);
        }
        let mut r = Recording::new();
        let mut uploaded = |label, words: Vec<u32>| {
            let buffer = Buffer::new(label, words.len());
            r.upload(buffer, 0, words);
            buffer
        };
        let counter_buffer = uploaded("counters", counters.concat());
        let key_buffer = uploaded("keys", keys.concat());
        let words = uploaded("words", vec![f32::NAN.to_bits(); 4 * size]);
        gpu::philox_words(&mut r, size, counter_buffer, key_buffer, words);
        let want = twins::philox_words(&counters, &keys);
        for executor in &mut executors {
            executor.run(&r).expect("runs");
            let got = executor.read_words(words, 0, 4 * size).expect("reads");
            assert_eq!(got[..12], known.map(|k| k.2).concat());
            assert_eq!(got, want);
        }
    }
}

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
    let states = guarded(r, "x", x);
    let gradient = filled(r, "gradient", gradient);
    let stream = Stream::Langevin;
    gpu::langevin(
        r,
        settings,
        stream,
        SEED,
        step,
        first,
        x.len(),
        states,
        gradient,
    );
    states
}

#[test]
fn langevin_agrees_with_its_twin() {
    let mut executors = executors();
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
            for [got] in run(&mut executors, &r, [states]) {
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
    for parts in run(&mut executors(), &r, [whole, head, tail]) {
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
            for [got] in run(&mut executors(), &r, [states]) {
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
            for [got] in run(&mut executors(), &r, [states]) {
                let lost: Vec<bool> = unguarded(got).iter().map(|x| !x.is_finite()).collect();
                assert_eq!(lost, [true, true, true, true, false], "{settings:?}");
            }
        }
    }
}

#[test]
fn add_noise_agrees_with_its_twin() {
    let mut executors = executors();
    for size in SIZES {
        let (step, std) = (size as u32 + 3, 0.25f32);
        let x = normals(1, size);
        let mut r = Recording::new();
        let buffer = guarded(&mut r, "x", &x);
        gpu::add_noise(&mut r, SEED, step, std, size, buffer);
        let mut want = widen(&x);
        twins::add_noise(SEED, step, std.into(), &mut want);
        for [got] in run(&mut executors, &r, [buffer]) {
            assert_within(&format!("{size} values"), &unguarded(got), &want, |i| {
                let terms = f64::from(x[i].abs()) + 0.25 * 6.0;
                0.25 * normal_error(Stream::DataNoise, step, i as u32) + 2.0 * ROUNDING * terms
            });
        }
    }
}

#[test]
fn start_chains_agrees_with_its_twin_in_parts_and_whole() {
    let mut executors = executors();
    let stream = Stream::SamplingStart;
    for (size, first) in SIZES.into_iter().zip([0, 5, 2, 3, 1001]) {
        for start in [
            ChainStart::Gaussian {
                mean: 0.5,
                std: 2.0,
            },
            ChainStart::Uniform {
                low: -1.0,
                high: 3.0,
            },
        ] {
            let mut r = Recording::new();
            let step = u32::MAX - size as u32;
            let mut draw = |first: u32, count: usize| {
                let x = guarded(&mut r, "x", &vec![f32::NAN; count]);
                gpu::start_chains(&mut r, start, stream, SEED, step, first, count, x);
                x
            };
            let whole = draw(first, size);
            let cut = size / 3;
            let parts = [draw(first, cut), draw(first + cut as u32, size - cut)];

            let mut want = vec![f64::NAN; size];
            let (wide, scale, is_normal) = match start {
                ChainStart::Gaussian { mean, std } => {
                    let (mean, std) = (mean.into(), std.into());
                    (twins::ChainStart::Gaussian { mean, std }, std, true)
                }
                ChainStart::Uniform { low, high } => {
                    let (low, high) = (low.into(), high.into());
                    (twins::ChainStart::Uniform { low, high }, high - low, false)
                }
            };
            twins::start_chains(wide, stream, SEED, step, first, &mut want);
            let allowed = |i: usize| {
                let error = if is_normal {
                    normal_error(stream, step, first + i as u32)
                } else {
                    // uniform01 is exact in f32.
                    0.0
                };
                // No random number here is beyond 6; a difference, a product and a sum round.
                scale * error + 3.0 * ROUNDING * (1.0 + 6.0 * scale)
            };
            for buffers in run(&mut executors, &r, [whole, parts[0], parts[1]]) {
                let [whole, head, tail] = buffers.map(unguarded);
                assert_within(
                    &format!("{size} from {first}, {start:?}"),
                    &whole,
                    &want,
                    allowed,
                );
                // An empty part still launches once and must write nothing.
                assert_eq!(bits(&whole), bits(&[head, tail].concat()));
            }
        }
    }
}

#[test]
fn chains_are_gathered_and_scattered_as_their_twins_do() {
    let mut executors = executors();
    for (chains, length, slots, first) in [
        (1, 1, 1, 0),
        (3, 1, 7, 5),
        (1, 63, 2, 1),
        (5, 13, 5, 3),
        (8, 125, 24, 16),
        (9, 64, 24, 23),
    ] {
        let (replay, x) = (normals(1, slots * length), normals(2, chains * length));
        // Multiplication by 5 permutes the slots, whose number it does not divide.
        let order: Vec<u32> = (0..slots as u32)
            .map(|i| {
                if slots == 5 {
                    4 - i
                } else {
                    5 * i % slots as u32
                }
            })
            .collect();
        let mut r = Recording::new();
        let order_buffer = Buffer::new("order", slots);
        r.upload(order_buffer, 0, order.clone());
        let source = filled(&mut r, "replay", &replay);
        let taken = poisoned(&mut r, "x", chains * length);
        gpu::gather_chains(&mut r, chains, length, first, source, order_buffer, taken);
        let target = guarded(&mut r, "replay", &replay);
        let from = filled(&mut r, "x", &x);
        gpu::scatter_chains(&mut r, chains, length, first, target, order_buffer, from);

        let mut want_taken = vec![f64::NAN; chains * length];
        let wide = widen(&replay);
        twins::gather_chains(length, first as usize, &wide, &order, &mut want_taken);
        let mut want_target = wide;
        let x = widen(&x);
        twins::scatter_chains(length, first as usize, &mut want_target, &order, &x);
        for [taken, target] in run(&mut executors, &r, [taken, target]) {
            assert_eq!(widen(&taken), want_taken, "{chains} chains gathered");
            let target = widen(&unguarded(target));
            assert_eq!(target, want_target, "{chains} chains scattered");
        }
    }
}

#[test]
fn energy_head_agrees_with_its_twin() {
    let mut executors = executors();
    let base = Some(QuadraticBase {
        mean: 0.3,
        std: 0.7,
    });
    for (samples, outputs, length) in [
        (1, 1, 1),
        (3, 65, 63),
        (65, 3, 65),
        (2, 1000, 1000),
        // One workgroup a sample: enough for a second row of them.
        (40_001, 1, 129),
        // The most and the fewest values that one invocation and one workgroup sum.
        (65, 1, 127),
        (65, 1, 128),
    ] {
        for base in [None, base] {
            let (head, x) = (normals(1, samples * outputs), normals(2, samples * length));
            let mut r = Recording::new();
            let head_buffer = filled(&mut r, "head", &head);
            let x_buffer = filled(&mut r, "x", &x);
            let energies = poisoned(&mut r, "energies", samples);
            gpu::energy_head(
                &mut r,
                samples,
                outputs,
                head_buffer,
                base,
                length,
                x_buffer,
                energies,
            );
            let wide = base.map(|base| twins::QuadraticBase {
                mean: base.mean.into(),
                std: base.std.into(),
            });
            let (head, x) = (widen(&head), widen(&x));
            let energy =
                |head: &[f64]| twins::energy_head(samples, outputs, head, wide, length, &x);
            let want = energy(&head);
            let magnitudes: Vec<f64> = head.iter().map(|h| h.abs()).collect();
            let absolute = energy(&magnitudes);
            // One invocation adds it all, or each of 64 its share and then a tree of 6 sums; a term of the base is
            // rounded 8 times.
            let values = outputs + base.map_or(0, |_| length);
            let sums = if values <= 128 {
                values
            } else {
                outputs.div_ceil(64) + length.div_ceil(64) + 6
            };
            let roundings = sums + 8;
            for [got] in run(&mut executors, &r, [energies]) {
                let what = format!("{samples} samples, {outputs} outputs, {base:?}");
                assert_within(&what, &got, &want, |n| {
                    roundings as f64 * ROUNDING * absolute[n]
                });
            }
        }
    }
}

#[test]
fn quadratic_base_gradient_agrees_with_its_twin() {
    let mut executors = executors();
    let base = QuadraticBase {
        mean: -0.4,
        std: 1.3,
    };
    let wide = twins::QuadraticBase {
        mean: base.mean.into(),
        std: base.std.into(),
    };
    for size in SIZES.into_iter().chain([HUGE]) {
        // Repeated, since normals are slow to draw; the period is odd, so that no two workgroups see the same.
        let long =
            |tag| -> Vec<f32> { normals(tag, 1009).into_iter().cycle().take(size).collect() };
        let (x, before) = (long(1), long(2));
        let mut r = Recording::new();
        let x_buffer = filled(&mut r, "x", &x);
        let gradient = guarded(&mut r, "gradient", &before);
        gpu::quadratic_base_gradient(&mut r, base, size, x_buffer, gradient);
        let before = widen(&before);
        let mut want = before.clone();
        twins::quadratic_base_gradient(wide, &widen(&x), &mut want);
        for [got] in run(&mut executors, &r, [gradient]) {
            // 1/s² is rounded three times; the difference, the product and the sum once each.
            assert_within(&format!("{size} values"), &unguarded(got), &want, |i| {
                6.0 * ROUNDING * (2.0 * before[i].abs() + want[i].abs())
            });
        }
    }
}

#[test]
fn sum_partials_agrees_with_its_twin() {
    let mut executors = executors();
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
        for outcome in run(&mut executors, &r, [replaced, added]) {
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

/// Relative error of the norm of `count` values: each of 64 · parts invocations sums its share of rounded squares; two
/// trees of 6 sums and the sum of the parts follow. The root halves all that and rounds by up to 3 units.
fn norm_error(count: usize) -> f64 {
    let parts = count.div_ceil(64 * 16).clamp(1, NORM_PARTS);
    let roundings = 1 + count.div_ceil(64 * parts) + 6 + parts.div_ceil(64) + 6;
    (0.5 * roundings as f64 + 6.0) * ROUNDING
}

#[test]
fn gradient_norm_agrees_with_its_twin() {
    let mut executors = executors();
    // Fewer than 256 parts, and more than 16 values for each of 256 · 64 invocations.
    for size in SIZES.into_iter().chain([100_003, 300_001]) {
        let gradient = normals(1, size);
        let mut r = Recording::new();
        let buffer = guarded(&mut r, "gradient", &gradient);
        let scratch = poisoned(&mut r, "scratch", NORM_PARTS);
        let norm = poisoned(&mut r, "metrics", 3);
        gpu::gradient_norm(&mut r, size, buffer, scratch, norm, 1);
        let want = twins::gradient_norm(&widen(&gradient));
        for [got] in run(&mut executors, &r, [norm]) {
            assert!(got[0].is_nan() && got[2].is_nan(), "wrote beside its place");
            assert_within(&format!("{size} values"), &got[1..2], &[want], |_| {
                norm_error(size) * want
            });
        }
    }
}

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

/// Metrics, factors and c that the executors leave.
fn run_ratio_head(
    executors: &mut [Executor],
    case: &RatioCase,
    live: &[f32],
    stale: &[f32],
) -> Vec<(RatioMetrics, Vec<f32>, f32)> {
    let mut r = Recording::new();
    let normaliser = filled(&mut r, "c", &[case.c]);
    let arguments = HeadArguments {
        live: filled(&mut r, "live", live),
        stale: filled(&mut r, "stale", stale),
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
    run(executors, &r, buffers)
        .into_iter()
        .map(|[metrics, factor, c]| {
            let metrics = RatioMetrics::from_words(&bits(&metrics));
            assert!(metrics.gradient_norm.is_nan(), "that is another kernel's");
            (metrics, unguarded(factor), c[0])
        })
        .collect()
}

fn check_ratio_head(executors: &mut [Executor], case: &RatioCase) {
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
    let (live, stale) = (energies(1), energies(2));
    let got = run_ratio_head(executors, case, &live, &stale);

    let (live, stale) = (widen(&live), widen(&stale));
    let (c, energy_l2, rate) = (f64::from(c), f64::from(energy_l2), f64::from(rate));
    let input = RatioInput {
        live: &live,
        snapshot: &stale,
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
    let u_error = |i: usize| 2.0 * ROUNDING * (live[i].abs() + stale[i].abs() + c.abs());
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
            m.l2,
            m.energy_data,
            m.energy_noise,
            m.accuracy,
            m.spread,
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
    let mut executors = executors();
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
            check_ratio_head(&mut executors, &case);
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
    for (metrics, _, _) in run_ratio_head(&mut executors(), &case, &energies, &energies) {
        // Halves and whole numbers are exact.
        assert_eq!(metrics.accuracy, 0.5);
        assert_eq!(metrics.spread, 0.0);
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
    let (mut live, mut stale) = (normals(1, 120), normals(2, 120));
    (live[7], live[119], stale[50], stale[7]) =
        (f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::INFINITY);
    for (metrics, _, _) in run_ratio_head(&mut executors(), &case, &live, &stale) {
        assert_eq!(metrics.lost, 3.0, "sample 7 counts once");
    }

    let (mut live, stale) = (vec![1e4; 120], vec![-1e4; 120]);
    live[60..].fill(-3e4);
    for (metrics, factor, _) in run_ratio_head(&mut executors(), &case, &live, &stale) {
        assert_eq!(metrics.lost, 0.0);
        assert!(metrics.loss.is_finite() && metrics.spread.is_finite());
        // Data with r → 0 has weight 1, noise with r → 0 none and with r → ∞ ν = 2.
        assert_eq!(factor[0], 1.0 / 40.0);
        assert_eq!(factor[40], 0.0);
        assert_eq!(factor[119], -2.0 / 80.0);
    }
}

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

/// One step of the norm and Adam on every executor, from a state that all of them share.
fn run_adam(
    executors: &mut [Executor],
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
        executors,
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
    let mut executors = executors();
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
                let after = run_adam(&mut executors, &settings, step, &state, &gradient);
                for after in &after {
                    check_adam(&settings, step, &state, &gradient, after);
                }
                state = after.into_iter().next().expect("there is an executor");
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
            for after in run_adam(&mut executors(), &settings, 3, &state, &gradient) {
                for (before, after) in state.iter().zip(&after) {
                    assert_eq!(bits(before), bits(after), "with {lost} in the gradient");
                }
            }
        }
    }
}
