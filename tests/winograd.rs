//! The transforms of Winograd's method against their defining matrices, and the rule that chooses it. What the
//! whole method computes is tested with the other layer kernels (`tests/layers.rs`).

mod common;

use afterimage::config::Precision;
use afterimage::gpu::{Buffer, Executor, Recording};
use afterimage::low_level::gpu::{Image, ImageFormat, Resource};
use afterimage::low_level::kernels::texel::{
    self, Algorithm, Border, Plane, Texel, Winograd, WinogradScratch, winograd_forward,
    winograd_input_gradient, winograd_weights,
};
use afterimage::low_level::kernels::{
    Activation, ConvGeometry, Layer, LayerKind, LayerParameters, LayerPass, Maps, Variant, load,
    unload,
};
use afterimage::low_level::twins::{
    WINOGRAD_POINTS, transposed, winograd_matrices, winograd_transform,
};
use afterimage::shape::Shape;
use common::{assert_close, executor, filled, normals, square, variants, widen};

/// Sums of at most 25 products of numbers of about 1 and coefficients of up to 8.
const TOLERANCE: f64 = 1e-6;

/// One tile, one group of channels either way.
fn one_tile() -> ConvGeometry {
    square([4, 4], 8, 4, 2, 1)
}

/// The texels of an image, row after row.
fn texels(executor: &mut Executor, image: Image) -> Vec<[f32; 4]> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let shape = Shape::new(4, height, width);
    let plane = Maps::Texel(texel::Maps::Plane(Plane {
        image,
        buffer: None,
        samples: 1,
        shape,
        border: Border::default(),
        per_row: 1,
        first_row: 0,
    }));
    let mut r = Recording::new();
    let flat = common::poisoned(&mut r, "texels", shape.len());
    unload(&mut r, &plane, flat);
    executor.run(&r).expect("runs");
    let values = executor.read(flat).expect("reads");
    let area = width * height;
    (0..area)
        .map(|i| [0, 1, 2, 3].map(|c| values[c * area + i]))
        .collect()
}

/// `side` × `side` values of map `channel`, every `step`th from (`row`, `column`) on, zero outside.
fn window(
    maps: &[f64],
    map_side: usize,
    channel: usize,
    [row, column]: [isize; 2],
    side: isize,
    step: isize,
) -> Vec<Vec<f64>> {
    let value = |y: isize, x: isize| {
        let inside = |v: isize| (0..map_side as isize).contains(&v);
        let index = || (channel * map_side + y as usize) * map_side + x as usize;
        if inside(y) && inside(x) {
            maps[index()]
        } else {
            0.0
        }
    };
    (0..side)
        .map(|i| {
            (0..side)
                .map(|j| value(row + i * step, column + j * step))
                .collect()
        })
        .collect()
}

fn flat(matrix: &[Vec<f64>]) -> Vec<f64> {
    matrix.concat()
}

#[test]
fn transforms_agree_with_the_defining_matrices() {
    let mut executor = executor(false);
    let matrices = winograd_matrices(WINOGRAD_POINTS);
    let geometry = one_tile();
    let layer = LayerKind::Conv(geometry);
    let parameters = normals(1, layer.weight_len() + 4);
    let (x, y) = (
        normals(2, geometry.in_len()),
        normals(3, geometry.out_len()),
    );
    for (name, variant) in variants(&executor) {
        let Variant::Texel(Texel {
            lanes,
            longest_side,
            ..
        }) = variant
        else {
            continue;
        };
        let plan = |pass| {
            let mut plan = Winograd::new(pass, &geometry, 1, lanes, longest_side).expect("fits");
            let scratch = WinogradScratch::new(plan.scratch_texels());
            plan.set_scratch(scratch);
            (plan, scratch)
        };
        let (forward, forward_scratch) = plan(LayerPass::Forward);
        let (backward, backward_scratch) = plan(LayerPass::InputGradient);
        let maps = |shape, border| {
            Plane::new("maps", 1, shape, border, ImageFormat::F32, longest_side).expect("fits")
        };
        let input = maps(layer.input_shape(), forward.border());
        let output_gradient = maps(layer.output_shape(), backward.border());
        let output = maps(layer.output_shape(), Border::default());
        let input_gradient = maps(layer.input_shape(), Border::default());
        let mut r = Recording::new();
        let buffer = filled(&mut r, "parameters", &parameters);
        let parameters_at = LayerParameters { buffer, offset: 0 };
        for (values, plane) in [(&x, input), (&y, output_gradient)] {
            let values = filled(&mut r, "values", values);
            load(&mut r, values, &Maps::Texel(texel::Maps::Plane(plane)));
        }
        winograd_weights(&mut r, &forward, parameters_at);
        winograd_weights(&mut r, &backward, parameters_at);
        winograd_forward(
            &mut r,
            &forward,
            Activation::IDENTITY,
            &input,
            &output,
            None,
        );
        winograd_input_gradient(&mut r, &backward, &output_gradient, None, &input_gradient);
        executor.run(&r).expect("runs");

        // 25 positions of `groups` groups of one chunk of tiles, of which only the first tile is used.
        let tile = |texels: &[[f32; 4]], groups: usize, group: usize, channel: usize| {
            let chunk = if lanes > 1 { 4 * lanes } else { 256 };
            (0..25)
                .map(|position| texels[(position * groups + group) * chunk][channel])
                .collect::<Vec<f32>>()
        };
        let inputs = texels(&mut executor, forward_scratch.transformed);
        let gradients = texels(&mut executor, backward_scratch.transformed);
        let weights = texels(&mut executor, forward.weights);
        let weights_back = texels(&mut executor, backward.weights);
        for channel in 0..4 {
            for phase in 0..4 {
                let offset = [phase / 2, phase % 2].map(|v| v as isize);
                let d = window(&widen(&x), 8, channel, offset.map(|v| v - 1), 5, 2);
                assert_close(
                    &format!("{name}, input, channel {channel}, phase {phase}"),
                    &tile(&inputs, 4, phase, channel),
                    &flat(&winograd_transform(&matrices.input, &d)),
                    TOLERANCE,
                );
                for out in 0..4 {
                    let g = window(&widen(&parameters), 4, out * 4 + channel, offset, 2, 2);
                    let want = flat(&winograd_transform(&matrices.kernel, &g));
                    let what = format!("{name}, weight, {channel}, phase {phase} to {out}");
                    // Forward: four groups (phases) summed, one made; the other way round in the gradient.
                    let got: Vec<f32> = (0..25)
                        .map(|position| weights[(position * 4 + phase) * 4 + channel][out])
                        .collect();
                    assert_close(&what, &got, &want, TOLERANCE);
                    let got: Vec<f32> = (0..25)
                        .map(|position| weights_back[position * 16 + phase * 4 + out][channel])
                        .collect();
                    assert_close(&what, &got, &want, TOLERANCE);
                }
            }
            let tile_gradient = window(&widen(&y), 4, channel, [0, 0], 4, 1);
            assert_close(
                &format!("{name}, output gradient, channel {channel}"),
                &tile(&gradients, 1, 0, channel),
                &flat(&winograd_transform(
                    &transposed(&matrices.output),
                    &tile_gradient,
                )),
                TOLERANCE,
            );
        }
    }
}

