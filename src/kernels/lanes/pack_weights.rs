use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::parameters::LayerParameters;
use crate::purpose::PACKED_WEIGHTS;

static KERNEL: Kernel = kernel!("lanes/pack_weights", 7, [Read, ReadWrite]);

/// The words that a workgroup packs, at least.
const WORDS: usize = 1024;

/// Channels of one side of a layer: how many, and how far apart their weights lie.
#[derive(Clone, Copy, Debug)]
struct Channels {
    count: usize,
    stride: usize,
}

/// A layer's weights in the order in which one kernel of this family reads them: see `shaders/lanes/pack_weights.wgsl`.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackedWeights {
    pub(super) buffer: Buffer,
    /// Channels that an invocation computes, and how many blocks of so many there are.
    pub(super) block: usize,
    pub(super) blocks: usize,
    /// Those that are computed, and those that are summed over.
    rows: Channels,
    inner: Channels,
    /// The latter with zeros behind them.
    inner_packed: usize,
    taps: usize,
    bias: usize,
}

impl PackedWeights {
    /// For the forward pass of `g`, by `block` output channels, over input channels that are filled up to a multiple of
    /// `turn`.
    pub(super) fn forward(g: &ConvGeometry, block: usize, turn: usize) -> Self {
        let [outputs, inputs] = channels(g);
        Self::new(
            "weights packed forward",
            g,
            [outputs, inputs],
            [block, turn],
            true,
        )
    }

    /// For the input gradient of `g`, by `block` input channels, likewise.
    pub(super) fn input_gradient(g: &ConvGeometry, block: usize, turn: usize) -> Self {
        let [outputs, inputs] = channels(g);
        Self::new(
            "weights packed back",
            g,
            [inputs, outputs],
            [block, turn],
            false,
        )
    }

    fn new(
        label: &'static str,
        g: &ConvGeometry,
        [rows, inner]: [Channels; 2],
        [block, turn]: [usize; 2],
        has_bias: bool,
    ) -> Self {
        let taps = g.kernel_height * g.kernel_width;
        let blocks = rows.count.div_ceil(block);
        let inner_packed = inner.count.next_multiple_of(turn);
        let bias = if has_bias { blocks * block } else { 0 };
        let words = blocks * inner_packed * taps * block + bias;
        PackedWeights {
            buffer: Buffer::new(label, words).of(PACKED_WEIGHTS),
            block,
            blocks,
            rows,
            inner,
            inner_packed,
            taps,
            bias,
        }
    }

    /// Words before the bias.
    pub(super) fn weight_words(&self) -> usize {
        self.blocks * self.inner_packed * self.taps * self.block
    }

    /// Takes them from `parameters`.
    pub(super) fn pack(&self, recording: &mut Recording, parameters: LayerParameters) {
        let weights = self.rows.count * self.inner.count * self.taps;
        let words = self.weight_words() + self.bias;
        let launch = [
            parameters.offset,
            self.rows.stride,
            self.inner.stride,
            parameters.offset + weights,
            self.rows.count,
            self.inner.count,
            self.blocks,
        ];
        let part = (WORDS / (self.taps * self.block)).clamp(1, self.inner_packed);
        let parts = self.inner_packed.div_ceil(part);
        let workgroups = [parts + usize::from(self.bias > 0), self.blocks, 1];
        Program::new(&KERNEL)
            .u32("TAPS", self.taps)
            .u32("BLOCK", self.block)
            .u32("INNER_PACKED", self.inner_packed)
            .u32("PART", part)
            .u32("PARTS", parts)
            .turns((part * self.taps * self.block).div_ceil(64))
            .bind([parameters.buffer, self.buffer])
            .immediates(launch.map(|word| word as u32))
            .moving(4 * (weights + words))
            .launch(recording, workgroups.map(|count| count as u32), 0);
    }
}

/// Output and input channels of a convolution's weights.
fn channels(g: &ConvGeometry) -> [Channels; 2] {
    let taps = g.kernel_height * g.kernel_width;
    let of = |count, stride| Channels { count, stride };
    [
        of(g.out_channels, g.in_channels * taps),
        of(g.in_channels, taps),
    ]
}
