//! Batches of energies, and heads launched on them.

use crate::common::device::Device;
use crate::common::{ROUNDING, filled, normals, poisoned, widen};
use afterimage::gpu::{Buffer, Recording};
use afterimage::low_level::kernels::{
    Bregman, GENERATORS, HeadArguments, METRIC_WORDS, Normaliser, RatioMetrics, RatioSettings,
    ratio_head,
};
use afterimage::low_level::twins::RatioInput;

/// Absolute error that WGSL grants ln between ½ and 2; elsewhere it is 3 units in the last place.
pub const LOG_ERROR: f64 = 1.0 / (1 << 21) as f64;

pub const EXPONENT: f32 = 0.7;
pub const ENERGY_L2: f32 = 0.01;

pub fn every(clamp: f32) -> impl Iterator<Item = Bregman> {
    let of = move |&generator: &_| Bregman {
        generator,
        exponent: EXPONENT,
        clamp,
    };
    GENERATORS.iter().map(of)
}

/// Energies of a batch, in the numbers that the GPU sees.
#[derive(Clone)]
pub struct Batch {
    pub data: usize,
    pub noise: usize,
    pub live: Vec<f32>,
    pub snapshot: Vec<f32>,
}

impl Batch {
    pub fn random(data: usize, noise: usize, spread: f32) -> Self {
        let count = data + noise;
        let live: Vec<f32> = normals(1, count).iter().map(|n| 3.0 * n + 5.0).collect();
        let snapshot = live.iter().zip(normals(2, count));
        let snapshot = snapshot.map(|(e, n)| e + spread * n).collect();
        Batch {
            data,
            noise,
            live,
            snapshot,
        }
    }

    /// The same with log-ratios in between that no weight survives unclamped.
    pub fn extreme(data: usize, noise: usize) -> Self {
        let mut batch = Self::random(data, noise, 1.0);
        for (i, v) in [50.0, -200.0, 200.0, -50.0].into_iter().enumerate() {
            for at in (i..data + noise).step_by(5) {
                batch.snapshot[at] = batch.live[at] + v;
            }
        }
        batch
    }

    pub fn nu(&self) -> f64 {
        self.noise as f64 / self.data as f64
    }

    /// What `compute` makes of this batch in f64.
    pub fn twin<T>(&self, c: f64, energy_l2: f64, compute: impl Fn(&RatioInput) -> T) -> T {
        compute(&RatioInput {
            live: &widen(&self.live),
            snapshot: &widen(&self.snapshot),
            data_count: self.data,
            noise_count: self.noise,
            c,
            energy_l2,
        })
    }

    /// How far E_φ − E_θ + c of sample i may be off on the GPU: three sums round.
    pub fn u_error(&self, i: usize, c: f64) -> f64 {
        let sizes = f64::from(self.live[i].abs()) + f64::from(self.snapshot[i].abs());
        2.0 * ROUNDING * (sizes + c.abs())
    }

    pub fn kind_share(&self, i: usize) -> f64 {
        1.0 / if i < self.data { self.data } else { self.noise } as f64
    }

    /// Relative error of a sum over all samples: 64 invocations add their shares, then a tree of 6; a division rounds by
    /// up to 2.5 units.
    pub fn summing(&self) -> f64 {
        ((self.data + self.noise).div_ceil(64) + 6 + 5) as f64 * ROUNDING
    }
}

/// Launches a head on buffers of `batch`; the normaliser holds `state`. Returns metrics, factors, and the state after it.
pub fn launched(
    device: &mut Device,
    batch: &Batch,
    state: &[f32],
    head: impl FnOnce(&mut Recording, Buffer, &HeadArguments),
) -> (RatioMetrics, Vec<f32>, Vec<f32>) {
    let mut r = Recording::new();
    let arguments = HeadArguments {
        live: filled(&mut r, "live", &batch.live),
        snapshot: filled(&mut r, "snapshot", &batch.snapshot),
        factor: poisoned(&mut r, "factor", batch.live.len()),
        metrics: poisoned(&mut r, "metrics", METRIC_WORDS),
    };
    let normaliser = filled(&mut r, "c", state);
    head(&mut r, normaliser, &arguments);
    device.run(&r);
    let words = device.read_words(arguments.metrics, METRIC_WORDS);
    let metrics = RatioMetrics::from_words(&words);
    let mut read = |buffer| device.read(buffer);
    (metrics, read(arguments.factor), read(normaliser))
}

pub fn run_ratio_head(
    device: &mut Device,
    bregman: Bregman,
    normaliser: Normaliser,
    energy_l2: f32,
    batch: &Batch,
    state: &[f32],
) -> (RatioMetrics, Vec<f32>, Vec<f32>) {
    let settings = RatioSettings {
        bregman,
        normaliser,
        energy_l2,
    };
    launched(device, batch, state, |r, c, arguments| {
        ratio_head(r, &settings, batch.data, batch.noise, c, arguments);
    })
}

pub const NORMALISERS: [Normaliser; 3] = [
    Normaliser::Learned { rate: 0.05 },
    Normaliser::Profiled,
    Normaliser::Importance { decay: 0.8 },
];
