use super::cells::Cells;
use crate::gpu::{MOST_TURNS, Program};
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::layer_kind::LayerKind;
use crate::kernels::layer_pass::LayerPass;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Invocations in a workgroup of the texel kernels.
pub(super) const WIDTH: usize = 64;

/// What one invocation computes: `pixels` neighbouring outputs of a row, or cells of a strided input gradient, of `block` groups of four
/// channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tile {
    pub pixels: usize,
    pub block: usize,
}

impl Tile {
    /// How many blocks make up `groups` groups of channels.
    pub(super) fn blocks(&self, groups: usize) -> usize {
        groups.div_ceil(self.block)
    }
}

/// The tiles that a pass can be computed by, by what they are thought to cost: at least one.
pub(super) fn tiles(kind: LayerKind, samples: usize, pass: LayerPass, lanes: usize) -> Vec<Tile> {
    let product = match kind {
        LayerKind::Conv(g) => RowProduct::of_convolution(&g, pass),
        LayerKind::Dense { input, outputs } => RowProduct::of_dense(input, outputs, samples, pass),
    };
    product.ranked_tiles(lanes)
}

/// The tile for the gradient in the samples, of fewer than four channels: neighbouring cells only.
pub(super) fn sample_tile(g: &ConvGeometry, lanes: usize) -> Tile {
    let cells = Cells::new(g);
    let [taps, row] = [g.taps(), cells.in_row()];
    let cost = |count: usize| {
        let [rows, texels] = cells.met_by(count);
        let weights = (taps * g.in_channels).div_ceil(lanes);
        let loads = 5 * lanes * (rows * texels + weights);
        let products = 8 * taps * g.in_channels * (count + 1);
        let carried = 3 * g.in_channels * cells.pixels() * count;
        row.div_ceil(count) * (loads + products + carried + 100)
    };
    // Products here are of one number each and not of four.
    let is_small = |&count: &usize| count * taps * g.in_channels <= 4 * MOST_CELL_TAPS;
    let counts = (1..=LARGEST.min(row)).filter(is_small);
    Tile {
        pixels: counts.min_by_key(|&count| cost(count)).unwrap_or(1),
        block: 1,
    }
}

/// A product of a row of pixels with weights, as the texel kernels compute it. The "row" of a dense layer are the samples.
struct RowProduct {
    /// Outputs in a row.
    row: usize,
    /// Groups of four output channels.
    groups: usize,
    /// Input channels that are not padding, of a group.
    channels: usize,
    /// Taps of a turn.
    taps: usize,
    stride: usize,
    /// Rows of inputs that a turn loads, and from how many of each a pixel is computed.
    window: [usize; 2],
    /// Outputs of a pixel, which is a cell in a strided input gradient.
    cell: usize,
}

/// The most pixels, and the most groups, of a tile.
const LARGEST: usize = 8;
/// The most sums of four channels that a tile of cells may have: measured on one network (docs/kernels.md).
const MOST_CELL_SUMS: usize = 32;
/// The most taps of all of its cells, of four channels each: compiling takes as long as the text.
pub(super) const MOST_CELL_TAPS: usize = 256;

impl RowProduct {
    fn of_convolution(g: &ConvGeometry, pass: LayerPass) -> Self {
        match pass {
            LayerPass::Forward => RowProduct {
                row: g.out_width(),
                groups: g.out_channels.div_ceil(4),
                channels: g.in_channels.min(4),
                taps: g.kernel_width,
                stride: g.stride,
                window: [1, g.kernel_width],
                cell: 1,
            },
            LayerPass::InputGradient => {
                let cells = Cells::new(g);
                let strides = g.stride > 1;
                RowProduct {
                    row: cells.in_row(),
                    groups: g.in_channels.div_ceil(4),
                    channels: g.out_channels.min(4),
                    // Where it does not stride, a row of taps.
                    taps: if strides { g.taps() } else { g.kernel_width },
                    stride: 1,
                    window: if strides {
                        cells.met_by(1)
                    } else {
                        [1, g.kernel_width]
                    },
                    cell: cells.pixels(),
                }
            }
        }
    }

    fn of_dense(input: Shape, outputs: usize, samples: usize, pass: LayerPass) -> Self {
        let texels = input.channels.div_ceil(4) * input.height * input.width;
        let (groups, channels) = match pass {
            LayerPass::Forward => (outputs.div_ceil(4), input.channels),
            LayerPass::InputGradient => (texels, outputs),
        };
        RowProduct {
            row: samples,
            groups,
            channels: channels.min(4),
            taps: 1,
            stride: 1,
            window: [1, 1],
            cell: 1,
        }
    }

    /// All tiles, the cheapest first: at least one.
    fn ranked_tiles(&self, lanes: usize) -> Vec<Tile> {
        let most = |length: usize| LARGEST.min(length).max(1);
        let mut tiles: Vec<Tile> = (1..=most(self.row))
            .flat_map(|pixels| (1..=most(self.groups)).map(move |block| Tile { pixels, block }))
            .collect();
        // Of cells all taps are written out; one cell there always is.
        let is_small = |tile: &Tile| {
            let cells = tile.pixels * tile.block;
            let fits = cells * self.cell <= MOST_CELL_SUMS && cells * self.taps <= MOST_CELL_TAPS;
            fits || cells == 1
        };
        tiles.retain(|tile| self.cell == 1 || is_small(tile));
        tiles.sort_by(|a, b| self.cost(*a, lanes).total_cmp(&self.cost(*b, lanes)));
        tiles
    }

