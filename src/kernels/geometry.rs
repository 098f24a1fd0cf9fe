//! Shapes of convolutions and the activation functions.

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

/// A pointwise activation function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    Identity,
    /// z · σ(z), also called Swish.
    Silu,
    /// z above zero, slope · z below.
    LeakyRelu(f32),
    /// ln(1 + eᶻ).
    Softplus,
    Tanh,
}

impl Activation {
    /// The number by which `shaders/shared/activation.wgsl` knows the function.
    pub fn code(self) -> usize {
        match self {
            Activation::Identity => 0,
            Activation::Silu => 1,
            Activation::LeakyRelu(_) => 2,
            Activation::Softplus => 3,
            Activation::Tanh => 4,
        }
    }

    /// The slope below zero of LeakyReLU; 0 for the others, which have none.
    pub fn slope(self) -> f32 {
        match self {
            Activation::LeakyRelu(slope) => slope,
            _ => 0.0,
        }
    }

    /// The function's value, in f64: the twin of `activation_value` in `shaders/shared/activation.wgsl`.
    pub fn value(self, z: f64) -> f64 {
        match self {
            Activation::Identity => z,
            Activation::Silu => z * sigmoid(z),
            Activation::LeakyRelu(slope) => {
                if z > 0.0 {
                    z
                } else {
                    f64::from(slope) * z
                }
            }
            Activation::Softplus => z.max(0.0) + (-z.abs()).exp().ln_1p(),
            Activation::Tanh => z.tanh(),
        }
    }

    /// The function's derivative, in f64; at the kink of LeakyReLU the slope, as in PyTorch.
    pub fn derivative(self, z: f64) -> f64 {
        match self {
            Activation::Identity => 1.0,
            Activation::Silu => {
                let s = sigmoid(z);
                s * (1.0 + z * (1.0 - s))
            }
            Activation::LeakyRelu(slope) => {
                if z > 0.0 {
                    1.0
                } else {
                    f64::from(slope)
                }
            }
            Activation::Softplus => sigmoid(z),
            Activation::Tanh => 1.0 - z.tanh() * z.tanh(),
        }
    }
}

/// The logistic function 1 / (1 + e⁻ᶻ), without overflow.
pub fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        z.exp() / (1.0 + z.exp())
    }
}
