use super::maps::GROUP;
use crate::gpu::{MOST_TURNS, Program};
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::layer_kind::LayerKind;
use crate::kernels::layer_pass::LayerPass;
use serde::{Deserialize, Serialize};

/// What one invocation computes for its sample: `pixels` neighbouring outputs of a row (in the gradient of a strided layer, as
/// many cells of stride² pixels) of `block` channels; of a dense layer `block` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tile {
    pub pixels: usize,
    pub block: usize,
}

/// The multiply-adds, and the weights, beyond which a loop's body takes no further channels: Mesa 22.3 writes a loop over lanes
/// for every weight, and is slow to compile those.
const BODY: usize = 1200;
const WEIGHTS: usize = 256;
/// And tiles that make one longer than this are no candidates.
const LONGEST_BODY: usize = 4000;
/// The most tiles to choose from.
const CANDIDATES: usize = 4;
/// Values of a dense layer that a turn takes.
const DENSE_TURN: usize = 16;

/// The size of a pass.
struct Work {
    /// Outputs in a row, or cells.
    row: usize,
    /// Channels that are computed, and those that are summed over.
    channels: usize,
    inner: usize,
    taps: usize,
    /// Pixels of a cell.
    cell: usize,
    /// Rows of the input that an output meets, and columns: the first, and each further one.
    rows: usize,
    first_columns: usize,
    further_columns: usize,
}

impl Work {
    fn new(kind: LayerKind, pass: LayerPass) -> Self {
        let (g, taps) = match kind {
            LayerKind::Conv(g) => (g, g.kernel_height * g.kernel_width),
            LayerKind::Dense { .. } => (kind.flattened(), 1),
        };
        match pass {
            LayerPass::Forward => Work {
                row: g.out_width(),
                channels: g.out_channels,
                inner: g.in_channels,
                taps,
                cell: 1,
                rows: g.kernel_height,
                first_columns: g.kernel_width,
                further_columns: g.stride,
            },
            LayerPass::InputGradient => Work {
                row: Cells::columns(&g).count,
                channels: g.in_channels,
                inner: g.out_channels,
                taps,
                cell: g.stride * g.stride,
                rows: Cells::rows(&g).steps,
                first_columns: Cells::columns(&g).steps,
                further_columns: 1,
            },
        }
    }

    fn body(&self, tile: Tile) -> usize {
        self.taps * tile.pixels * tile.block
    }

    /// How many of what is summed over a turn takes: the most that divide them and keep the loop's body short.
    fn turn(&self, tile: Tile) -> usize {
        let most = (BODY / self.body(tile)).min(WEIGHTS / (self.taps * tile.block));
        let most = most.clamp(1, self.inner);
        let divisors = (1..=most)
            .rev()
            .filter(|turn| self.inner.is_multiple_of(*turn));
        divisors.max().unwrap_or(1)
    }

    /// About how many nanoseconds a subgroup of 8 lanes takes for a row on lavapipe of Mesa 26.2 (docs/kernels.md).
    fn cost(&self, tile: Tile) -> f64 {
        let Tile { pixels, block } = tile;
        let turn = self.turn(tile) as f64;
        let loads = self.rows * (self.first_columns + (pixels - 1) * self.further_columns);
        let sums = (block * pixels * self.cell) as f64;
        let inner =
            1.4 * loads as f64 + 0.17 * self.body(tile) as f64 + 0.1 * (self.taps * block) as f64;
        let turns = (13.0 + 0.5 * sums) / turn;
        let tiles = self.row.div_ceil(pixels) * self.channels.div_ceil(block);
        tiles as f64 * (self.inner as f64 * (inner + turns) + 6.0 * sums + 100.0)
    }
}

/// The tiles that a pass can be computed by, by what they are thought to cost: at least one.
pub(super) fn tiles(kind: LayerKind, pass: LayerPass) -> Vec<Tile> {
    let work = Work::new(kind, pass);
    let pixels = match kind {
        LayerKind::Conv(_) => 8,
        LayerKind::Dense { .. } => 1,
    };
    let blocks = [1, 2, 4, 8, 16];
    let mut tiles: Vec<Tile> = (1..=pixels.min(work.row.max(1)))
        .flat_map(|pixels| blocks.map(|block| Tile { pixels, block }))
        .filter(|tile| tile.block < 2 * work.channels)
        .filter(|tile| {
            let sums = tile.pixels * tile.block * work.cell;
            (tile.pixels, tile.block) == (1, 1) || (sums <= 128 && work.body(*tile) <= LONGEST_BODY)
        })
        .collect();
    tiles.sort_by(|a, b| work.cost(*a).total_cmp(&work.cost(*b)));
    tiles.truncate(CANDIDATES);
    tiles
}

