use super::tile::{Order, Slices, Tile, flattened, is_flat};
use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::LayerParameters;
use crate::kernels::activations::Activation;
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::launch::with_optional_last;

static KERNELS: [Kernel; 2] = with_optional_last(kernel!(
    "tiled/conv_forward",
    2,
    [Read, Read, ReadWrite, ReadWrite]
));

/// The tiles that [`conv_forward`] can be given, by the time they are thought to take.
pub(crate) fn forward_tiles(geometry: &ConvGeometry, samples: usize) -> Vec<Tile> {
    let g = flattened(geometry);
    let [rows, columns] = product(&g, samples);
    Tile::ranked(rows, columns, |_| ALONE)
}

/// Rows and columns of the matrix product; `g` is flattened.
fn product(g: &ConvGeometry, samples: usize) -> [usize; 2] {
    [g.out_channels, samples * g.out_height() * g.out_width()]
}

const ALONE: Slices = Slices {
    count: 1,
    share: 1.0,
};

/// `output` = act(W ∗ `input` + b) and, if asked for, `derivative` = act′ at the same place, by `tile`, by
/// default the first of `forward_tiles`.
///
/// `input` is samples × in_len, `output` and `derivative` are samples × out_len, all (sample, channel, row, column).
#[allow(clippy::too_many_arguments)]
pub fn conv_forward(
    recording: &mut Recording,
    geometry: &ConvGeometry,
    activation: Activation,
    samples: usize,
    tile: Option<Tile>,
    input: Buffer,
    parameters: LayerParameters,
    output: Buffer,
    derivative: Option<Buffer>,
) {
    let g = flattened(geometry);
    debug_assert!(input.words() >= samples * g.in_len());
    debug_assert!(parameters.buffer.words() >= parameters.offset + g.weight_len() + g.out_channels);
    debug_assert!(output.words() >= samples * g.out_len());
    debug_assert!(derivative.is_none_or(|derivative| derivative.words() >= samples * g.out_len()));

    let [rows, columns] = product(&g, samples);
    let tile = tile.unwrap_or_else(|| Tile::choose(rows, columns, |_| ALONE));
    let order = Order {
        left_along_depth: true,
        right_along_columns: !is_flat(&g),
        result_along_rows: is_flat(&g),
    };
    let program = Program::new(&KERNELS[usize::from(derivative.is_some())]);
    activation
        .describe(tile.describe(program, &g, order))
        .turns(tile.turns(g.in_channels * g.kernel_height * g.kernel_width))
        .flag("STORE_DERIVATIVE", derivative.is_some())
        .bind([input, parameters.buffer, output])
        .bind(derivative)
        .immediates([parameters.offset as u32, samples as u32])
        .launch(
            recording,
            tile.workgroups(rows, columns, 1),
            samples as u64 * g.flops(),
        );
}
