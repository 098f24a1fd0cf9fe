//! Plain (unadjusted, overdamped) Langevin steps, biased by their size. The energies of the states are never needed, and a
//! step needs nothing of the one before but the states, so that whole chains can be walked in one launch.

use super::{ChainBatch, ChainSteps, EnergyGradient, Moment, STEP_WORD, SamplerKind};
use crate::gpu::{Kernel, Program, Recording};
use crate::kernels::launch::blocks;

/// x ← x − h·∇E + noise·ξ, which needs nothing but the gradient.
pub static LANGEVIN: SamplerKind = SamplerKind {
    name: "langevin",
    keys: &["noise", "clip", "bounds"],
    target_acceptance: None,
    carries: false,
    walks: true,
    evaluations: |_| 1,
    lay_out: |dynamics, batch| {
        Box::new(Langevin {
            settings: dynamics.langevin,
            batch,
        })
    },
};

/// What keeps the chains inside the box of the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds {
    None,
    Clamp { low: f32, high: f32 },
    Reflect { low: f32, high: f32 },
}

/// One Langevin step: x ← bounds(x − step_size · clip(∇E) + noise · ξ).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LangevinSettings {
    /// Factor on the energy gradient.
    pub step_size: f32,
    /// Standard deviation of the noise; √(2·step_size) samples at temperature 1.
    pub noise: f32,
    /// Clamp every component of the gradient to ±clip; 0 for none.
    pub clip: f32,
    pub bounds: Bounds,
}

impl LangevinSettings {
    /// The same step with the noise that samples at `temperature`.
    pub(crate) fn at_temperature(self, temperature: f32) -> Self {
        LangevinSettings {
            noise: (2.0 * self.step_size * temperature).sqrt(),
            ..self
        }
    }

    /// Adds the constants of `shaders/shared/langevin_step.wgsl`.
    pub(in crate::kernels) fn describe(&self, program: Program) -> Program {
        let bounds = match self.bounds {
            Bounds::None => 0,
            Bounds::Clamp { .. } => 1,
            Bounds::Reflect { .. } => 2,
        };
        program.u32("BOUNDS", bounds).flag("CLIP", self.clip > 0.0)
    }
}

/// The `Step` of `shaders/shared/langevin_step.wgsl`.
pub(in crate::kernels) fn step_immediates(
    settings: &LangevinSettings,
    seed: u64,
    step: u32,
    first_element: u32,
) -> Vec<u32> {
    let (low, high) = match settings.bounds {
        Bounds::None => (0.0, 0.0),
        Bounds::Clamp { low, high } | Bounds::Reflect { low, high } => (low, high),
    };
    let floats = [settings.step_size, settings.noise, settings.clip, low, high];
    let mut words = vec![seed as u32, (seed >> 32) as u32, step, first_element];
    words.extend(floats.map(f32::to_bits));
    // The struct is as long as a multiple of its alignment, that of the seed's vec2.
    words.push(0);
    words
}

pub(crate) static KERNEL: Kernel = kernel!("langevin", 10, [ReadWrite, Read]);

/// Moves the chains of `batch` by one step with the gradient that it has; value i takes the normal number
/// `first_chain` · length + i of (seed, stream, `step`).
pub fn langevin(
    recording: &mut Recording,
    settings: &LangevinSettings,
    batch: &ChainBatch,
    step: u32,
    first_chain: usize,
) {
    let count = batch.chains * batch.length;
    let first_element = (first_chain * batch.length) as u32;
    let program = Program::new(&KERNEL)
        .u32("COUNT", count)
        .u32("STREAM", batch.stream as usize);
    settings
        .describe(program)
        .bind([batch.x, batch.gradient])
        .immediates(step_immediates(settings, batch.seed, step, first_element))
        .step_word(STEP_WORD)
        .moving(12 * count)
        .over(recording, blocks(first_element, count));
}

struct Langevin {
    settings: LangevinSettings,
    batch: ChainBatch,
}

impl ChainSteps for Langevin {
    fn step(
        &self,
        recording: &mut Recording,
        moment: &Moment,
        energy_gradient: EnergyGradient<'_>,
    ) {
        let batch = &self.batch;
        let energies = moment.energies.then_some(batch.energies);
        energy_gradient(recording, batch.x, energies, batch.gradient);
        let settings = match moment.annealed {
            true => self.settings.at_temperature(moment.temperature),
            false => self.settings,
        };
        langevin(recording, &settings, batch, moment.step, moment.first_chain);
    }
}
