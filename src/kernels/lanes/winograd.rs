use super::maps::GROUP;
use super::tile::{LOAD, MULTIPLY_ADD, STORE, SUM, WEIGHT, WORKGROUP, direct_cost};
use crate::gpu::{Buffer, Program};
use crate::kernels::algorithm::Algorithm;
use crate::kernels::border::Border;
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::layer_kind::LayerKind;
use crate::kernels::layer_pass::LayerPass;
use crate::purpose::{MAPS, PACKED_WEIGHTS};

/// Elements of a transformed tile.
pub(super) const POSITIONS: usize = 25;
/// Outputs along one side of a tile.
const TILE: usize = 4;
/// Phases of the input, which count as channels.
pub(super) const PHASES: usize = 4;
/// Items that an invocation of the product keeps in registers, channels that it makes of them, and channels that a turn of its loop sums
/// over, at most.
const TOGETHER: usize = 8;
const BLOCK: usize = 32;
const TURN: usize = 4;
/// Batches are worked on in slices of the groups of samples, so that transformed maps stay below this many words if one group's do: 8 MiB.
const SLICE_WORDS: usize = 1 << 21;
/// No buffer gets more words than this, 128 MiB, the least that an adapter may bind.
const MOST_WORDS: usize = 1 << 25;

/// The sizes of a product: `made` channels of items from `summed` ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub(super) summed: usize,
    pub(super) made: usize,
    /// Channels that an invocation makes, a multiple of four, and how many such blocks there are.
    pub(super) block: usize,
    pub(super) blocks: usize,
    /// Items of an invocation, and how many such chunks there are.
    pub(super) together: usize,
    pub(super) chunks: usize,
}

impl Product {
    fn new(summed: usize, made: usize, items: usize, together: usize) -> Self {
        let blocks = made.div_ceil(BLOCK);
        Product {
            summed,
            made,
            block: made.div_ceil(blocks).next_multiple_of(4),
            blocks,
            together,
            chunks: items.div_ceil(together),
        }
    }

    /// Channels of a turn of the loop.
    pub(super) fn turn(&self) -> usize {
        let divides = |turn: &usize| self.summed.is_multiple_of(*turn);
        (1..=TURN).rev().find(divides).unwrap_or(1)
    }

    /// Words of what it reads of items, of weights, and of what it makes: `shaders/shared/lanes_winograd.wgsl`.
    fn words(&self) -> [usize; 3] {
        let items = |channels| POSITIONS * self.chunks * (channels * self.together + 1) * GROUP;
        let weights = POSITIONS * self.blocks * self.block * self.summed;
        [items(self.summed), weights, items(self.made)]
    }

    /// About how many nanoseconds of one core it takes: see [`super::tile`].
    fn cost(&self) -> f64 {
        let (together, block) = (self.together as f64, self.block as f64);
        let sums = together * block;
        let inner = LOAD * together
            + WEIGHT * block
            + MULTIPLY_ADD * sums
            + SUM * sums / self.turn() as f64;
        let workgroups = (POSITIONS * self.chunks * self.blocks) as f64;
        workgroups * (self.summed as f64 * inner + STORE * sums + WORKGROUP)
    }
}

/// A 4×4 convolution of stride 2 by Winograd's method: what `shaders/shared/winograd.wgsl` describes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Winograd {
    pub(super) geometry: ConvGeometry,
    /// Groups of samples worked on at a time.
    slice: usize,
    /// Transformed weights, for the forward pass with the bias behind them, and for the input gradient.
    pub(super) weights: [Buffer; 2],
    pub(super) scratch: Scratch,
}

/// Where a pass keeps what it has transformed: used within one pass only, so layers can share it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scratch {
    pub(super) transformed: Buffer,
    pub(super) products: Buffer,
    /// Of a weight gradient, the transformed output gradient.
    pub(super) gradient: Buffer,
}

impl Scratch {
    pub(super) fn new([transformed, gradient, products]: [usize; 3]) -> Self {
        Scratch {
            transformed: Buffer::new("transformed maps", transformed).of(MAPS),
            products: Buffer::new("transformed products", products).of(MAPS),
            gradient: Buffer::new("transformed gradient", gradient).of(MAPS),
        }
    }
}

