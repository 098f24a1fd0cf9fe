//! From the words of a configuration to the types of the method, for what only training needs; what a model needs, too, is
//! in [`crate::model`].

use crate::config::{ChainKind, Config, Interval, NormaliserKind, SnapshotKind, StartKind};
use crate::kernels::AdamSettings;
use crate::method::{
    Agreement, ChainMode, Diagnose, Diagnostics, NOT_COMPARED, Normaliser, ObjectiveSettings,
    OptimiserSettings, PoolSettings, Refresh, SamplerSettings,
};
use crate::model::chain_start;
use crate::network::Initialisation;

/// How the parameters start.
pub fn initialisation(config: &Config) -> Initialisation {
    Initialisation {
        weights: config.network.initialisation,
        zero_head: config.network.zero_head,
        first_weight_scale: config.network.first_weight_scale,
        first_bias_scale: config.network.first_bias_scale,
    }
}

/// How noise is drawn.
pub(super) fn sampler(config: &Config) -> SamplerSettings {
    let sampler = &config.sampler;
    SamplerSettings {
        mode: match sampler.chains {
            ChainKind::ShortRun => ChainMode::ShortRun,
            ChainKind::Data => ChainMode::Data,
            ChainKind::Persistent => ChainMode::Persistent {
                slots: sampler.buffer,
                restart: sampler.restart,
            },
        },
        steps: sampler.steps,
        dynamics: config.dynamics(),
        start: chain_start(config),
        data_share: match sampler.start {
            StartKind::Gaussian | StartKind::Uniform => 0.0,
            StartKind::Data => 1.0,
            StartKind::Mixture => sampler.data_share,
        },
        anneal: sampler.anneal,
        diagnose: (sampler.diagnose > 0).then_some(Diagnose {
            // Not every optimiser step has a pass of its own.
            every: sampler.diagnose.div_ceil(config.pool()),
            of: config.run.steps.div_ceil(config.pool()),
        }),
    }
}

/// Where updates draw their noise from a pool, by whose effective sample size or length of use the GPU decides on new noise.
pub(super) fn pool(config: &Config) -> Option<PoolSettings> {
    let sampler = &config.sampler;
    config.is_pooled().then_some(PoolSettings {
        ess_threshold: match sampler.reuse {
            Interval::Every(_) => 0.0,
            Interval::Adaptive => sampler.reuse_threshold,
        },
        most: config.longest_use(),
        passes: sampler.pool,
    })
}

/// How the snapshot's parameters follow the live ones, where one copy of them is the noise distribution.
pub(super) fn refresh(config: &Config) -> Refresh {
    let snapshot = &config.snapshot;
    match snapshot.kind {
        SnapshotKind::Ema => Refresh::Average {
            decay: snapshot.decay,
        },
        // Mixtures and fixed noise have no copy to refresh.
        SnapshotKind::Copy
        | SnapshotKind::Mixture
        | SnapshotKind::Gaussian
        | SnapshotKind::Uniform => match snapshot.interval {
            Interval::Every(interval) => Refresh::Every(interval),
            Interval::Adaptive => Refresh::Adaptive {
                ess_threshold: snapshot.ess_threshold,
                most: snapshot.max_interval,
                pool: config.pool(),
            },
        },
    }
}

/// What a model trained by `config` is fitted to, in words.
pub(crate) fn target(config: &Config) -> String {
    fits_so_far(config, None)
}

/// The same with what the last look at the chains, if there was one, says of it.
pub(crate) fn fits_so_far(config: &Config, last: Option<&Diagnostics>) -> String {
    verdict(config, last, None)
}

/// The same after the fact, with what the last diagnosed pass and chains of different starts say of it; see
/// [`SamplerSettings::verdict`].
pub(super) fn verdict(
    config: &Config,
    last: Option<&Diagnostics>,
    agreement: Option<&Agreement>,
) -> String {
    if config.snapshot.kind.needs_chains() {
        return sampler(config).verdict(last, agreement);
    }
    let verdict = "a density, against fixed noise whose density is known (plain noise-contrastive estimation)";
    match agreement {
        // No chain has taught this model anything, so that none can take from what it is.
        Some(Agreement::Apart(how)) => {
            format!("{verdict}; samples are not yet of that density: {how}")
        }
        Some(Agreement::NotApart(how)) => format!("{verdict}; {how}"),
        Some(Agreement::NotCompared(why)) => format!("{verdict}; {NOT_COMPARED}: {why}"),
        None => verdict.into(),
    }
}

/// What data and noise are told apart by.
pub(super) fn objective(config: &Config) -> ObjectiveSettings {
    let objective = &config.objective;
    ObjectiveSettings {
        criterion: objective.generator,
        exponent: objective.power,
        clamp: objective.clamp,
        normaliser: match objective.normaliser {
            NormaliserKind::Zero => Normaliser::Zero,
            NormaliserKind::Learned => Normaliser::Learned {
                rate: objective.normaliser_rate,
            },
            NormaliserKind::Profiled => Normaliser::Profiled,
            NormaliserKind::Importance => Normaliser::Importance {
                decay: objective.normaliser_decay,
            },
        },
        energy_l2: objective.energy_l2,
    }
}

/// Adam and its schedule.
pub(super) fn optimiser(config: &Config) -> OptimiserSettings {
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
            normalise_gradient: config.objective.normalise_gradient,
        },
        schedule: o.schedule,
        final_share: o.final_rate,
        warmup: o.warmup,
        steps: config.run.steps,
    }
}
