//! Noise on data, and chains that start, leave their buffer and return to it.

use crate::common::{ROUNDING, assert_within, filled, normals, poisoned, widen};
use crate::launch::{SEED, SIZES, bits, devices, guarded, normal_error, run, unguarded};
use afterimage::gpu::{Buffer, Recording};
use afterimage::low_level::kernels::{self as gpu, ChainStart};
use afterimage::low_level::random::Stream;
use afterimage::low_level::twins;

#[test]
fn add_noise_agrees_with_its_twin() {
    let mut devices = devices();
    for size in SIZES {
        let (step, std) = (size as u32 + 3, 0.25f32);
        let x = normals(1, size);
        let mut r = Recording::new();
        let buffer = guarded(&mut r, "x", &x);
        gpu::add_noise(&mut r, SEED, step, std, size, buffer);
        let mut want = widen(&x);
        twins::add_noise(SEED, step, std.into(), &mut want);
        for [got] in run(&mut devices, &r, [buffer]) {
            assert_within(&format!("{size} values"), &unguarded(got), &want, |i| {
                let terms = f64::from(x[i].abs()) + 0.25 * 6.0;
                0.25 * normal_error(Stream::DataNoise, step, i as u32) + 2.0 * ROUNDING * terms
            });
        }
    }
}

#[test]
fn start_chains_agrees_with_its_twin_in_parts_and_whole() {
    let mut devices = devices();
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
            for buffers in run(&mut devices, &r, [whole, parts[0], parts[1]]) {
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
    let mut devices = devices();
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
        let turn = |states| gpu::ReplayTurn {
            states,
            order: order_buffer,
            first,
            chains,
            length,
        };
        turn(source).gather(&mut r, taken);
        let target = guarded(&mut r, "replay", &replay);
        let from = filled(&mut r, "x", &x);
        turn(target).scatter(&mut r, from);

        let mut want_taken = vec![f64::NAN; chains * length];
        let wide = widen(&replay);
        twins::gather_chains(length, first as usize, &wide, &order, &mut want_taken);
        let mut want_target = wide;
        let x = widen(&x);
        twins::scatter_chains(length, first as usize, &mut want_target, &order, &x);
        for [taken, target] in run(&mut devices, &r, [taken, target]) {
            assert_eq!(widen(&taken), want_taken, "{chains} chains gathered");
            let target = widen(&unguarded(target));
            assert_eq!(target, want_target, "{chains} chains scattered");
        }
    }
}
