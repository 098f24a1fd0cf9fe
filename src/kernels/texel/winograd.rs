use super::tile::describe_lanes;
use crate::gpu::{Image, Program};
use crate::kernels::algorithm::Algorithm;
use crate::kernels::border::Border;
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::layer_pass::LayerPass;
use crate::purpose::{MAPS, PACKED_WEIGHTS};

/// Texels in a row of transformed maps, products and transformed weights: LINEAR_ROW in the shaders.
const LINEAR_ROW: usize = 1024;
/// A subgroup may read up to this many weight texels past the last one it uses.
const SLACK: usize = 64;
/// Elements of a transformed tile.
pub(super) const POSITIONS: usize = 25;
/// Outputs along one side of a tile.
pub(super) const TILE: usize = 4;
/// Tiles that an invocation of the product keeps in registers.
pub(super) const PER_LANE: usize = 4;
/// Groups of four channels that it makes at most.
const LARGEST_BLOCK: usize = 8;
/// Larger maps are worked on in slices of the samples, so that either part of the scratch stays below this many texels.
const LARGEST_SCRATCH: usize = 1 << 20;

/// The algorithm for a pass over batches of `samples`: Winograd where it can be done and its cost, as measured on
/// lavapipe (docs/kernels.md), is the smaller one.
pub fn algorithm(
    pass: LayerPass,
    geometry: &ConvGeometry,
    samples: usize,
    lanes: usize,
    longest_side: usize,
) -> Algorithm {
    /// A texel that is transformed and stored costs as much as this many multiply-adds.
    const STORE: usize = 350;
    let Some(plan) = Winograd::new(pass, geometry, samples, lanes, longest_side) else {
        return Algorithm::Direct;
    };
    let g = geometry;
    let channels = g.in_channels.div_ceil(4) * g.out_channels.div_ceil(4) * 16;
    let direct = samples * g.out_height() * g.out_width() * 16 * channels;
    let slices = samples.div_ceil(plan.slice);
    let (block, block_count) = plan.blocks();
    let products =
        POSITIONS * slices * plan.slice_tiles() * plan.summed() * block * block_count * 16;
    let stores = POSITIONS * samples * plan.tiles() * (plan.summed() + plan.made());
    if products + STORE * stores < direct {
        Algorithm::Winograd
    } else {
        Algorithm::Direct
    }
}

/// One pass of a 4×4 convolution of stride 2, planned by Winograd's method: what `shaders/shared/winograd.wgsl`
/// describes.
#[derive(Clone, Debug)]
pub struct Winograd {
    pub(super) pass: LayerPass,
    pub(super) geometry: ConvGeometry,
    lanes: usize,
    samples: usize,
    /// Samples worked on at a time.
    slice: usize,
    /// Transformed weights, laid out as `shaders/texel/winograd_weights.wgsl` says.
    pub weights: Image,
    pub(super) scratch: WinogradScratch,
}

/// Where a pass keeps its transformed maps and its products: used within one pass only, so layers can share it.
#[derive(Clone, Copy, Debug)]
pub struct WinogradScratch {
    pub transformed: Image,
    pub products: Image,
}

impl WinogradScratch {
    /// Scratch of so many texels for transformed maps and for products.
    pub fn new([transformed, products]: [usize; 2]) -> Self {
        WinogradScratch {
            transformed: linear_image("transformed maps", transformed).of(MAPS),
            products: linear_image("transformed products", products).of(MAPS),
        }
    }
}

fn linear_image(label: &'static str, texels: usize) -> Image {
    Image::new(label, LINEAR_ROW as u32, texels.div_ceil(LINEAR_ROW) as u32)
}

impl Winograd {
    /// Plans a pass over batches of `samples`, with scratch of its own; none where this is not the method for
    /// `geometry`, or where weights or maps exceed images of `longest_side` texels a side.
    pub fn new(
        pass: LayerPass,
        geometry: &ConvGeometry,
        samples: usize,
        lanes: usize,
        longest_side: usize,
    ) -> Option<Self> {
        let g = geometry;
        if [g.kernel_height, g.kernel_width, g.stride] != [4, 4, 2] || longest_side < LINEAR_ROW {
            return None;
        }
        let mut plan = Winograd {
            pass,
            geometry: *g,
            lanes,
            samples,
            slice: samples,
            weights: Image::new("transformed weights", 1, 1),
            scratch: WinogradScratch::new([0, 0]),
        };
        let chunk_texels = POSITIONS * plan.chunk() * plan.summed().max(plan.made());
        let chunks = (LARGEST_SCRATCH / chunk_texels).max(1);
        let slice = (chunks * plan.chunk() / plan.tiles()).max(1);
        // As long as one another.
        plan.slice = samples.div_ceil(samples.div_ceil(slice));
        let [transformed, products] = plan.scratch_texels();
        if transformed.max(products).max(plan.weight_texels()) > LINEAR_ROW * longest_side {
            return None;
        }
        plan.weights = linear_image("transformed weights", plan.weight_texels()).of(PACKED_WEIGHTS);
        plan.scratch = WinogradScratch::new(plan.scratch_texels());
        Some(plan)
    }

    /// Texels of scratch that it needs.
    pub fn scratch_texels(&self) -> [usize; 2] {
        [self.summed(), self.made()].map(|groups| POSITIONS * self.slice_tiles() * groups)
    }

