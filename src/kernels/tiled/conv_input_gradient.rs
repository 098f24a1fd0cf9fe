use super::tile::{Order, Slices, Tile, flattened, is_flat};
use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::LayerParameters;
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::launch::with_optional_last;

static KERNELS: [Kernel; 2] = with_optional_last(kernel!(
    "tiled/conv_input_gradient",
    2,
    [Read, Read, ReadWrite, Read]
));

/// The tiles that [`conv_input_gradient`] can be given, by the time they are thought to take.
pub(crate) fn input_gradient_tiles(geometry: &ConvGeometry, samples: usize) -> Vec<Tile> {
    let g = flattened(geometry);
    let [rows, columns, phases] = product(&g, samples);
    Tile::ranked(rows, columns, |_| by_phases(phases))
}

/// Rows and columns of the matrix product of a phase, and how many phases there are; `g` is flattened.
fn product(g: &ConvGeometry, samples: usize) -> [usize; 3] {
    // One phase for each position of a pixel modulo the stride; the first has the most pixels.
    let pixels = g.in_height.div_ceil(g.stride) * g.in_width.div_ceil(g.stride);
    [g.in_channels, samples * pixels, g.stride * g.stride]
}

fn by_phases(count: usize) -> Slices {
    Slices { count, share: 1.0 }
}

/// `input_gradient` = Wᵀ ∗ `output_gradient`, times `input_derivative` value by value if it is given: act′ of the layer
/// before, which makes the result ∂E/∂z of that layer. By `tile`, by default the first of
/// `input_gradient_tiles`.
///
/// `output_gradient` is samples × out_len; `input_derivative` and `input_gradient` are samples × in_len.
#[allow(clippy::too_many_arguments)]
pub fn conv_input_gradient(
    recording: &mut Recording,
    geometry: &ConvGeometry,
    samples: usize,
    tile: Option<Tile>,
    output_gradient: Buffer,
    parameters: LayerParameters,
    input_derivative: Option<Buffer>,
    input_gradient: Buffer,
) {
    let g = flattened(geometry);
    debug_assert!(output_gradient.words() >= samples * g.out_len());
    debug_assert!(parameters.buffer.words() >= parameters.offset + g.weight_len());
    debug_assert!(
        input_derivative.is_none_or(|derivative| derivative.words() >= samples * g.in_len())
    );
    debug_assert!(input_gradient.words() >= samples * g.in_len());

    let [rows, columns, phases] = product(&g, samples);
    let tile = tile.unwrap_or_else(|| Tile::choose(rows, columns, |_| by_phases(phases)));
    let order = Order {
        left_along_depth: false,
        right_along_columns: !is_flat(&g),
        result_along_rows: g.in_height * g.in_width == 1,
    };
    let program = Program::new(&KERNELS[usize::from(input_derivative.is_some())]);
    // The first phase has the most taps.
    let taps = g.kernel_height.div_ceil(g.stride) * g.kernel_width.div_ceil(g.stride);
    tile.describe(program, &g, order)
        .turns(tile.turns(g.out_channels * taps))
        .flag("TIMES_DERIVATIVE", input_derivative.is_some())
        .bind([output_gradient, parameters.buffer, input_gradient])
        .bind(input_derivative)
        .immediates([parameters.offset as u32, samples as u32])
        .launch(
            recording,
            tile.workgroups(rows, columns, phases),
            samples as u64 * g.flops(),
        );
}
