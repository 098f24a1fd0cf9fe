use super::generators::Bregman;
use super::launch::launch;
use crate::gpu::{Buffer, Kernel, Program, Recording};

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
            _ => 1,
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

/// Words that the heads write into the metrics buffer, and one more for the gradient's norm.
pub const METRIC_WORDS: usize = 13;

/// What a head and the gradient's norm leave in the metrics buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RatioMetrics {
    /// The loss, without the L2 term.
    pub loss: f32,
    /// energy_l2 × (mean squared energy of the data + that of the noise).
    pub l2: f32,
    pub energy_data: f32,
    pub energy_noise: f32,
    /// Share of samples on their side of u = ln ν; ties count half. In ranking the share of pairs of a datum and one of
    /// its negatives that are in the right order; ½ in contrastive divergence, which does not tell them apart.
    pub accuracy: f32,
    /// Standard deviation of the log-ratio u.
    pub spread: f32,
    /// The log-normaliser difference c that was used.
    pub normaliser: f32,
    pub normaliser_gradient: f32,
    /// Samples whose energy is not finite.
    pub lost: f32,
    /// Samples whose log-ratio was clamped.
    pub clamped: f32,
    /// Effective sample size of the weights ω = exp(E_φ − E_θ) over the noise as a share of their number n:
    /// (Σω)² / (n Σω²), from 1/n to 1 (Kong, Liu & Wong 1994).
    pub ess: f32,
    /// Optimiser steps since the snapshot was taken, where the GPU decides when.
    pub age: f32,
    /// Global norm of the parameter gradient, before clipping.
    pub gradient_norm: f32,
}

impl RatioMetrics {
    /// Where the effective sample size is.
    pub const ESS_PLACE: usize = 10;
    /// Where the snapshot's age is.
    pub const AGE_PLACE: usize = 11;
    /// Where the gradient's norm is.
    pub const NORM_PLACE: usize = METRIC_WORDS - 1;

    /// Reads the metrics buffer.
    pub fn from_words(words: &[u32]) -> Self {
        let value = |index: usize| {
            words
                .get(index)
                .map_or(f32::NAN, |&word| f32::from_bits(word))
        };
        RatioMetrics {
            loss: value(0),
            l2: value(1),
            energy_data: value(2),
            energy_noise: value(3),
            accuracy: value(4),
            spread: value(5),
            normaliser: value(6),
            normaliser_gradient: value(7),
            lost: value(8),
            clamped: value(9),
            ess: value(Self::ESS_PLACE),
            age: value(Self::AGE_PLACE),
            gradient_norm: value(Self::NORM_PLACE),
        }
    }
}

/// The buffers of a head; energies are those of the data samples, then of the noise samples.
#[derive(Clone, Copy, Debug)]
pub struct HeadArguments {
    pub live: Buffer,
    pub snapshot: Buffer,
    /// The factor of every sample in the parameter gradient.
    pub factor: Buffer,
    /// [`METRIC_WORDS`] words.
    pub metrics: Buffer,
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
    let importance = matches!(settings.normaliser, Normaliser::Importance { .. });
    let program = Program::new(&KERNEL)
        .u32("DATA", data)
        .u32("NOISE", noise)
        .f32("EXPONENT", exponent)
        .flag("CLAMPED", generator.is_unbounded())
        .f32("CLAMP", clamp)
        .flag("PROFILED", settings.normaliser == Normaliser::Profiled)
        .flag("IMPORTANCE", importance)
        .text("GENERATOR", generator.source);
    let HeadArguments {
        live,
        snapshot,
        factor,
        metrics,
    } = *arguments;
    let resources = [live, snapshot, factor, metrics, normaliser].map(Into::into);
    let immediates = [settings.energy_l2, rate, decay].map(f32::to_bits);
    launch(
        recording,
        program,
        resources.to_vec(),
        immediates.to_vec(),
        [1, 1, 1],
        (data + noise) as u64 * 200,
    );
    recording.moves(12 * (data + noise));
}