/// Channels, or values of a dense layer, that a turn of a pass by `tile` takes.
pub(super) fn turn(kind: LayerKind, pass: LayerPass, tile: Tile) -> usize {
    let work = Work::new(kind, pass);
    match kind {
        LayerKind::Conv(_) => work.turn(tile),
        LayerKind::Dense { .. } => DENSE_TURN.min(work.inner),
    }
}

/// Along one side, the cells of as many input pixels as the stride, and the outputs that the pixels of a cell meet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells {
    pub(super) count: usize,
    /// How far the outputs are from the cell's number, plus the kernel's size: from the least on, so many of them.
    pub(super) least_reach: usize,
    pub(super) steps: usize,
}

impl Cells {
    /// Along an input of so many `pixels` under a kernel of so many taps.
    pub(super) fn along(g: &ConvGeometry, pixels: usize, kernel: usize) -> Self {
        let (s, p) = (g.stride, g.padding);
        // Tap k of output o meets pixel o·s + k − p, which is pixel q of its cell.
        let reach = |tap: usize| {
            let q = (tap + s - p % s) % s;
            (q + p + kernel * s - tap) / s
        };
        let (first, last) = (0..kernel)
            .map(reach)
            .fold((usize::MAX, 0), |(least, most), reach| {
                (least.min(reach), most.max(reach))
            });
        Cells {
            count: pixels.div_ceil(s),
            least_reach: first,
            steps: last + 1 - first,
        }
    }

    pub(super) fn rows(g: &ConvGeometry) -> Self {
        Self::along(g, g.in_height, g.kernel_height)
    }

    pub(super) fn columns(g: &ConvGeometry) -> Self {
        Self::along(g, g.in_width, g.kernel_width)
    }
}

/// How the groups of samples of a weight gradient are split: into enough shares for a few cores, in bounded memory.
pub(super) struct Shares {
    pub(super) count: usize,
    /// Groups of each; the last may have fewer.
    pub(super) groups: usize,
}

impl Shares {
    /// Of `samples`, when a group takes an invocation so many `turns` and a share so many `workgroups`.
    pub(super) fn new(samples: usize, turns: usize, workgroups: usize, parameters: usize) -> Self {
        const WORKGROUPS: usize = 64;
        const WORDS: usize = 1 << 24;
        let groups = samples.div_ceil(GROUP);
        let wanted = WORKGROUPS
            .div_ceil(workgroups)
            .min(WORDS / parameters.max(1))
            .max((groups * turns).div_ceil(MOST_TURNS / 2));
        let share = groups.div_ceil(wanted.clamp(1, groups));
        Shares {
            count: groups.div_ceil(share),
            groups: share,
        }
    }
}

/// Adds how the lanes of a workgroup sum up `sums` each, and returns the turns that this takes.
pub(super) fn describe_reduction(program: Program, sums: usize) -> (Program, usize) {
    let chunks = sums.div_ceil(GROUP);
    let program = program.u32("CHUNKS", chunks).u32("SUMS", chunks * GROUP);
    (program, chunks * GROUP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_cover_every_group_of_samples_and_none_is_empty() {
        for samples in [1, 16, 17, 128, 4200] {
            for (turns, workgroups) in [(1, 1), (64, 3), (784, 1000), (20_000, 1)] {
                let shares = Shares::new(samples, turns, workgroups, 1000);
                let groups = samples.div_ceil(GROUP);
                let (count, each) = (shares.count, shares.groups);
                assert!(count * each >= groups && (count - 1) * each < groups);
                assert!(each * turns <= MOST_TURNS, "{samples}, {turns}");
            }
        }
    }

    #[test]
    fn a_turn_takes_whole_channels_and_every_pass_has_a_tile() {
        for (channels, kernel) in [(1, 5), (6, 3), (7, 4), (64, 3), (3, 40)] {
            let g = ConvGeometry::new([channels, 48, 48], 2 * channels, [kernel; 2], 2, 1);
            let dense = LayerKind::Dense {
                input: crate::shape::Shape::new(channels, kernel, kernel),
                outputs: channels,
            };
            for pass in LayerPass::ALL {
                let conv = LayerKind::Conv(g);
                let work = Work::new(conv, pass);
                for tile in tiles(conv, pass) {
                    let turn = work.turn(tile);
                    assert!(work.inner.is_multiple_of(turn), "{g:?}, {tile:?}");
                    assert!(turn == 1 || turn * work.body(tile) <= BODY);
                }
                assert!(!tiles(conv, pass).is_empty() && !tiles(dense, pass).is_empty());
            }
        }
    }
}
