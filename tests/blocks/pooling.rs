//! Pooling kernels against their f64 twins.

use crate::common::{
    F16_ROUNDING, ROUNDING, activations, assert_within, executor, filled, mixed_variants,
    nearest_f16, normals, poisoned, variants, widen,
};
use afterimage::config::Precision;
use afterimage::gpu::{Executor, Recording};
use afterimage::low_level::gpu::ImageFormat;
use afterimage::low_level::kernels::texel::{self, Border, Plane, Texel};
use afterimage::low_level::kernels::{
    ACTIVATIONS, Activation, Layer, LayerKind, Maps, Pooling, Variant, load, pool_forward,
    pool_input_gradient, unload,
};
use afterimage::low_level::twins;
use afterimage::shape::Shape;

/// Maps inside a network, with a border that no two callers share, holding `values`.
fn maps(
    r: &mut Recording,
    variant: Variant,
    samples: usize,
    shape: Shape,
    border: usize,
    values: &[f32],
) -> Maps {
    filled_with(r, new_maps(variant, samples, shape, border), values)
}

fn filled_with(r: &mut Recording, maps: Maps, values: &[f32]) -> Maps {
    let flat = filled(r, "values", values);
    load(r, flat, &maps);
    maps
}

fn new_maps(variant: Variant, samples: usize, shape: Shape, border: usize) -> Maps {
    match variant {
        Variant::Texel(Texel {
            longest_side,
            precision,
            ..
        }) => {
            let border = Border {
                top: border,
                left: border + 1,
                bottom: 0,
                right: 2 * border,
            };
            let format = match precision {
                Precision::Full => ImageFormat::F32,
                Precision::Mixed => ImageFormat::F16,
            };
            let plane = Plane::new("maps", samples, shape, border, format, longest_side);
            Maps::Texel(texel::Maps::Plane(plane.expect("fits")))
        }
        // Other families lay out all maps alike.
        _ => {
            let kind = LayerKind::Dense {
                input: shape,
                outputs: 1,
            };
            let layer = Layer::new(kind, Activation::IDENTITY, samples, variant);
            layer.new_plain("maps", shape).expect("fits")
        }
    }
}

pub fn read(executor: &mut Executor, maps: &Maps, len: usize) -> Vec<f32> {
    let mut r = Recording::new();
    let flat = poisoned(&mut r, "flat", len);
    unload(&mut r, maps, flat);
    executor.run(&r).expect("runs");
    executor.read(flat).expect("reads")
}

/// Values that every precision holds as they are.
fn exact(tag: u32, count: usize) -> Vec<f32> {
    normals(tag, count).into_iter().map(nearest_f16).collect()
}

/// Windows that fill the map and that leave rows and columns over, channels that fill no texel and several, one pixel,
/// windows of the whole map, and samples that fill more than one workgroup.
fn poolings() -> Vec<(Pooling, usize)> {
    vec![
        (Pooling::average(Shape::new(5, 6, 4), 2), 3),
        (Pooling::average(Shape::new(1, 5, 7), 2), 2),
        (Pooling::average(Shape::new(9, 7, 8), 3), 5),
        (Pooling::average(Shape::new(3, 4, 3), 1), 1),
        (Pooling::global_sum(Shape::new(17, 4, 3)), 7),
        (Pooling::global_sum(Shape::new(2, 1, 1)), 70),
        // More pixels than some drivers' loops make turns.
        (Pooling::global_sum(Shape::new(1, 300, 301)), 1),
    ]
}

