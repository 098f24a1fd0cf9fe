//! Energies to sample from, and chains on them.

use crate::common::{filled, twin, variants, widen};
use afterimage::config::{LayerSpec, SamplerKind, Word};
use afterimage::gpu::{Executor, Recording};
use afterimage::low_level::kernels::{
    Activation, Bounds, ChainStart, Dynamics, LangevinSettings, QuadraticBase, Variant,
};
use afterimage::low_level::method::{ChainPass, ChainPreparation, Chains, StepControl};
use afterimage::low_level::network::{Initialisation, initial_parameters};
use afterimage::low_level::random::Stream;
use afterimage::low_level::twins::TwinNetwork;
use afterimage::model::Architecture;
use afterimage::shape::Shape;

pub const SEED: u64 = 0x1234_5678_9abc;
pub const STREAM: Stream = Stream::Langevin;

pub fn kind(name: &str) -> &'static SamplerKind {
    <&SamplerKind>::named(name).expect("is in the table")
}

pub fn dynamics(name: &str, step_size: f32) -> Dynamics {
    let langevin = LangevinSettings {
        step_size,
        noise: (2.0 * step_size).sqrt(),
        clip: 0.0,
        bounds: Bounds::None,
    };
    Dynamics {
        kind: kind(name),
        leapfrog: 4,
        ..langevin.into()
    }
}

/// An energy and its parameters.
pub struct Target {
    pub architecture: Architecture,
    pub parameters: Vec<f32>,
}

impl Target {
    pub fn new(
        length: usize,
        specs: &[LayerSpec],
        activation: Activation,
        base: QuadraticBase,
        parameters: &[f32],
    ) -> Self {
        let shape = Shape::new(length, 1, 1);
        let architecture = Architecture::new(shape, specs, activation, Some(base)).expect("fits");
        assert_eq!(parameters.len(), architecture.parameter_count());
        Target {
            architecture,
            parameters: parameters.to_vec(),
        }
    }

    /// A curved energy of `length` values with random weights.
    pub fn random(length: usize) -> Self {
        let specs = [
            LayerSpec::Dense { features: 6 },
            LayerSpec::Dense { features: 2 },
        ];
        let base = QuadraticBase {
            mean: 0.2,
            std: 0.9,
        };
        let shape = Shape::new(length, 1, 1);
        let architecture =
            Architecture::new(shape, &specs, Activation::SILU, Some(base)).expect("fits");
        let how = Initialisation {
            weights: afterimage::config::InitialWeights::Default,
            zero_head: false,
            first_weight_scale: 1.0,
            first_bias_scale: 1.0,
        };
        let parameters = initial_parameters(&architecture, &how, 3);
        Target {
            architecture,
            parameters,
        }
    }

    /// A Gaussian of `length` values, alike in every one.
    pub fn gaussian(length: usize, mean: f32, std: f32) -> Self {
        let specs = [LayerSpec::Dense { features: 1 }];
        let base = QuadraticBase { mean, std };
        Target::new(
            length,
            &specs,
            Activation::IDENTITY,
            base,
            &vec![0.0; length + 1],
        )
    }

    /// |x|²/2 − 1.5 softplus(1.2 x) − 1.1 softplus(−1.2 x) in the first value: two modes of unequal weight.
    pub fn bimodal() -> Self {
        let specs = [
            LayerSpec::Dense { features: 2 },
            LayerSpec::Dense { features: 1 },
        ];
        let base = QuadraticBase {
            mean: 0.0,
            std: 1.0,
        };
        let parameters = [1.2, 0.0, -1.2, 0.0, 0.0, 0.0, -1.5, -1.1, 0.0];
        Target::new(2, &specs, Activation::SOFTPLUS, base, &parameters)
    }

    /// About 3 |y − |x| + 1| + |(x, y)|²/(2·1.5²), all corners smooth: a bent valley. softplus(y + 10) is y + 10 to 1e-3.
    pub fn banana() -> Self {
        let specs = [3, 2, 1].map(|features| LayerSpec::Dense { features });
        let base = QuadraticBase {
            mean: 0.0,
            std: 1.5,
        };
        let first = [2.0, 0.0, -2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 10.0];
        let second = [-1.5, -1.5, 3.0, 1.5, 1.5, -3.0, -27.0, 27.0];
        let parameters = [&first[..], &second, &[1.0, 1.0, 0.0]].concat();
        Target::new(2, &specs, Activation::SOFTPLUS, base, &parameters)
    }

    pub fn twin(&self) -> TwinNetwork {
        twin(&self.architecture, &widen(&self.parameters))
    }

    /// Chains on it, ready to begin at `start`, with what they are prepared for.
    pub fn chains(
        &self,
        executor: &mut Executor,
        variant: Variant,
        count: usize,
        dynamics: Dynamics,
        start: Option<&[f32]>,
    ) -> (Chains, ChainPreparation) {
        let gaussian = ChainStart::Gaussian {
            mean: 0.0,
            std: 1.5,
        };
        let chains = Chains::new(
            &self.architecture,
            count,
            variant,
            dynamics,
            gaussian,
            (SEED, STREAM),
        )
        .expect("fits");
        let mut r = Recording::new();
        let parameters = filled(&mut r, "parameters", &self.parameters);
        chains.setup(&mut r);
        let prepared = chains.prepare(&mut r, parameters);
        match start {
            Some(start) => r.upload_f32(chains.states(), 0, start),
            None => chains.restart(&mut r, 0, 0, count),
        }
        executor.run(&r).expect("runs");
        let preparation = prepared.preparation();
        (chains, preparation)
    }
}

pub fn pass(first_step: u32, steps: usize, first_chain: usize) -> ChainPass {
    ChainPass {
        first_step,
        steps,
        adapting: steps / 2,
        first_chain,
        anneal: None,
    }
}

pub fn control(executor: &mut Executor, chains: &Chains) -> StepControl {
    let buffer = chains.control().expect("has a test");
    let words = executor
        .read_words(buffer, 0, buffer.words())
        .expect("reads");
    StepControl::from_words(&words).expect("as many words")
}

pub fn field(model: &TwinNetwork, x: &[f64], count: usize) -> (Vec<f64>, Vec<f64>) {
    (model.energies(x, count), model.energy_gradient(x, count))
}

/// The last states of 4096 chains after `steps` steps.
pub fn sample(
    executor: &mut Executor,
    target: &Target,
    dynamics: Dynamics,
    steps: usize,
) -> Vec<f64> {
    let variant = variants(executor)[1].1;
    let (chains, preparation) = target.chains(executor, variant, 4096, dynamics, None);
    let mut r = Recording::new();
    chains
        .resume(preparation)
        .run(&mut r, &pass(0, steps, 0), 0..steps);
    executor.run(&r).expect("runs");
    widen(&executor.read(chains.states()).expect("reads"))
}
