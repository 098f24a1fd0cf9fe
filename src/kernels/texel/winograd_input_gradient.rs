use super::plane::{IN, OUT, Plane, by_derivative, describe_derivative, for_derivative};
use super::tile::WIDTH;
use super::winograd::{TILE, Winograd};
use super::winograd_forward::transform;
use super::winograd_product::winograd_product;
use crate::gpu::{Access, Kernel, Program, Recording};

pub(super) static OUTPUT_GRADIENT: Kernel = kernel!(
    "texel/winograd_output_gradient",
    2,
    [FormatRead("IN_FORMAT"), ImageWrite]
);

static KERNELS: [Kernel; 3] = by_derivative!(
    "texel/winograd_input_gradient",
    2,
    [Access::ImageRead, Access::FormatWrite("OUT_FORMAT")],
    Access::FormatRead("OUT_FORMAT"),
    Access::Read
);

/// Tiles of four that hold the pixels of any phase of a row of `length` pixels. Phase f starts at pixel f − `padding` or,
/// where that is before the map, at the pixel of the phase two further on.
fn phase_tiles(length: usize, padding: usize) -> usize {
    (0..2)
        .map(|phase| {
            let late = usize::from(padding > phase);
            (length + padding)
                .saturating_sub(2 * late + phase)
                .div_ceil(2)
                .div_ceil(TILE)
        })
        .max()
        .unwrap_or(1)
        .max(1)
}

/// What `conv_input_gradient` computes, as planned for [`crate::kernels::LayerPass::InputGradient`], from weights transformed by
/// [`super::winograd_weights`].
pub fn winograd_input_gradient(
    recording: &mut Recording,
    plan: &Winograd,
    output_gradient: &Plane,
    input_derivative: Option<&Plane>,
    input_gradient: &Plane,
) {
    let g = &plan.geometry;
    let (made_y, made_x) = (
        phase_tiles(g.in_height, g.padding),
        phase_tiles(g.in_width, g.padding),
    );
    for slice in plan.slices() {
        let program = plan.describe_tiles(Program::new(&OUTPUT_GRADIENT));
        let bound = output_gradient
            .describe(program, &IN, 0)
            .bind([output_gradient.image, plan.scratch.transformed]);
        let tiles = (slice.1 * plan.tiles()).div_ceil(WIDTH);
        let sides = [tiles, output_gradient.groups(), 1];
        transform(recording, bound, slice, sides, output_gradient.map_texels());
        winograd_product(recording, plan, slice.1);
        let program = Program::new(for_derivative(&KERNELS, input_derivative))
            .u32("MADE_X", made_x)
            .u32("MADE_Y", made_y)
            .u32("PADDING", g.padding)
            .u32("OUT_MAP_WIDTH", g.in_width)
            .u32("OUT_MAP_HEIGHT", g.in_height);
        let program = input_gradient.describe(plan.describe_tiles(program), &OUT, 0);
        let bound = describe_derivative(program, input_derivative, 2)
            .bind([plan.scratch.products, input_gradient.image])
            .bind(input_derivative.map(Plane::resource));
        let tiles = (slice.1 * made_y * made_x).div_ceil(WIDTH);
        let sides = [4, tiles, input_gradient.groups()];
        let texels = input_gradient.map_texels() * (1 + usize::from(input_derivative.is_some()));
        transform(recording, bound, slice, sides, texels);
    }
}
