use super::launch::launch;
use crate::gpu::{Access, Buffer, Kernel, Program, Recording};

/// The convex function f that picks the Bregman divergence (Xu 2022); the shader keeps its weights w(r) and
/// r·w(r) and its loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generator {
    /// f(t) = t ln t − (ν + t) ln(ν + t): noise-contrastive estimation.
    Logistic,
}

impl Generator {
    /// All generators by the names that configurations use.
    pub const TABLE: [(&str, Generator); 1] = [("logistic", Generator::Logistic)];
}

/// Words that [`ratio_head`] writes into the metrics buffer; the gradient's norm goes behind them.
pub const METRIC_WORDS: usize = 12;

/// What the ratio head and the gradient's norm leave in the metrics buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RatioMetrics {
    /// Logistic NCE loss, without the L2 term.
    pub loss: f32,
    /// energy_l2 × (mean squared energy of the data + that of the noise).
    pub l2: f32,
    pub energy_data: f32,
    pub energy_noise: f32,
    /// Share of samples on their side of u = ln ν; ties count half.
    pub accuracy: f32,
    /// Standard deviation of the log-ratio u.
    pub spread: f32,
    /// The log-normaliser difference c that was used.
    pub normaliser: f32,
    pub normaliser_gradient: f32,
    /// Samples whose energy is not finite.
    pub lost: f32,
    /// Effective sample size of the weights exp(E_φ − E_θ) of the noise samples, as a share of their number:
    /// (Σω)² / (n Σω²).
    pub ess: f32,
    /// Optimiser steps since the snapshot was taken, where the GPU decides when.
    pub age: f32,
    /// Global norm of the parameter gradient, before clipping.
    pub gradient_norm: f32,
}

impl RatioMetrics {
    /// Where the effective sample size is.
    pub const ESS_PLACE: usize = 9;

    /// Where the snapshot's age is.
    pub const AGE_PLACE: usize = 10;

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
            ess: value(Self::ESS_PLACE),
            age: value(Self::AGE_PLACE),
            gradient_norm: value(Self::NORM_PLACE),
        }
    }
}

/// The buffers of the ratio head; energies are those of the data samples, then of the noise samples.
#[derive(Clone, Copy, Debug)]
pub struct RatioArguments {
    pub live: Buffer,
    pub stale: Buffer,
    /// One word: c.
    pub normaliser: Buffer,
    /// The factor of every sample in the parameter gradient.
    pub factor: Buffer,
    /// [`METRIC_WORDS`] words.
    pub metrics: Buffer,
}

pub(crate) static KERNEL: Kernel = Kernel {
    name: "ratio_head",
    source: include_str!("../../shaders/ratio_head.wgsl"),
    bindings: &[
        Access::Read,
        Access::Read,
        Access::ReadWrite,
        Access::ReadWrite,
        Access::ReadWrite,
    ],
    immediates: 2,
};

/// From energies to per-sample factors, loss and metrics; moves c by `normaliser_rate` × its gradient.
pub fn ratio_head(
    recording: &mut Recording,
    generator: Generator,
    data: usize,
    noise: usize,
    energy_l2: f32,
    normaliser_rate: f32,
    arguments: &RatioArguments,
) {
    let code = match generator {
        Generator::Logistic => 0,
    };
    let program = Program::new(&KERNEL)
        .u32("DATA", data)
        .u32("NOISE", noise)
        .u32("GENERATOR", code);
    let resources = vec![
        arguments.live.into(),
        arguments.stale.into(),
        arguments.normaliser.into(),
        arguments.factor.into(),
        arguments.metrics.into(),
    ];
    let immediates = vec![energy_l2.to_bits(), normaliser_rate.to_bits()];
    launch(
        recording,
        program,
        resources,
        immediates,
        [1, 1, 1],
        (data + noise) as u64 * 200,
    );
    recording.moves(12 * (data + noise));
}