    /// Uses `scratch`, which must be large enough, from now on.
    pub fn set_scratch(&mut self, scratch: WinogradScratch) {
        self.scratch = scratch;
    }

    /// Takes batches of `samples` from now on, at most as many as it was planned for.
    pub(crate) fn take_samples(&mut self, samples: usize) {
        self.samples = samples.min(self.samples);
    }

    /// The border that the pass reads around the maps it transforms.
    pub fn border(&self) -> Border {
        let g = &self.geometry;
        let read = |tiles: usize, map: usize| match self.pass {
            LayerPass::Forward => (2 * TILE * tiles + 2).saturating_sub(g.padding + map),
            LayerPass::InputGradient => TILE * tiles - map,
        };
        let (padding, [height, width]) = match self.pass {
            LayerPass::Forward => (g.padding, [g.in_height, g.in_width]),
            LayerPass::InputGradient => (0, [g.out_height(), g.out_width()]),
        };
        let [tiles_y, tiles_x] = self.tile_grid();
        Border {
            top: padding,
            left: padding,
            bottom: read(tiles_y, height),
            right: read(tiles_x, width),
        }
    }

    /// Rows and columns of tiles in a sample of the output.
    pub(super) fn tile_grid(&self) -> [usize; 2] {
        [self.geometry.out_height(), self.geometry.out_width()].map(|side| side.div_ceil(TILE))
    }

    /// Tiles in a sample.
    pub(super) fn tiles(&self) -> usize {
        self.tile_grid().iter().product()
    }

    /// Groups of the input's channels, its phases counted as channels.
    fn in_groups(&self) -> usize {
        4 * self.geometry.in_channels.div_ceil(4)
    }

    /// Channel groups that the product sums over.
    pub(super) fn summed(&self) -> usize {
        match self.pass {
            LayerPass::Forward => self.in_groups(),
            LayerPass::InputGradient => self.geometry.out_channels.div_ceil(4),
        }
    }

    /// Channel groups that the product makes.
    pub(super) fn made(&self) -> usize {
        match self.pass {
            LayerPass::Forward => self.geometry.out_channels.div_ceil(4),
            LayerPass::InputGradient => self.in_groups(),
        }
    }

    /// How many of them an invocation makes, and how many such blocks there are.
    pub(super) fn blocks(&self) -> (usize, usize) {
        let blocks = self.made().div_ceil(LARGEST_BLOCK);
        (self.made().div_ceil(blocks), blocks)
    }

    /// Tiles that a workgroup of the product works on: one subgroup's, or where there are none 64 invocations'.
    pub(super) fn chunk(&self) -> usize {
        PER_LANE * if self.lanes > 1 { self.lanes } else { 64 }
    }

    /// Chunks that hold the tiles of so many samples.
    pub(super) fn chunks(&self, samples: usize) -> usize {
        (samples * self.tiles()).div_ceil(self.chunk())
    }

    /// Chunks that hold the tiles of a slice.
    pub(super) fn slice_chunks(&self) -> usize {
        self.chunks(self.slice)
    }

    /// Tiles in a slice, with those that fill up its last chunk.
    fn slice_tiles(&self) -> usize {
        self.slice_chunks() * self.chunk()
    }

    /// Texels of the weights of one position.
    pub(super) fn position_texels(&self) -> usize {
        let (block, block_count) = self.blocks();
        block_count * self.summed() * block * 4
    }

    pub(super) fn weight_texels(&self) -> usize {
        POSITIONS * self.position_texels() + self.geometry.out_channels.div_ceil(4) + SLACK
    }

    /// The first sample of every slice and how many it has.
    pub(super) fn slices(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (samples, slice) = (self.samples, self.slice);
        (0..samples)
            .step_by(slice)
            .map(move |first| (first, slice.min(samples - first)))
    }

    /// Adds the layout of transformed maps and the tiles of a sample.
    pub(super) fn describe_tiles(&self, program: Program) -> Program {
        let [tiles_y, tiles_x] = self.tile_grid();
        program
            .u32("CHUNK", self.chunk())
            .u32("CHUNKS", self.slice_chunks())
            .u32("TILES_X", tiles_x)
            .u32("TILES_Y", tiles_y)
    }

    pub(super) fn describe_lanes(&self, program: Program) -> Program {
        describe_lanes(program, self.lanes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_every_sample_once_within_the_scratch() {
        let geometry = ConvGeometry {
            in_channels: 128,
            in_height: 80,
            in_width: 4,
            out_channels: 4,
            kernel_height: 4,
            kernel_width: 4,
            stride: 2,
            padding: 1,
        };
        for lanes in [1, 8, 16, 64] {
            let plan = Winograd::new(LayerPass::Forward, &geometry, 33, lanes, 16_384).unwrap();
            let slices: Vec<_> = plan.slices().collect();
            assert!(slices.len() > 1, "{slices:?}");
            let next = slices.iter().fold(0, |next, &(first, samples)| {
                assert_eq!(first, next);
                assert!(samples > 0 && samples <= plan.slice);
                next + samples
            });
            assert_eq!(next, 33);
            assert!(
                plan.scratch_texels()
                    .iter()
                    .all(|&texels| texels <= LARGEST_SCRATCH)
            );
        }
    }
}