    /// About how many vector instructions lavapipe runs for one row of taps over a row of outputs: counted in its
    /// machine code (docs/kernels.md), and as good a guide to the fastest tile as timing them on a noisy machine.
    fn cost(&self, tile: Tile, lanes: usize) -> f64 {
        let (pixels, block) = (tile.pixels as f64, tile.block as f64);
        let (taps, channels) = (self.taps as f64, self.channels as f64);
        let [rows, texels] = self.window;
        let row_loads = rows * ((tile.pixels - 1) * self.stride + texels);
        let weight_loads = (self.taps * tile.block * 4).div_ceil(lanes);
        let loads = 5.0 * lanes as f64 * (row_loads + weight_loads) as f64;
        // A multiplication, an addition, and now and then a move.
        let products = 2.3 * 4.0 * taps * channels * block * pixels;
        let shuffles = if lanes > 1 {
            8.0 * taps * channels * block
        } else {
            0.0
        };
        // Sums are loaded, blended and stored at the end of the loop body.
        let carried = 3.0 * 4.0 * block * pixels * self.cell as f64;
        let body = loads + products + shuffles + carried + 100.0;
        // Loop bodies of more than about this many instructions outgrow the instruction caches (docs/kernels.md).
        let cached = if body > 9000.0 { 1.25 } else { 1.0 };
        let tiles = (self.row.div_ceil(tile.pixels) * tile.blocks(self.groups)) as f64;
        tiles * body * cached
    }
}

/// Output pixels that a convolution's weight gradient is summed over at a time. As `RowProduct::cost`, but sums are
/// carried, pixels are loaded.
pub(super) fn weight_gradient_pixels(g: &ConvGeometry, lanes: usize) -> usize {
    let cost = |pixels: usize| {
        let row = (pixels - 1) * g.stride + g.kernel_width;
        let loads = 5 * lanes * (row.div_ceil(lanes) + pixels);
        let channels = g.in_channels.min(4);
        let sums = 4 * g.kernel_width * channels;
        let body = loads + 8 * row + 3 * sums + 2 * sums * pixels + 100;
        g.out_width().div_ceil(pixels) * body
    };
    (1..=LARGEST.min(g.out_width()))
        .min_by_key(|&pixels| cost(pixels))
        .unwrap_or(1)
}

/// Adds the subgroup constants.
pub(super) fn describe_lanes(program: Program, lanes: usize) -> Program {
    program.u32("LANES", lanes).flag("SPREAD", lanes > 1)
}

/// How the work of a weight gradient is split: enough for both a few cores and bounded memory, and so that no invocation
/// makes too many turns.
pub(super) struct Shares {
    pub(super) count: usize,
    /// Turns of each; the last may make fewer.
    pub(super) turns: usize,
}

impl Shares {
    /// Of `samples`, each of which takes an invocation so many `turns`.
    pub(super) fn new(samples: usize, turns: usize, workgroups: usize, parameters: usize) -> Self {
        /// Each share stores all its sums, and they are loaded again: on two cores a quarter of 64 was twice as fast where layers are
        /// small. More than 16 threads are not kept busy.
        const WORKGROUPS: usize = 16;
        const WORDS: usize = 1 << 24;
        let count = WORKGROUPS
            .div_ceil(workgroups)
            .min(WORDS / parameters.max(1))
            .clamp(1, samples);
        let whole_samples = samples.div_ceil(count) * turns;
        if whole_samples <= MOST_TURNS {
            return Shares {
                count,
                turns: whole_samples,
            };
        }
        let all = samples * turns;
        let count = count.max(all.div_ceil(MOST_TURNS));
        Shares {
            count,
            turns: all.div_ceil(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(samples: usize, turns: usize, workgroups: usize) -> (usize, usize) {
        let shares = Shares::new(samples, turns, workgroups, 1000);
        (shares.count, shares.turns)
    }

    #[test]
    fn shares_are_whole_samples_where_these_are_few_enough_turns() {
        assert_eq!(split(100, 64, 3), (6, 17 * 64));
        assert_eq!(split(1, 64, 1), (1, 64));
        assert_eq!(split(255, 256, 64), (1, 255 * 256));
    }

    #[test]
    fn no_share_makes_more_turns_than_drivers_do() {
        // 32×32 outputs by four.
        assert_eq!(split(256, 256, 64), (2, 128 * 256));
        assert_eq!(split(1, MOST_TURNS + 1, 64), (2, MOST_TURNS / 2 + 1));
        for (samples, turns, workgroups) in [(4, 30_000, 24), (5000, 4096, 1), (70_000, 1, 999)] {
            let (count, most) = split(samples, turns, workgroups);
            assert!(
                most <= MOST_TURNS && count * most >= samples * turns,
                "{count}, {most}"
            );
        }
    }
}
