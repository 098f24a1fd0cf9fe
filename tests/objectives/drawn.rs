//! Networks of every kind, drawn at random with a batch for each.

use crate::common::activations;
use afterimage::config::LayerSpec;
use afterimage::low_level::kernels::{Activation, QuadraticBase};
use afterimage::model::Architecture;
use afterimage::shape::Shape;
use proptest::prelude::*;

/// A network and a batch for it.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub input: Shape,
    pub layers: Vec<LayerSpec>,
    pub spectral_norm: bool,
    pub activation: Activation,
    pub base: Option<QuadraticBase>,
    pub data: usize,
    pub ratio: usize,
    pub seed: u32,
}

impl Drawn {
    pub fn architecture(&self) -> Architecture {
        let plain = Architecture::new(self.input, &self.layers, self.activation, self.base);
        let plain = plain.expect("fits");
        if self.spectral_norm {
            plain.with_spectral_norm().expect("fits")
        } else {
            plain
        }
    }
}

type Layers = BoxedStrategy<(Shape, Vec<LayerSpec>)>;

/// Small images, which hold the largest kernel behind a stride of 2, and a pooling behind another.
fn image() -> impl Strategy<Value = Shape> {
    (1..4usize, 6..9usize, 6..9usize)
        .prop_map(|(channels, height, width)| Shape::new(channels, height, width))
}

fn dense() -> impl Strategy<Value = LayerSpec> {
    (1..20usize).prop_map(|features| LayerSpec::Dense { features })
}

pub fn perceptrons() -> Layers {
    let layers = prop::collection::vec(dense(), 1..4);
    (1..6usize, layers)
        .prop_map(|(channels, layers)| (Shape::new(channels, 1, 1), layers))
        .boxed()
}

pub fn convolutions() -> Layers {
    let conv = (1..9usize, 1..4usize, 1..3usize, any::<bool>()).prop_map(
        |(channels, kernel, stride, padded)| LayerSpec::Conv {
            channels,
            kernel,
            stride,
            padding: usize::from(padded && kernel > 1),
        },
    );
    (image(), conv, prop::collection::vec(dense(), 0..2))
        .prop_map(|(image, conv, dense)| {
            let layers = std::iter::once(conv).chain(dense).collect();
            (image, layers)
        })
        .boxed()
}

/// Two residual blocks, one that keeps the channels and one whose skip projects them, in either order and the first of
/// them with a pooling of its own or none; an average pooling anywhere among them; and each of the ways to end.
pub fn blocks() -> Layers {
    let kernel = || prop::sample::select(vec![1usize, 3]);
    let end = prop_oneof![
        2 => Just(vec![LayerSpec::GlobalSum]),
        2 => dense().prop_map(|dense| vec![LayerSpec::GlobalSum, dense]),
        1 => dense().prop_map(|dense| vec![dense]),
        1 => Just(Vec::new()),
    ];
    let pools = (0..3usize, 2..4usize, 1..3usize);
    (
        image(),
        any::<bool>(),
        1..5usize,
        [kernel(), kernel()],
        pools,
        end,
    )
        .prop_map(
            |(image, keeps_first, more, kernels, (place, size, block_pool), end)| {
                let wider = image.channels + more;
                let residual = |channels, kernel, pool| LayerSpec::Residual {
                    channels,
                    kernel,
                    pool,
                };
                let first = if keeps_first { image.channels } else { wider };
                let mut layers = vec![
                    residual(first, kernels[0], block_pool),
                    residual(wider, kernels[1], 1),
                ];
                layers.insert(place, LayerSpec::Pool { size });
                layers.extend(end);
                (image, layers)
            },
        )
        .boxed()
}

pub fn drawn(
    layers: Layers,
    spectral_norm: bool,
    (data, ratio): (usize, usize),
) -> impl Strategy<Value = Drawn> {
    let base = prop::option::of(Just(QuadraticBase {
        mean: 0.2,
        std: 1.5,
    }));
    (
        layers,
        prop::sample::select(activations().to_vec()),
        base,
        any::<u32>(),
    )
        .prop_map(move |((input, layers), activation, base, seed)| Drawn {
            input,
            layers,
            spectral_norm,
            activation,
            base,
            data,
            ratio,
            seed,
        })
}
