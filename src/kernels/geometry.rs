//! Shapes of convolutions.

use crate::gpu::Program;

/// A two-dimensional convolution (cross-correlation, as in PyTorch) over zero-padded inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvGeometry {
    pub in_channels: usize,
    pub in_height: usize,
    pub in_width: usize,
    pub out_channels: usize,
    pub kernel_height: usize,
    pub kernel_width: usize,
    pub stride: usize,
    pub padding: usize,
}

impl ConvGeometry {
    /// Of an input of (channels, height, width) under a kernel of (height, width).
    pub const fn new(
        [in_channels, in_height, in_width]: [usize; 3],
        out_channels: usize,
        [kernel_height, kernel_width]: [usize; 2],
        stride: usize,
        padding: usize,
    ) -> Self {
        ConvGeometry {
            in_channels,
            in_height,
            in_width,
            out_channels,
            kernel_height,
            kernel_width,
            stride,
            padding,
        }
    }

    /// Rows of the output: ⌊(height + 2·padding − kernel) / stride⌋ + 1. The kernel must fit the padded input.
    pub fn out_height(&self) -> usize {
        (self.in_height + 2 * self.padding - self.kernel_height) / self.stride + 1
    }

    /// Columns of the output.
    pub fn out_width(&self) -> usize {
        (self.in_width + 2 * self.padding - self.kernel_width) / self.stride + 1
    }

    /// Values in one input sample.
    pub fn in_len(&self) -> usize {
        self.in_channels * self.in_height * self.in_width
    }

    /// Values in one output sample.
    pub fn out_len(&self) -> usize {
        self.out_channels * self.out_height() * self.out_width()
    }

    /// Values in the weight, laid out as (out, in, height, width).
    pub fn weight_len(&self) -> usize {
        self.out_channels * self.in_channels * self.kernel_height * self.kernel_width
    }

    /// Places of the kernel.
    pub(super) fn taps(&self) -> usize {
        self.kernel_height * self.kernel_width
    }

    /// Floating-point operations of one sample in the forward pass, counting a multiply-add as two.
    pub(crate) fn flops(&self) -> u64 {
        2 * (self.weight_len() * self.out_height() * self.out_width()) as u64
    }

    /// Whether the kernel covers the whole input, and nothing else.
    pub(super) fn covers_input(&self) -> bool {
        let kernel = (self.kernel_height, self.kernel_width);
        self.padding == 0 && kernel == (self.in_height, self.in_width)
    }

    /// A layer like it, but over one pixel of `in_channels` channels.
    pub(super) fn over_pixel(self, in_channels: usize) -> Self {
        ConvGeometry {
            in_channels,
            in_height: 1,
            in_width: 1,
            kernel_height: 1,
            kernel_width: 1,
            stride: 1,
            ..self
        }
    }

    /// Adds all of it to a program.
    pub(super) fn describe(&self, program: Program) -> Program {
        let program = program
            .u32("IN_HEIGHT", self.in_height)
            .u32("IN_WIDTH", self.in_width)
            .u32("PADDING", self.padding);
        self.describe_kernel(self.describe_channels(program))
    }

    /// Adds the channels on both sides.
    pub(super) fn describe_channels(&self, program: Program) -> Program {
        program
            .u32("IN_CHANNELS", self.in_channels)
            .u32("OUT_CHANNELS", self.out_channels)
    }

    /// Adds how the kernel moves over a map.
    pub(super) fn describe_kernel(&self, program: Program) -> Program {
        program
            .u32("KERNEL_HEIGHT", self.kernel_height)
            .u32("KERNEL_WIDTH", self.kernel_width)
            .u32("STRIDE", self.stride)
    }
}
