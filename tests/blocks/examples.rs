//! Networks with every kind of block.

use crate::common::extended;
use afterimage::config::{self, Config, InitialWeights, LayerSpec};
use afterimage::low_level::kernels::{Activation, QuadraticBase};
use afterimage::low_level::network::Initialisation;
use afterimage::model::Architecture;
use afterimage::shape::Shape;

pub const PLAIN: Initialisation = Initialisation {
    weights: InitialWeights::Default,
    zero_head: false,
    first_weight_scale: 1.0,
    first_bias_scale: 1.0,
};

pub fn conv(channels: usize, kernel: usize, stride: usize, padding: usize) -> LayerSpec {
    LayerSpec::Conv {
        channels,
        kernel,
        stride,
        padding,
    }
}

pub fn dense(features: usize) -> LayerSpec {
    LayerSpec::Dense { features }
}

pub fn pool(size: usize) -> LayerSpec {
    LayerSpec::Pool { size }
}

pub fn residual(channels: usize, kernel: usize, pool: usize) -> LayerSpec {
    LayerSpec::Residual {
        channels,
        kernel,
        pool,
    }
}

/// The published form in small; blocks at both ends of the network, with each kind of skip, pooled and not; poolings
/// first, in a row and last; and a head before the global sum. Two of them under spectral normalisation, too.
pub fn architectures() -> Vec<Architecture> {
    let base = Some(QuadraticBase {
        mean: 0.3,
        std: 1.5,
    });
    let build = |shape, specs: &[LayerSpec], activation, base| {
        Architecture::new(shape, specs, activation, base).expect("fits")
    };
    let sum = LayerSpec::GlobalSum;
    let mut all = vec![
        build(
            Shape::new(3, 9, 7),
            &[
                conv(5, 3, 1, 1),
                residual(5, 3, 2),
                residual(6, 3, 1),
                sum,
                dense(1),
            ],
            Activation::SILU,
            base,
        ),
        build(
            Shape::new(1, 6, 6),
            &[residual(3, 3, 1), conv(4, 4, 2, 1), residual(4, 1, 2)],
            Activation::TANH,
            None,
        ),
        build(
            Shape::new(2, 8, 6),
            &[residual(2, 5, 2), residual(5, 3, 2)],
            Activation::SOFTPLUS,
            base,
        ),
        build(
            Shape::new(4, 8, 9),
            &[
                pool(2),
                conv(5, 3, 1, 1),
                pool(1),
                pool(2),
                residual(2, 3, 1),
                conv(3, 1, 1, 0),
                sum,
            ],
            Activation::SILU,
            None,
        ),
    ];
    for index in [0, 2] {
        let plain = all[index].clone();
        all.push(plain.with_spectral_norm().expect("fits"));
    }
    all
}

/// Every kind of block, as few of each as there can be.
const FEW_LAYERS: &str = "network.layers=[{residual=4, pool=2}, {pool=2}, {residual=6, kernel=1}, \
                          {global_sum=true}, {dense=1}]";
/// Every kind of block, with several of some.
pub const LAYERS: &str = "network.layers=[{conv=4, kernel=3, padding=1}, {residual=4, pool=2}, {residual=6}, {pool=2}, \
                      {residual=6, kernel=1}, {global_sum=true}, {dense=1}]";

pub const DIGITS: Shape = Shape {
    channels: 1,
    height: 8,
    width: 8,
};

/// Every kind of block; several of some in the extended tests.
pub fn layers() -> &'static str {
    if extended() { LAYERS } else { FEW_LAYERS }
}

/// The digits with every kind of block, 8 data and 16 noise samples a step.
pub fn digits(more: &[&str]) -> Config {
    let sets = [
        layers(),
        "snapshot.interval=3",
        "objective.noise_ratio=2",
        "sampler.steps=2",
        "sampler.buffer=50",
        "run.batch=8",
    ];
    let sets: Vec<String> = sets.iter().chain(more).map(|set| set.to_string()).collect();
    config::load("digits-langevin", &sets).expect("is valid")
}
