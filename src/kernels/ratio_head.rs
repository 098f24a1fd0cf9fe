use super::generators::Bregman;
use super::launch::{REDUCTION_TURNS, WIDTH};
use super::metrics::METRICS_STRUCT;
use crate::gpu::{Buffer, Kernel, Program, Recording, steps_a_turn};

/// How the log-normaliser difference c, an estimate of log Z_φ − log Z_θ, is handled. All are exactly 0 right after a
/// refresh by a copy; noise that is no copy has none, and c goes on from what it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Normaliser {
    /// Kept at 0, which is exact right after a refresh.
    Zero,
    /// A scalar that follows its own gradient at this rate, from 0 at every refresh.
    Learned { rate: f32 },
    /// The root of ∂L/∂c on this batch. Since L is stationary there, the parameter gradient is that of min over c of L.
    Profiled,
    /// −ln of the noise's mean of exp(E_φ − E_θ), which is averaged over the batches since the refresh with this decay
    /// (in \[0, 1)), without the bias of an average that starts at 0. A constant for the parameter gradient.
    Importance { decay: f32 },
}

impl Normaliser {
    /// Words of the normaliser's buffer: c, and behind it what the average needs.
    pub fn words(self) -> usize {
        match self {
            Normaliser::Importance { .. } => 2,
            Normaliser::Zero | Normaliser::Learned { .. } | Normaliser::Profiled => 1,
        }
    }
}

/// What [`ratio_head`] computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatioSettings {
    pub bregman: Bregman,
    pub normaliser: Normaliser,
    /// Weight of the mean squared energies of data and noise.
    pub energy_l2: f32,
}

/// The buffers of a head; energies are those of the data samples, then of the noise samples.
#[derive(Clone, Copy, Debug)]
pub struct HeadArguments {
    pub live: Buffer,
    pub snapshot: Buffer,
    /// The factor of every sample in the parameter gradient.
    pub factor: Buffer,
    /// [`METRIC_WORDS`](super::METRIC_WORDS) words.
    pub metrics: Buffer,
}

/// Turns of the metrics that all heads share, over so many samples (`shaders/shared/head.wgsl`).
pub(super) fn metrics_turns(samples: usize) -> usize {
    2 * samples.div_ceil(WIDTH) + 9 * REDUCTION_TURNS
}

/// Turns of `shaders/ratio_head.wgsl` when each of the at most 48 steps towards a profiled c takes `steps` samples a turn.
fn turns(normaliser: Normaliser, samples: usize, steps: usize) -> usize {
    let once = samples.div_ceil(WIDTH);
    let of_c = match normaliser {
        Normaliser::Zero | Normaliser::Learned { .. } => 0,
        Normaliser::Profiled => {
            let root_step = 1 + once.div_ceil(steps) + 2 * REDUCTION_TURNS;
            once + 2 * REDUCTION_TURNS + 48 * root_step
        }
        Normaliser::Importance { .. } => 2 * once + 3 * REDUCTION_TURNS,
    };
    of_c + once + 4 * REDUCTION_TURNS + metrics_turns(samples)
}

pub(crate) static KERNEL: Kernel = kernel!(
    "ratio_head",
    3,
    [Read, Read, ReadWrite, ReadWrite, ReadWrite]
);

/// From energies to per-sample factors, loss and metrics of a Bregman divergence; ν is `noise` / `data`. `normaliser`
/// holds c, and all of its [`Normaliser::words`] must be 0 after a refresh.
pub fn ratio_head(
    recording: &mut Recording,
    settings: &RatioSettings,
    data: usize,
    noise: usize,
    normaliser: Buffer,
    arguments: &HeadArguments,
) {
    let (rate, decay) = match settings.normaliser {
        Normaliser::Learned { rate } => (rate, 0.0),
        Normaliser::Importance { decay } => (0.0, decay),
        Normaliser::Zero | Normaliser::Profiled => (0.0, 0.0),
    };
    let Bregman {
        generator,
        exponent,
        clamp,
    } = settings.bregman;
    let turns = |steps| turns(settings.normaliser, data + noise, steps);
    let steps = steps_a_turn(turns);
    let importance = matches!(settings.normaliser, Normaliser::Importance { .. });
    Program::new(&KERNEL)
        .turns(turns(steps))
        .steps(steps)
        .u32("DATA", data)
        .u32("NOISE", noise)
        .f32("EXPONENT", exponent)
        .flag("CLAMPED", generator.is_unbounded())
        .f32("CLAMP", clamp)
        .flag("PROFILED", settings.normaliser == Normaliser::Profiled)
        .flag("IMPORTANCE", importance)
        .text("GENERATOR", generator.source)
        .text("METRICS", METRICS_STRUCT)
        .bind([arguments.live, arguments.snapshot])
        .bind([arguments.factor, arguments.metrics, normaliser])
        .immediates([settings.energy_l2, rate, decay].map(f32::to_bits))
        .moving(12 * (data + noise))
        .launch(recording, [1, 1, 1], (data + noise) as u64 * 200);
}
