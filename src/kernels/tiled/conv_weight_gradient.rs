use super::tile::{BUSY, Order, Slices, Tile, flattened, is_flat};
use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::geometry::ConvGeometry;

/// The most chunks, and the most words they may take up together.
const MOST_CHUNKS: usize = 64;
const MOST_WORDS: usize = 1 << 24;
/// The fewest pixels in a chunk: below, storing and summing the partial gradients costs more than making them.
const FEWEST_PIXELS: usize = 64;

static KERNEL: Kernel = kernel!(
    "tiled/conv_weight_gradient",
    2,
    [Read, Read, Read, ReadWrite]
);

/// How the output pixels of all samples are split.
struct Plan {
    tile: Tile,
    /// Pixels in a chunk; the last one may have fewer.
    chunk: usize,
    chunks: usize,
}

/// `g` is flattened.
fn plan(g: &ConvGeometry, samples: usize) -> Plan {
    let pixels = samples * g.out_height() * g.out_width();
    let split = |tile: &Tile| {
        let wanted = BUSY.div_ceil(tile.tiles(g.out_channels, columns(g)));
        let allowed = (MOST_WORDS / words(g))
            .min(pixels / FEWEST_PIXELS)
            .clamp(1, MOST_CHUNKS);
        let chunk = pixels
            .div_ceil(wanted.min(allowed))
            .next_multiple_of(tile.depth())
            .max(tile.depth());
        (chunk, pixels.div_ceil(chunk).max(1))
    };
    let tile = Tile::choose(g.out_channels, columns(g), |tile| {
        let (chunk, count) = split(tile);
        Slices {
            count,
            share: chunk as f64,
        }
    });
    let (chunk, chunks) = split(&tile);
    Plan {
        tile,
        chunk,
        chunks,
    }
}

/// One column for each weight of an output channel, and one for its bias.
fn columns(g: &ConvGeometry) -> usize {
    g.in_channels * g.kernel_height * g.kernel_width + 1
}

/// Words of one gradient.
fn words(g: &ConvGeometry) -> usize {
    g.out_channels * columns(g)
}

/// How many chunks [`conv_weight_gradient`] sums apart. They fill a GPU where the work allows it, are at most 64, and
/// together take at most 2²⁴ words unless a single gradient takes more.
pub fn weight_gradient_chunks(geometry: &ConvGeometry, samples: usize) -> usize {
    plan(&flattened(geometry), samples).chunks
}

/// Chunk by chunk, Σ `factor`\[n\] · ∂Eₙ/∂(weight, bias) over a share of the samples' pixels. The sum of the chunks is
/// the gradient; which pixels are in which, and the order of summation, depend only on the arguments.
///
/// `input` is samples × in_len, `output_gradient` samples × out_len, `factor` one value a sample, and `partials`
/// [`weight_gradient_chunks`] × (weight_len + out_channels), the weight first as (out, in, row, column), then the bias.
pub fn conv_weight_gradient(
    recording: &mut Recording,
    geometry: &ConvGeometry,
    samples: usize,
    input: Buffer,
    output_gradient: Buffer,
    factor: Buffer,
    partials: Buffer,
) {
    let g = flattened(geometry);
    let Plan {
        tile,
        chunk,
        chunks,
    } = plan(&g, samples);
    debug_assert!(input.words() >= samples * g.in_len());
    debug_assert!(output_gradient.words() >= samples * g.out_len());
    debug_assert!(factor.words() >= samples);
    debug_assert!(partials.words() >= chunks * words(&g));

    let order = Order {
        left_along_depth: !is_flat(&g),
        right_along_columns: is_flat(&g),
        result_along_rows: false,
    };
    tile.describe(Program::new(&KERNEL), &g, order)
        .turns(tile.turns(chunk))
        .bind([input, output_gradient, factor, partials])
        .immediates([chunk as u32, samples as u32])
        .launch(
            recording,
            tile.workgroups(g.out_channels, columns(&g), chunks),
            samples as u64 * g.flops(),
        );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geometry(channels: (usize, usize), size: usize, kernel: usize) -> ConvGeometry {
        ConvGeometry {
            in_channels: channels.0,
            in_height: size,
            in_width: size,
            out_channels: channels.1,
            kernel_height: kernel,
            kernel_width: kernel,
            stride: 1,
            padding: kernel / 2,
        }
    }

    #[test]
    fn chunks_cover_all_pixels_and_none_is_empty() {
        for samples in [1, 2, 7, 64, 513] {
            for g in [
                geometry((1, 5), 7, 3),
                geometry((64, 128), 16, 3),
                geometry((300, 1), 1, 1),
            ] {
                let Plan { chunk, chunks, .. } = plan(&g, samples);
                let pixels = samples * g.out_height() * g.out_width();
                assert!(
                    chunk * chunks >= pixels && chunk * (chunks - 1) < pixels,
                    "{g:?} {samples}"
                );
            }
        }
    }

    #[test]
    fn a_small_network_fills_a_gpu_and_a_large_one_stays_within_memory() {
        let small = plan(&geometry((32, 64), 8, 3), 128);
        assert!(small.tile.tiles(64, 289) * small.chunks >= BUSY);
        assert!(small.chunks <= MOST_CHUNKS);
        let large = geometry((512, 1024), 16, 3);
        assert!(plan(&large, 1024).chunks * words(&large) <= MOST_WORDS);
        let huge = geometry((4096, 4096), 4, 3);
        assert_eq!(plan(&huge, 64).chunks, 1);
    }
}
