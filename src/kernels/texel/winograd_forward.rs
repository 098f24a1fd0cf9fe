use super::plane::{IN, OUT, Plane, by_derivative, describe_kept, for_derivative};
use super::tile::WIDTH;
use super::winograd::{POSITIONS, Winograd};
use super::winograd_product::winograd_product;
use crate::gpu::{Access, Kernel, Program, Recording};
use crate::kernels::activations::Activation;
use crate::kernels::launch::Bound;

pub(super) static INPUT: Kernel = kernel!(
    "texel/winograd_input",
    2,
    [FormatRead("IN_FORMAT"), ImageWrite]
);

static OUTPUT_KERNELS: [Kernel; 3] = by_derivative!(
    "texel/winograd_output",
    2,
    [
        Access::ImageRead,
        Access::ImageRead,
        Access::FormatWrite("OUT_FORMAT")
    ],
    Access::FormatWrite("OUT_FORMAT"),
    Access::ReadWrite
);

/// A launch of a transform over the tiles of a slice, which takes the slice as its immediates. Every element of a
/// transformed tile is read or written once, and so are `map_texels` texels of every sample.
pub(super) fn transform(
    recording: &mut Recording,
    bound: Bound,
    (first, samples): (usize, usize),
    workgroups: [usize; 3],
    map_texels: usize,
) {
    let items = workgroups.iter().product::<usize>() * WIDTH * POSITIONS;
    bound
        .immediates([first as u32, samples as u32])
        .moving(16 * (items + samples * map_texels))
        .launch(recording, workgroups.map(|n| n as u32), items as u64 * 16);
}

/// What `conv_forward` computes, as planned for [`crate::kernels::LayerPass::Forward`], from weights transformed by
/// [`super::winograd_weights`].
pub fn winograd_forward(
    recording: &mut Recording,
    plan: &Winograd,
    activation: Activation,
    input: &Plane,
    output: &Plane,
    derivative: Option<&Plane>,
) {
    debug_assert!(derivative.is_none_or(|plane| plane.has_layout_of(output)));
    let g = &plan.geometry;
    for slice in plan.slices() {
        let workgroups = (slice.1 * plan.tiles()).div_ceil(WIDTH);
        let program = plan.describe_tiles(Program::new(&INPUT));
        let bound = input.describe(program, &IN, g.padding);
        let bound = bound.bind([input.image, plan.scratch.transformed]);
        let sides = [4, workgroups, input.groups()];
        transform(recording, bound, slice, sides, input.map_texels());
        winograd_product(recording, plan, slice.1);
        let program = Program::new(for_derivative(&OUTPUT_KERNELS, derivative))
            .u32("OUT_MAP_WIDTH", g.out_width())
            .u32("OUT_MAP_HEIGHT", g.out_height())
            .u32("BIAS_START", POSITIONS * plan.position_texels());
        let program = activation.describe(plan.describe_tiles(describe_kept(program, derivative)));
        let bound = output
            .describe(program, &OUT, 0)
            .bind([plan.scratch.products, plan.weights, output.image])
            .bind(derivative.map(Plane::resource));
        let sides = [workgroups, output.groups(), 1];
        let texels = output.map_texels() * (1 + usize::from(derivative.is_some()));
        transform(recording, bound, slice, sides, texels);
    }
}