/// The algorithm that is thought to cost less, whatever the number of samples.
pub(super) fn algorithm(kind: LayerKind) -> Algorithm {
    let LayerKind::Conv(g) = kind else {
        return Algorithm::Direct;
    };
    let Some(plan) = Winograd::new(&g, GROUP * TOGETHER) else {
        return Algorithm::Direct;
    };
    let direct: f64 = LayerPass::ALL
        .iter()
        .map(|pass| direct_cost(kind, *pass))
        .sum();
    if plan.cost() < direct {
        Algorithm::Winograd
    } else {
        Algorithm::Direct
    }
}

impl Winograd {
    /// Plans a layer over batches of `samples`, with scratch of its own; none where this is not the method for `geometry`, or where weights or
    /// maps exceed what a buffer may have.
    pub(super) fn new(geometry: &ConvGeometry, samples: usize) -> Option<Self> {
        let g = geometry;
        if [g.kernel_height, g.kernel_width, g.stride] != [4, 4, 2] {
            return None;
        }
        let nothing = Buffer::new("transformed weights", 0);
        let mut plan = Winograd {
            geometry: *g,
            slice: 1,
            weights: [nothing; 2],
            scratch: Scratch::new([0; 3]),
        };
        let widest = (PHASES * g.in_channels).max(g.out_channels);
        let group = POSITIONS * GROUP * plan.tiles() * widest;
        let groups = samples.div_ceil(GROUP).max(1);
        let slice = (SLICE_WORDS / group).clamp(1, groups);
        // As long as one another.
        plan.slice = groups.div_ceil(groups.div_ceil(slice));
        let [forward, back] = LayerPass::ALL.map(|pass| plan.product(pass).words()[1]);
        let words = [forward + g.out_channels, back];
        let most = words.into_iter().chain(plan.scratch_words()).max()?;
        if most > MOST_WORDS {
            return None;
        }
        plan.weights =
            words.map(|words| Buffer::new("transformed weights", words).of(PACKED_WEIGHTS));
        plan.scratch = Scratch::new(plan.scratch_words());
        Some(plan)
    }

    /// Words of scratch that it needs.
    pub(super) fn scratch_words(&self) -> [usize; 3] {
        let [forward, back] = LayerPass::ALL.map(|pass| self.product(pass).words());
        let weights = self.weight_product(self.slice).words();
        [
            forward[0].max(back[0]).max(weights[0]),
            weights[1],
            forward[2].max(back[2]).max(weights[2]),
        ]
    }

    /// The borders that its passes read around the input and around the output gradient.
    pub(super) fn borders(&self) -> [Border; 2] {
        let g = &self.geometry;
        let [tiles_y, tiles_x] = self.tile_grid();
        let read =
            |tiles: usize, map: usize| (2 * TILE * tiles + 2).saturating_sub(g.padding + map);
        let input = Border {
            top: g.padding,
            left: g.padding,
            bottom: read(tiles_y, g.in_height),
            right: read(tiles_x, g.in_width),
        };
        let gradient = Border {
            bottom: TILE * tiles_y - g.out_height(),
            right: TILE * tiles_x - g.out_width(),
            ..Border::default()
        };
        [input, gradient]
    }

    /// Rows and columns of tiles in a sample of the output.
    fn tile_grid(&self) -> [usize; 2] {
        [self.geometry.out_height(), self.geometry.out_width()].map(|side| side.div_ceil(TILE))
    }

    /// Rows and columns of tiles that hold the pixels of any phase of the input. Phase f starts at pixel f − padding or, where that is
    /// before the map, at the pixel of the phase two further on.
    pub(super) fn phase_grid(&self) -> [usize; 2] {
        let g = &self.geometry;
        [g.in_height, g.in_width].map(|length| {
            let pixels = (0..2).map(|phase| {
                let late = usize::from(g.padding > phase);
                (length + g.padding)
                    .saturating_sub(2 * late + phase)
                    .div_ceil(2)
            });
            pixels.max().unwrap_or(1).div_ceil(TILE).max(1)
        })
    }

    /// Whether what a pass writes ends within a tile or within four channels.
    pub(super) fn is_ragged(&self, pass: LayerPass) -> bool {
        let g = &self.geometry;
        let (tiles, size, channels) = match pass {
            LayerPass::Forward => (
                self.tile_grid().map(|tiles| TILE * tiles),
                [g.out_height(), g.out_width()],
                g.out_channels,
            ),
            LayerPass::InputGradient => (
                self.phase_grid().map(|tiles| 2 * TILE * tiles),
                [g.in_height, g.in_width],
                g.in_channels,
            ),
        };
        // With a wider padding a phase begins outside the map.
        let begins = pass == LayerPass::Forward || g.padding <= 2;
        !(begins && tiles == size && channels.is_multiple_of(4))
    }

