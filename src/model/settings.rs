//! From the words of a configuration to the types of the method, for what a model needs; what only training needs is in
//! [`crate::train`].

use crate::config::{BaseKind, Config, StartKind};
use crate::kernels::{Activation, ChainStart, QuadraticBase};
use crate::network::{Architecture, NetworkError};
use crate::shape::Shape;

/// The network of `config` over samples of shape `input`.
///
/// # Errors
/// When the layers do not fit together.
pub fn architecture(config: &Config, input: Shape) -> Result<Architecture, NetworkError> {
    let network = &config.network;
    let activation = Activation::new(network.activation, network.slope);
    let base = match network.base {
        BaseKind::None => None,
        BaseKind::Gaussian => Some(QuadraticBase {
            mean: network.base_mean,
            std: network.base_std,
        }),
    };
    let architecture = Architecture::new(input, &network.layers, activation, base)?;
    if network.spectral_norm {
        architecture.with_spectral_norm()
    } else {
        Ok(architecture)
    }
}

/// Where fresh chains start that do not start from data.
pub fn chain_start(config: &Config) -> ChainStart {
    match config.sampler.start {
        StartKind::Uniform => ChainStart::Uniform {
            low: config.data.low,
            high: config.data.high,
        },
        StartKind::Gaussian | StartKind::Data | StartKind::Mixture => ChainStart::Gaussian {
            mean: 0.0,
            std: config.sampler.start_std,
        },
    }
}
