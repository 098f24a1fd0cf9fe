use super::pack_weights::PackedWeights;
use super::plane::{IN, OUT, Plane, by_derivative, describe_kept, for_derivative};
use super::tile::{Tile, WIDTH, describe_lanes};
use crate::gpu::{Access, Kernel, Program, Recording, steps_a_turn};
use crate::kernels::activations::Activation;

static KERNELS: [Kernel; 3] = by_derivative!(
    "texel/dense_forward",
    0,
    [
        Access::FormatRead("IN_FORMAT"),
        Access::ImageRead,
        Access::FormatWrite("OUT_FORMAT")
    ],
    Access::FormatWrite("OUT_FORMAT"),
    Access::ReadWrite
);

/// `output` = act(W `input` + b) over the flattened maps of `input` and, if asked for, `derivative`, laid out like `output`, = act′, from
/// weights packed by [`PackedWeights::forward`].
pub(crate) fn dense_forward(
    recording: &mut Recording,
    activation: Activation,
    lanes: usize,
    input: &Plane,
    weights: &PackedWeights,
    output: &Plane,
    derivative: Option<&Plane>,
) {
    let tile = weights.tile;
    let Tile { pixels, block } = tile;
    let block_count = tile.blocks(output.groups());
    debug_assert!(derivative.is_none_or(|plane| plane.has_layout_of(output)));
    let texels = input.map_texels();
    let steps = steps_a_turn(|steps| texels.div_ceil(steps));
    let program = Program::new(for_derivative(&KERNELS, derivative))
        .turns(texels.div_ceil(steps))
        .steps(steps)
        .u32("SAMPLES", input.samples)
        .u32("PIXELS", pixels)
        .u32("BLOCK", block)
        .u32("BLOCKS", block_count)
        .u32("CHANNELS", input.shape.channels.min(4))
        .u32("LOADS", (block * 4).div_ceil(lanes))
        .u32("IN_MAP_WIDTH", input.shape.width)
        .u32("IN_MAP_HEIGHT", input.shape.height);
    let program = describe_lanes(
        activation.describe(describe_kept(program, derivative)),
        lanes,
    );
    let tiles = input.samples.div_ceil(pixels);
    let flops = 2 * input.samples * input.shape.len() * output.shape.channels;
    output
        .describe(input.describe(program, &IN, 0), &OUT, 0)
        .bind([input.image, weights.image, output.image])
        .bind(derivative.map(Plane::resource))
        .launch(
            recording,
            [tiles.div_ceil(WIDTH) as u32, block_count as u32, 1],
            flops as u64,
        );
}