    /// Tiles in a sample.
    pub(super) fn tiles(&self) -> usize {
        self.tile_grid().iter().product()
    }

    fn together(&self) -> usize {
        TOGETHER.min(self.slice * self.tiles())
    }

    /// The product of a pass over a whole slice. Where its chunks and blocks are does not depend on how many groups there are.
    pub(super) fn product(&self, pass: LayerPass) -> Product {
        self.product_of(pass, self.slice)
    }

    pub(super) fn product_of(&self, pass: LayerPass, groups: usize) -> Product {
        let g = &self.geometry;
        let (inputs, outputs) = (PHASES * g.in_channels, g.out_channels);
        let items = groups * self.tiles();
        match pass {
            LayerPass::Forward => Product::new(inputs, outputs, items, self.together()),
            LayerPass::InputGradient => Product::new(outputs, inputs, items, self.together()),
        }
    }

    /// The product of a weight gradient over so many groups of samples: its items are the input's channels, GROUP of them each, and
    /// it sums over samples.
    pub(super) fn weight_product(&self, groups: usize) -> Product {
        let g = &self.geometry;
        let items = (PHASES * g.in_channels).div_ceil(GROUP);
        let samples = groups * self.tiles() * GROUP;
        Product::new(samples, g.out_channels, items, TOGETHER.min(items))
    }

    /// Slices of so many groups of samples.
    pub(super) fn shares(&self, samples: usize) -> usize {
        samples.div_ceil(GROUP).div_ceil(self.slice)
    }

    /// The first group of every slice and how many it has.
    pub(super) fn slices(&self, samples: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (groups, slice) = (samples.div_ceil(GROUP), self.slice);
        (0..groups)
            .step_by(slice)
            .map(move |first| (first, slice.min(groups - first)))
    }

    /// Adds the tiles of a sample.
    pub(super) fn describe_tiles(&self, program: Program) -> Program {
        let [tiles_y, tiles_x] = self.tile_grid();
        program.u32("TILES_X", tiles_x).u32("TILES_Y", tiles_y)
    }

    /// About how many nanoseconds of one core a forward pass and an input gradient of a group of samples take.
    fn cost(&self) -> f64 {
        let g = &self.geometry;
        let transform = |launches: usize, loads: usize, stores: usize| {
            launches as f64 * (LOAD * loads as f64 + STORE * stores as f64 + WORKGROUP)
        };
        let items = self.slice * self.tiles();
        let made = self.slice * self.phase_grid().iter().product::<usize>();
        let (quads, in_quads) = (g.out_channels.div_ceil(4), g.in_channels.div_ceil(4));
        let products: f64 = LayerPass::ALL
            .iter()
            .map(|pass| self.product(*pass).cost())
            .sum();
        let slice = products
            + transform(items * g.in_channels, 100, 100)
            + transform(items * quads, 100, 128)
            + transform(items * quads, 64, 100)
            + transform(made * PHASES * in_quads, 208, 64);
        slice / self.slice as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_every_group_once_within_the_scratch() {
        // Of the second, one group exceeds it.
        for (input, most) in [([16, 16, 16], 20), ([128, 80, 4], 1)] {
            let g = ConvGeometry::new(input, 4, [4, 4], 2, 1);
            for samples in [1, 16, 17, 1000] {
                let plan = Winograd::new(&g, samples).unwrap();
                let slices: Vec<_> = plan.slices(samples).collect();
                assert_eq!(slices.len(), plan.shares(samples));
                let next = slices.iter().fold(0, |next, &(first, groups)| {
                    assert_eq!(first, next);
                    assert!(groups > 0 && groups <= most, "{groups}");
                    next + groups
                });
                assert_eq!(next, samples.div_ceil(GROUP));
            }
        }
    }

    #[test]
    fn many_channels_are_what_it_is_for() {
        let of = |channels: [usize; 2], side, kernel| {
            let g = ConvGeometry::new([channels[0], side, side], channels[1], [kernel; 2], 2, 1);
            algorithm(LayerKind::Conv(g))
        };
        assert_eq!(of([64, 128], 32, 4), Algorithm::Winograd);
        assert_eq!(of([256, 512], 8, 4), Algorithm::Winograd);
        assert_eq!(of([1, 4], 32, 4), Algorithm::Direct);
        assert_eq!(of([64, 128], 32, 3), Algorithm::Direct);
    }
}