#[test]
fn winograd_is_chosen_where_it_pays_and_fits() {
    let choose = |geometry, samples, lanes, longest_side| {
        [LayerPass::Forward, LayerPass::InputGradient]
            .map(|pass| texel::algorithm(pass, &geometry, samples, lanes, longest_side))
    };
    let (direct, winograd) = ([Algorithm::Direct; 2], [Algorithm::Winograd; 2]);
    for (channels, side) in [([64, 128], 32), ([128, 256], 16), ([256, 512], 8)] {
        for lanes in [8, 16] {
            let large = square(channels, side, 4, 2, 1);
            assert_eq!(choose(large, 64, lanes, 16_384), winograd, "{channels:?}");
        }
    }
    // Too few channels to make up for the transforms, too few tiles to fill the lanes.
    assert_eq!(
        choose(square([16, 32], 32, 4, 2, 1), 64, 16, 16_384),
        direct
    );
    assert_eq!(
        choose(square([256, 512], 8, 4, 2, 1), 4, 16, 16_384),
        direct
    );
    // Not the method's kernel, stride or image size.
    assert_eq!(
        choose(square([64, 128], 32, 3, 2, 1), 64, 16, 16_384),
        direct
    );
    assert_eq!(
        choose(square([64, 128], 32, 4, 1, 1), 64, 16, 16_384),
        direct
    );
    assert_eq!(choose(square([256, 512], 8, 4, 2, 1), 64, 16, 2048), direct);
}

/// Sharing is what keeps the memory of a network from growing with its depth.
#[test]
fn layers_share_the_largest_scratch() {
    let variant = Texel {
        lanes: 8,
        longest_side: 16_384,
        precision: Precision::Full,
    };
    let layer = |channels, side| {
        let kind = LayerKind::Conv(square(channels, side, 4, 2, 1));
        let algorithm = Algorithm::Winograd;
        Layer::from(texel::Layer::forced(
            variant,
            kind,
            Activation::IDENTITY,
            64,
            algorithm,
        ))
    };
    let bytes = |mut layers: Vec<Layer>| -> u64 {
        Layer::share_scratch(&mut layers);
        let mut r = Recording::new();
        for layer in &layers {
            let parameters = LayerParameters {
                buffer: Buffer::new(
                    "parameters",
                    layer.kind().weight_len() + layer.kind().outputs(),
                ),
                offset: 0,
            };
            let input = layer.new_input("input").expect("fits");
            let output = layer.new_output_gradient("output").expect("fits");
            layer.forward(&mut r, parameters, &input, &output, None);
        }
        let scratch = r.resources().into_iter().filter_map(|used| match used {
            Resource::Image(image) if image.label().starts_with("transformed") => Some(image),
            _ => None,
        });
        let scratch = scratch.filter(|image| image.label() != "transformed weights");
        scratch.map(|image| image.bytes()).sum()
    };
    let (first, second) = (layer([64, 128], 32), layer([128, 256], 16));
    let alone = [&first, &second].map(|layer| bytes(vec![layer.clone()]));
    let together = bytes(vec![first, second]);
    assert!(alone.iter().all(|&bytes| bytes > 0));
    assert!(together >= alone[0].max(alone[1]) && together < alone[0] + alone[1]);
    Layer::share_scratch(&mut []);
}
