//! The reference networks, as in `src/bench/networks.rs` of the program and in `benches/peer_torch.py`.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, activation};

/// Outputs, kernel, stride and padding.
type Convolution = (usize, usize, usize, usize);

/// What a network is made of, and the batch it is measured at.
pub struct Reference {
    pub name: &'static str,
    pub batch: usize,
    /// Channels and side of a sample.
    input: (usize, usize),
    convolutions: &'static [Convolution],
    dense: &'static [usize],
    /// LeakyReLU with slope 0.2 rather than SiLU.
    is_leaky: bool,
}

const NETWORKS: [Reference; 3] = [
    Reference {
        name: "D",
        batch: 128,
        input: (1, 8),
        convolutions: &[(32, 3, 1, 1), (64, 3, 2, 1), (64, 3, 2, 1)],
        dense: &[1],
        is_leaky: false,
    },
    Reference {
        name: "M",
        batch: 128,
        input: (1, 28),
        convolutions: &[(16, 5, 2, 4), (32, 3, 2, 1), (64, 3, 2, 1), (64, 3, 2, 1)],
        dense: &[64, 1],
        is_leaky: false,
    },
    Reference {
        name: "C",
        batch: 64,
        input: (3, 32),
        convolutions: &[
            (64, 3, 1, 1),
            (128, 4, 2, 1),
            (256, 4, 2, 1),
            (512, 4, 2, 1),
            (1, 4, 1, 0),
        ],
        dense: &[],
        is_leaky: true,
    },
];

/// The network of this name.
pub fn reference(name: &str) -> Option<Reference> {
    NETWORKS.into_iter().find(|network| network.name == name)
}

impl Reference {
    /// The shape of `batches` batches.
    pub fn shape(&self, batches: usize) -> [usize; 4] {
        let (channels, side) = self.input;
        [batches * self.batch, channels, side, side]
    }

    /// Floating-point operations of the forward pass of one batch, a multiply-add counted as two.
    pub fn forward_flops(&self) -> u64 {
        let (mut channels, mut side) = self.input;
        let mut flops = 0;
        for &(outputs, kernel, stride, padding) in self.convolutions {
            side = (side + 2 * padding - kernel) / stride + 1;
            flops += 2 * outputs * side * side * channels * kernel * kernel;
            channels = outputs;
        }
        let mut features = channels * side * side;
        for &outputs in self.dense {
            flops += 2 * features * outputs;
            features = outputs;
        }
        (self.batch * flops) as u64
    }

    /// The network with fresh weights.
    pub fn init(&self, device: &Device) -> Net {
        let (mut channels, mut side) = self.input;
        let mut convolutions = Vec::new();
        for &(outputs, kernel, stride, p) in self.convolutions {
            let config = Conv2dConfig::new([channels, outputs], [kernel, kernel])
                .with_stride([stride, stride])
                .with_padding(PaddingConfig2d::Explicit(p, p, p, p));
            convolutions.push(config.init(device));
            side = (side + 2 * p - kernel) / stride + 1;
            channels = outputs;
        }
        let mut features = channels * side * side;
        let mut dense = Vec::new();
        for &outputs in self.dense {
            dense.push(LinearConfig::new(features, outputs).init(device));
            features = outputs;
        }
        Net {
            convolutions,
            dense,
            is_leaky: self.is_leaky,
        }
    }
}

/// Convolutions, then dense layers, with the activation between all of them.
#[derive(Module, Debug)]
pub struct Net {
    convolutions: Vec<Conv2d>,
    dense: Vec<Linear>,
    is_leaky: bool,
}

impl Net {
    /// One energy a sample.
    pub fn energies(&self, x: Tensor<4>) -> Tensor<1> {
        let last = self.convolutions.len() + self.dense.len() - 1;
        let mut maps = x;
        for (index, layer) in self.convolutions.iter().enumerate() {
            maps = layer.forward(maps);
            if index < last {
                maps = self.activate(maps);
            }
        }
        let mut features: Tensor<2> = maps.flatten(1, 3);
        for (index, layer) in self.dense.iter().enumerate() {
            features = layer.forward(features);
            if self.convolutions.len() + index < last {
                features = self.activate(features);
            }
        }
        features.flatten(0, 1)
    }

    fn activate<const D: usize>(&self, values: Tensor<D>) -> Tensor<D> {
        match self.is_leaky {
            true => activation::leaky_relu(values, 0.2),
            false => activation::silu(values),
        }
    }
}
