use super::maps::GROUP;
use crate::gpu::{MOST_TURNS, Program};
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::layer_kind::LayerKind;
use crate::kernels::layer_pass::LayerPass;
use serde::{Deserialize, Serialize};

/// What one invocation computes for its sample: `rows` rows of `pixels` neighbouring outputs (in the gradient of a strided layer,
/// of as many cells of stride² pixels) of `block` channels; of a dense layer `block` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tile {
    pub rows: usize,
    pub pixels: usize,
    pub block: usize,
}

/// The multiply-adds, and the weights, beyond which a loop's body takes no further channels. Mesa 22.3 writes a loop over lanes
/// for every weight, and takes seconds to compile so many.
const BODY: usize = 1200;
const WEIGHTS: usize = 288;
/// And tiles that make one longer than this, or have more sums, are no candidates.
const LONGEST_BODY: usize = 3200;
const SUMS: usize = 256;
/// The most tiles to choose from.
const CANDIDATES: usize = 4;
/// Values of a dense layer that a turn takes, and the most groups of samples that a workgroup of it computes.
const DENSE_TURN: usize = 4;
pub(super) const TOGETHER: usize = 4;

/// What a load, a weight and a multiply-add take, in nanoseconds of one core (docs/kernels.md).
pub(super) const LOAD: f64 = 4.0;
pub(super) const WEIGHT: f64 = 0.62;
pub(super) const MULTIPLY_ADD: f64 = 0.21;
/// A sum that goes to memory and back, once a turn, and one that is finished and stored; with a workgroup's own these are guesses
/// between what D's first layer and its others take.
pub(super) const SUM: f64 = 0.2;
pub(super) const STORE: f64 = 8.0;
pub(super) const WORKGROUP: f64 = 400.0;

/// The size of a pass.
struct Work {
    /// Outputs, or cells, in a column and in a row.
    size: [usize; 2],
    /// Channels that are computed, and those that are summed over.
    channels: usize,
    inner: usize,
    taps: usize,
    /// Pixels of a cell.
    cell: usize,
    /// Along both sides, how much of the input an output meets, and each further one.
    first: [usize; 2],
    further: usize,
}

impl Work {
    fn new(kind: LayerKind, pass: LayerPass) -> Self {
        let (g, taps) = match kind {
            LayerKind::Conv(g) => (g, g.kernel_height * g.kernel_width),
            LayerKind::Dense { .. } => (kind.flattened(), 1),
        };
        match pass {
            LayerPass::Forward => Work {
                size: [g.out_height(), g.out_width()],
                channels: g.out_channels,
                inner: g.in_channels,
                taps,
                cell: 1,
                first: [g.kernel_height, g.kernel_width],
                further: g.stride,
            },
            LayerPass::InputGradient => {
                let sides = [Cells::rows(&g), Cells::columns(&g)];
                Work {
                    size: sides.map(|side| side.count),
                    channels: g.in_channels,
                    inner: g.out_channels,
                    taps,
                    cell: g.stride * g.stride,
                    first: sides.map(|side| side.steps),
                    further: 1,
                }
            }
        }
    }

    fn body(&self, tile: Tile) -> usize {
        self.taps * tile.rows * tile.pixels * tile.block
    }

    fn sums(&self, tile: Tile) -> usize {
        tile.rows * tile.pixels * tile.block * self.cell
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

    /// About how many nanoseconds of one core a group of samples takes, on lavapipe of Mesa 26.2 with 16 lanes (docs/kernels.md).
    fn cost(&self, tile: Tile) -> f64 {
        let reach = |side: usize, count: usize| self.first[side] + (count - 1) * self.further;
        let loads = reach(0, tile.rows) * reach(1, tile.pixels);
        let sums = self.sums(tile) as f64;
        let inner = LOAD * loads as f64
            + WEIGHT * (self.taps * tile.block) as f64
            + MULTIPLY_ADD * self.body(tile) as f64
            + SUM * sums / self.turn(tile) as f64;
        let [rows, columns] = self.size;
        let tiles = rows.div_ceil(tile.rows)
            * columns.div_ceil(tile.pixels)
            * self.channels.div_ceil(tile.block);
        tiles as f64 * (self.inner as f64 * inner + STORE * sums + WORKGROUP)
    }
}

/// The tiles that a pass can be computed by, by what they are thought to cost: at least one.
pub(super) fn tiles(kind: LayerKind, pass: LayerPass) -> Vec<Tile> {
    let work = Work::new(kind, pass);
    let most = match kind {
        LayerKind::Conv(_) => work.size.map(|side| side.clamp(1, 8)),
        LayerKind::Dense { .. } => [1, 1],
    };
    let blocks = [1, 2, 4, 8, 16, 32];
    let mut tiles: Vec<Tile> = (1..=most[0])
        .flat_map(|rows| (1..=most[1]).map(move |pixels| [rows, pixels]))
        .flat_map(|[rows, pixels]| {
            blocks.map(|block| Tile {
                rows,
                pixels,
                block,
            })
        })
        .filter(|tile| tile.block < 2 * work.channels)
        .filter(|tile| {
            let fits = work.sums(*tile) <= SUMS
                && work.body(*tile) <= LONGEST_BODY
                && work.taps * tile.block <= WEIGHTS;
            fits || (tile.rows, tile.pixels, tile.block) == (1, 1, 1)
        })
        .collect();
    let cost = |tile: &Tile| match kind {
        LayerKind::Conv(_) => work.cost(*tile),
        // Groups of samples share weights as pixels do.
        LayerKind::Dense { .. } => work.cost(Tile {
            pixels: TOGETHER,
            ..*tile
        }),
    };
    tiles.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    tiles.truncate(CANDIDATES);
    tiles
}

/// About how many nanoseconds of one core a group of samples takes by the best tile.
pub(super) fn direct_cost(kind: LayerKind, pass: LayerPass) -> f64 {
    Work::new(kind, pass).cost(tiles(kind, pass)[0])
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
                    assert!(turn == 1 || turn * work.body(tile) <= BODY, "{tile:?}");
                }
                assert!(!tiles(conv, pass).is_empty() && !tiles(dense, pass).is_empty());
            }
        }
    }
}