#[test]
fn poolings_agree_with_their_twins() {
    let mut executor = executor(true);
    let runs = [variants(&executor), mixed_variants(&executor)].concat();
    for (index, (pooling, samples)) in poolings().into_iter().enumerate() {
        let activation = activations()[index % ACTIVATIONS.len()];
        let (shape, small) = (pooling.input, pooling.output_shape());
        let large_values = |tag| exact(tag, samples * shape.len());
        let (x, skip, added) = (large_values(1), large_values(2), large_values(3));
        let input_derivative = large_values(4);
        let gradient = exact(5, samples * small.len());
        let unwritten = vec![f32::NAN; samples * shape.len()];
        for &(name, variant) in &runs {
            let mixed = variant.precision() == Precision::Mixed;
            // Sums of as many values as a window has of the two maps, and activations whose exponential is right to 32
            // units in the last place; then f16.
            let terms = 2 * pooling.window_height * pooling.window_width + 32;
            let check = |what: &str, got: &[f32], want: &[f64]| {
                let what = format!("{name}, {mixed}, {what}, {pooling:?}, {activation:?}");
                let scale = 1.0 + want.iter().fold(0.0f64, |m, v| m.max(v.abs()));
                assert_within(&what, got, want, |i| {
                    let stored = if mixed {
                        F16_ROUNDING * (want[i].abs() + 1e-4)
                    } else {
                        0.0
                    };
                    terms as f64 * ROUNDING * scale + stored
                });
            };
            let mut r = Recording::new();
            let large = |r: &mut Recording, border, values: &[f32]| {
                maps(r, variant, samples, shape, border, values)
            };
            let x_maps = large(&mut r, 1, &x);
            let skip_maps = large(&mut r, 2, &skip);
            let added_maps = large(&mut r, 3, &added);
            let derivatives = |shape, border| match new_maps(variant, samples, shape, border) {
                // As some adapters have them; those of f16 stay where they are.
                Maps::Texel(maps) => Maps::Texel(maps.in_buffer()),
                maps => maps,
            };
            let derivative_maps = filled_with(&mut r, derivatives(shape, 0), &input_derivative);
            let gradient_maps = maps(&mut r, variant, samples, small, 2, &gradient);
            let small_maps = |r: &mut Recording| {
                maps(
                    r,
                    variant,
                    samples,
                    small,
                    1,
                    &unwritten[..samples * small.len()],
                )
            };
            let (pooled, joined, alone) =
                (small_maps(&mut r), small_maps(&mut r), small_maps(&mut r));
            let nothing = &unwritten[..samples * small.len()];
            let derivative = filled_with(&mut r, derivatives(small, 1), nothing);
            let identity = Activation::IDENTITY;
            pool_forward(
                &mut r, &pooling, identity, samples, &x_maps, None, &pooled, None,
            );
            let skip_from = Some(&skip_maps);
            pool_forward(
                &mut r,
                &pooling,
                activation,
                samples,
                &x_maps,
                skip_from,
                &joined,
                Some(&derivative),
            );
            pool_forward(
                &mut r, &pooling, activation, samples, &x_maps, skip_from, &alone, None,
            );
            let mut back = Vec::new();
            for add in [None, Some(&added_maps)] {
                for times in [None, Some(&derivative_maps)] {
                    let to = large(&mut r, 1, &unwritten);
                    pool_input_gradient(&mut r, &pooling, samples, &gradient_maps, add, times, &to);
                    back.push((add.is_some(), times.is_some(), to));
                }
            }
            executor.run(&r).expect("runs");

            let (x, skip, added) = (widen(&x), widen(&skip), widen(&added));
            let want = twins::pool_forward(&pooling, identity, samples, &x, None).output;
            check("pooled", &read(&mut executor, &pooled, want.len()), &want);
            let want = twins::pool_forward(&pooling, activation, samples, &x, Some(&skip));
            for (what, got, want) in [
                ("joined", joined, &want.output),
                ("joined, no derivative", alone, &want.output),
                ("derivative", derivative, &want.derivative),
            ] {
                check(what, &read(&mut executor, &got, want.len()), want);
            }
            for (with_added, with_derivative, got) in back {
                let want = twins::pool_input_gradient(
                    &pooling,
                    samples,
                    &widen(&gradient),
                    with_added.then_some(&added[..]),
                    with_derivative.then_some(&widen(&input_derivative)[..]),
                );
                let what = format!("back, {with_added}, {with_derivative}");
                check(&what, &read(&mut executor, &got, want.len()), &want);
            }
        }
    }
}
