use super::pack_weights::PackedWeights;
use super::plane::{IN, OUT, Plane, by_derivative, describe_derivative, for_derivative};
use super::tile::{Tile, WIDTH, describe_lanes};
use crate::gpu::{Access, Kernel, Program, Recording, steps_a_turn};

static KERNELS: [Kernel; 3] = by_derivative!(
    "texel/dense_input_gradient",
    0,
    [
        Access::FormatRead("IN_FORMAT"),
        Access::ImageRead,
        Access::FormatWrite("OUT_FORMAT")
    ],
    Access::FormatRead("OUT_FORMAT"),
    Access::Read
);

/// `input_gradient` = Wᵀ `output_gradient` × `input_derivative`, in the map layout of the layer's input, from weights
/// packed by [`PackedWeights::dense_input_gradient`].
pub(crate) fn dense_input_gradient(
    recording: &mut Recording,
    lanes: usize,
    output_gradient: &Plane,
    weights: &PackedWeights,
    input_derivative: Option<&Plane>,
    input_gradient: &Plane,
) {
    let shape = input_gradient.shape;
    let tile = weights.tile;
    let Tile { pixels, block } = tile;
    let block_count = tile.blocks(input_gradient.groups() * shape.height * shape.width);
    let texels = output_gradient.groups();
    let steps = steps_a_turn(|steps| texels.div_ceil(steps));
    let program = Program::new(for_derivative(&KERNELS, input_derivative))
        .turns(texels.div_ceil(steps))
        .steps(steps)
        .u32("SAMPLES", output_gradient.samples)
        .u32("PIXELS", pixels)
        .u32("BLOCK", block)
        .u32("CHANNELS", output_gradient.shape.channels.min(4))
        .u32("LOADS", (block * 4).div_ceil(lanes))
        .u32("IN_MAP_WIDTH", 1)
        .u32("IN_MAP_HEIGHT", 1)
        .u32("OUT_MAP_WIDTH", shape.width)
        .u32("OUT_MAP_HEIGHT", shape.height);
    let program = output_gradient.describe(describe_lanes(program, lanes), &IN, 0);
    let tiles = output_gradient.samples.div_ceil(pixels);
    let flops = 2 * output_gradient.samples * shape.len() * output_gradient.shape.channels;
    describe_derivative(
        input_gradient.describe(program, &OUT, 0),
        input_derivative,
        3,
    )
    .bind([output_gradient.image, weights.image, input_gradient.image])
    .bind(input_derivative.map(Plane::resource))
    .launch(
        recording,
        [tiles.div_ceil(WIDTH) as u32, block_count as u32, 1],
        flops as u64,
    );
}
