//! The energy head and the quadratic base.

use crate::common::{ROUNDING, assert_within, filled, normals, poisoned, widen};
use crate::launch::{HUGE, SIZES, devices, guarded, run, unguarded};
use afterimage::gpu::Recording;
use afterimage::low_level::kernels::{self as gpu, QuadraticBase};
use afterimage::low_level::twins;

#[test]
fn energy_head_agrees_with_its_twin() {
    let mut devices = devices();
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
            for [got] in run(&mut devices, &r, [energies]) {
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
    let mut devices = devices();
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
        for [got] in run(&mut devices, &r, [gradient]) {
            // 1/s² is rounded three times; the difference, the product and the sum once each.
            assert_within(&format!("{size} values"), &unguarded(got), &want, |i| {
                6.0 * ROUNDING * (2.0 * before[i].abs() + want[i].abs())
            });
        }
    }
}
