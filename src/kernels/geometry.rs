//! Shapes of convolutions.

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

    /// Floating-point operations of one sample in the forward pass, counting a multiply-add as two.
    pub fn flops(&self) -> u64 {
        2 * (self.weight_len() * self.out_height() * self.out_width()) as u64
    }
}
