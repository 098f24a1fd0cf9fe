use super::geometry::ConvGeometry;
use crate::shape::Shape;

/// What a layer computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    Conv(ConvGeometry),
    /// Fully connected over the flattened input map.
    Dense {
        input: Shape,
        outputs: usize,
    },
}

impl LayerKind {
    /// Values in the weight.
    pub fn weight_len(&self) -> usize {
        self.as_convolution().weight_len()
    }

    /// Outputs per pixel, which is the length of the bias.
    pub fn outputs(&self) -> usize {
        self.as_convolution().out_channels
    }

    /// Shape of one output sample.
    pub fn output_shape(&self) -> Shape {
        let g = self.as_convolution();
        Shape::new(g.out_channels, g.out_height(), g.out_width())
    }

    /// Shape of one input sample.
    pub fn input_shape(&self) -> Shape {
        let g = self.as_convolution();
        Shape::new(g.in_channels, g.in_height, g.in_width)
    }

    /// Floating-point operations of one sample in the forward pass, counting a multiply-add as two.
    pub(super) fn flops(&self) -> u64 {
        self.as_convolution().flops()
    }

    /// A dense layer is a convolution whose kernel covers its input map.
    pub(super) fn as_convolution(&self) -> ConvGeometry {
        match *self {
            LayerKind::Conv(geometry) => geometry,
            LayerKind::Dense { input, outputs } => ConvGeometry {
                in_channels: input.channels,
                in_height: input.height,
                in_width: input.width,
                out_channels: outputs,
                kernel_height: input.height,
                kernel_width: input.width,
                stride: 1,
                padding: 0,
            },
        }
    }

    /// Flat maps of a dense layer are one pixel with as many channels as there are values.
    pub(super) fn flattened(&self) -> ConvGeometry {
        match *self {
            LayerKind::Conv(geometry) => geometry,
            LayerKind::Dense { input, .. } => self.as_convolution().over_pixel(input.len()),
        }
    }
}
