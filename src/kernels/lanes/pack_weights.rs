use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::parameters::LayerParameters;
use crate::purpose::PACKED_WEIGHTS;

static KERNEL: Kernel = kernel!("lanes/pack_weights", 11, [Read, ReadWrite]);

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
            self.inner_packed,
            self.taps,
            self.block,
            words,
            self.weight_words(),
        ];
        Program::new(&KERNEL)
            .bind([parameters.buffer, self.buffer])
            .immediates(launch.map(|word| word as u32))
            .moving(4 * (weights + words))
            .over(recording, words);
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
