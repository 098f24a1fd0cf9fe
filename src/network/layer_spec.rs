use std::fmt;

/// One layer, before shapes are inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerSpec {
    /// A convolution with a square kernel.
    Conv {
        channels: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    },
    /// Fully connected over the flattened map.
    Dense { features: usize },
    /// Means over windows of `size` × `size`.
    Pool { size: usize },
    /// The sum over all pixels of a channel.
    GlobalSum,
    /// A residual block: see [`super::ResidualBlock`].
    Residual {
        channels: usize,
        kernel: usize,
        pool: usize,
    },
}

/// What a message calls it.
impl fmt::Display for LayerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LayerSpec::Conv { channels, .. } => write!(f, "conv {channels}"),
            LayerSpec::Dense { features } => write!(f, "dense {features}"),
            LayerSpec::Pool { size } => write!(f, "pool {size}"),
            LayerSpec::GlobalSum => write!(f, "global_sum"),
            LayerSpec::Residual { channels, .. } => write!(f, "residual {channels}"),
        }
    }
}
