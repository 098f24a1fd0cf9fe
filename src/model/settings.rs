//! From the words of a configuration to the types of the method.

use crate::config::{Config, LayerConfig};
use crate::kernels::{
    Activation, AdamSettings, Bounds, ChainStart, LangevinSettings, Precision, QuadraticBase,
};
use crate::method::{
    ChainMode, Generator, Normaliser, OptimiserSettings, SamplerSettings, Schedule,
};
use crate::network::{Architecture, InitialWeights, Initialisation, LayerSpec, NetworkError};
use crate::shape::Shape;

// `Config::validate` has refused every other word before these are called, so the last arm of each match is the
// documented default.

/// The network of `config` over samples of shape `input`.
///
/// # Errors
/// When the layers do not fit together.
pub fn architecture(config: &Config, input: Shape) -> Result<Architecture, NetworkError> {
    let network = &config.network;
    let specs: Vec<LayerSpec> = network
        .layers
        .iter()
        .map(|layer| match *layer {
            LayerConfig::Conv {
                conv,
                kernel,
                stride,
                padding,
            } => LayerSpec::Conv {
                channels: conv,
                kernel,
                stride,
                padding,
            },
            LayerConfig::Dense { dense } => LayerSpec::Dense { features: dense },
            LayerConfig::Residual {
                residual,
                kernel,
                pool,
            } => LayerSpec::Residual {
                channels: residual,
                kernel,
                pool,
            },
            LayerConfig::Pool { pool } => LayerSpec::Pool { size: pool },
            LayerConfig::GlobalSum { .. } => LayerSpec::GlobalSum,
        })
        .collect();
    let activation = match network.activation.as_str() {
        "identity" => Activation::Identity,
        "leaky_relu" => Activation::LeakyRelu(network.slope),
        "softplus" => Activation::Softplus,
        "tanh" => Activation::Tanh,
        _ => Activation::Silu,
    };
    let base = (network.base == "gaussian").then_some(QuadraticBase {
        mean: network.base_mean,
        std: network.base_std,
    });
    let architecture = Architecture::new(input, &specs, activation, base)?;
    if network.spectral_norm {
        architecture.with_spectral_norm()
    } else {
        Ok(architecture)
    }
}

/// How the parameters start.
pub fn initialisation(config: &Config) -> Initialisation {
    Initialisation {
        weights: match config.network.initialisation.as_str() {
            "he" => InitialWeights::He,
            "xavier" => InitialWeights::Xavier,
            "orthogonal" => InitialWeights::Orthogonal,
            _ => InitialWeights::Default,
        },
        zero_head: config.network.zero_head,
        first_weight_scale: config.network.first_weight_scale,
        first_bias_scale: config.network.first_bias_scale,
    }
}

/// The Langevin step.
pub fn langevin(config: &Config) -> LangevinSettings {
    let sampler = &config.sampler;
    let (low, high) = (config.data.low, config.data.high);
    LangevinSettings {
        step_size: sampler.step_size,
        noise: sampler.noise.unwrap_or((2.0 * sampler.step_size).sqrt()),
        clip: sampler.clip,
        bounds: match sampler.bounds.as_str() {
            "clamp" => Bounds::Clamp { low, high },
            "reflect" => Bounds::Reflect { low, high },
            _ => Bounds::None,
        },
    }
}

/// Where fresh chains start.
pub fn chain_start(config: &Config) -> ChainStart {
    match config.sampler.start.as_str() {
        "uniform" => ChainStart::Uniform {
            low: config.data.low,
            high: config.data.high,
        },
        _ => ChainStart::Gaussian {
            mean: 0.0,
            std: config.sampler.start_std,
        },
    }
}

/// How noise is drawn.
pub fn sampler(config: &Config) -> SamplerSettings {
    let sampler = &config.sampler;
    SamplerSettings {
        mode: match sampler.chains.as_str() {
            "short_run" => ChainMode::ShortRun,
            "data" => ChainMode::Data,
            _ => ChainMode::Persistent {
                slots: sampler.buffer,
                restart: sampler.restart,
            },
        },
        steps: sampler.steps,
        langevin: langevin(config),
        start: chain_start(config),
    }
}

/// The convex function of the objective.
pub fn generator(config: &Config) -> Generator {
    let named = |(name, _): &&(&str, Generator)| *name == config.objective.generator;
    Generator::TABLE
        .iter()
        .find(named)
        .map_or(Generator::Logistic, |(_, generator)| *generator)
}

/// The log-normaliser difference.
pub fn normaliser(config: &Config) -> Normaliser {
    match config.objective.normaliser.as_str() {
        "learned" => Normaliser::Learned {
            rate: config.objective.normaliser_rate,
        },
        _ => Normaliser::Zero,
    }
}

/// How training stores the maps between layers.
pub fn precision(config: &Config) -> Precision {
    match config.run.precision.as_str() {
        "mixed" => Precision::Mixed,
        _ => Precision::Full,
    }
}

/// Adam and its schedule.
pub fn optimiser(config: &Config) -> OptimiserSettings {
    let o = &config.optimiser;
    OptimiserSettings {
        adam: AdamSettings {
            rate: o.rate,
            beta1: o.beta1,
            beta2: o.beta2,
            epsilon: o.epsilon,
            weight_decay: o.weight_decay,
            gradient_clip: o.gradient_clip,
            average: o.average,
        },
        schedule: match o.schedule.as_str() {
            "constant" => Schedule::Constant,
            "exponential" => Schedule::Exponential,
            _ => Schedule::Cosine,
        },
        final_share: o.final_rate,
        warmup: o.warmup,
        steps: config.run.steps,
    }
}
