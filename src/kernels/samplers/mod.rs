//! The kinds of samplers. Each has a file here and its shaders, and a line in [`SAMPLERS`], from which configuration,
//! messages and tests read.

mod gaussian_mixture;
mod hmc;
mod integrator;
mod jump;
mod langevin;
mod mixture;
mod trace;
mod underdamped;

pub use gaussian_mixture::{GaussianMixture, MOST_MIXTURE_VALUES, MixtureComponent, MixtureSize};
pub(crate) use hmc::SAMPLER_CONTROL;
pub use hmc::{ADAPTATION_GAIN, ADAPTATION_HALF, ADAPTATION_LEAST, HMC, HMC_JITTER};
pub use integrator::{INTEGRATORS, Integrator, LEAPFROG};
pub use jump::jump_chains;
pub(super) use langevin::step_immediates;
pub use langevin::{Bounds, LANGEVIN, LangevinSettings, langevin};
pub(crate) use mixture::{MIXTURE_DIRECTIONS, MIXTURE_LAW};
pub use mixture::{MixtureJumps, MixtureLaw};
pub use trace::{TRACE_VALUES, trace_chains};

use crate::gpu::{Buffer, Kernel, Program, Recording, grid};
use crate::random::Stream;
use crate::words::table;

/// Every kind of sampler, the default first.
pub static SAMPLERS: [&SamplerKind; 4] = [
    &langevin::LANGEVIN,
    &hmc::MALA,
    &hmc::HMC,
    &underdamped::UNDERDAMPED,
];

/// Lays out the steps of a kind of sampler over a batch of chains.
pub(crate) type LayOut = fn(&Dynamics, ChainBatch) -> Box<dyn ChainSteps>;

/// A kind of sampler: a line of [`SAMPLERS`].
pub struct SamplerKind {
    /// What configurations call it.
    pub name: &'static str,
    /// Of the keys of `[sampler]` that not every kind reads, those that this one does.
    pub keys: &'static [&'static str],
    /// The acceptance that its step size is adapted to where the configuration names none. None for kinds without a
    /// Metropolis test.
    pub target_acceptance: Option<f32>,
    /// Whether its steps carry the energies and gradient of the states from one to the next, which must then be computed
    /// before the first.
    pub carries: bool,
    /// Whether whole chains of it can be walked in one launch, by [`walk_chains`](super::walk_chains).
    pub walks: bool,
    /// Energy-gradient evaluations of a step of one chain.
    pub evaluations: fn(&Dynamics) -> usize,
    /// Lays out its steps over a batch of chains.
    pub lay_out: LayOut,
}

impl SamplerKind {
    /// Whether it tests its proposals, so that its steps leave the law of the energy as it is.
    pub fn is_exact(&self) -> bool {
        self.target_acceptance.is_some()
    }
}

table!(SamplerKind, &'static SamplerKind, &SAMPLERS);

/// How chains move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dynamics {
    pub kind: &'static SamplerKind,
    /// The step size h, the factor on the energy gradient in one step, for every kind: one that moves in time has the
    /// time step ε = √(2h), for h = ε²/2. Noise, clip and bounds are for plain Langevin steps only.
    pub langevin: LangevinSettings,
    /// T: chains sample exp(−E / T).
    pub temperature: f32,
    /// Energy gradients of a Hamiltonian proposal, a multiple of the integrator's stages.
    pub leapfrog: usize,
    /// What integrates it.
    pub integrator: &'static Integrator,
    /// γ of kinetic Langevin dynamics.
    pub friction: f32,
    /// The acceptance that the step size is adapted to; none to leave it.
    pub target_acceptance: Option<f32>,
    /// Chances to jump anywhere, none or more, when a pass begins and every so many steps.
    pub jumps: Jumps,
}

/// How often every chain is offered an independent draw, and of which law: see [`jump_chains`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jumps {
    /// Offers in a row.
    pub count: usize,
    /// Steps from one row to the next; at least 1.
    pub every: usize,
    pub law: JumpLaw,
}

/// Where jumps go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JumpLaw {
    /// To where fresh chains start.
    Start,
    /// To a mixture of so many Gaussians: see [`MixtureLaw`].
    Mixture { components: usize },
}

impl Jumps {
    /// No offers.
    pub(crate) const NONE: Jumps = Jumps {
        count: 0,
        every: 1,
        law: JumpLaw::Start,
    };

    /// Of how many components the mixture is that chains jump to; none where they jump to none.
    pub fn components(self) -> Option<usize> {
        match self.law {
            JumpLaw::Mixture { components } if self.count > 0 => Some(components),
            JumpLaw::Start | JumpLaw::Mixture { .. } => None,
        }
    }
}

impl Dynamics {
    /// Energy-gradient evaluations of a pass of `steps` steps of one chain. The energies that jumps need count as much as
    /// gradients, though they cost half.
    pub fn evaluations(&self, steps: usize) -> usize {
        let carries = usize::from(self.kind.carries);
        let (rows, row) = match self.jumps.count {
            0 => (1, 0),
            count => (steps.div_ceil(self.jumps.every.max(1)), 1 + count),
        };
        rows * (carries + row) + steps * (self.kind.evaluations)(self)
    }
}

impl From<LangevinSettings> for Dynamics {
    fn from(langevin: LangevinSettings) -> Self {
        Dynamics {
            kind: &LANGEVIN,
            langevin,
            temperature: 1.0,
            leapfrog: 1,
            integrator: &LEAPFROG,
            friction: 1.0,
            target_acceptance: None,
            jumps: Jumps::NONE,
        }
    }
}

/// The chains that steps are laid out for. Energies and gradient are those of the states: whoever changes the states or
/// the energy computes them anew before [`ChainSteps::begin`].
#[derive(Clone, Copy, Debug)]
pub struct ChainBatch {
    pub chains: usize,
    /// Values of a chain.
    pub length: usize,
    pub stream: Stream,
    pub seed: u64,
    /// (chain, value)
    pub x: Buffer,
    /// One a chain.
    pub energies: Buffer,
    /// Like `x`.
    pub gradient: Buffer,
}

/// What one step is recorded for.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Number of the step among the random numbers.
    pub step: u32,
    /// Chain i of the batch takes the random numbers of chain `first_chain` + i.
    pub first_chain: usize,
    pub temperature: f32,
    /// Whether that is the step's own, and not the one that the settings were made for.
    pub annealed: bool,
    /// Whether the step moves the step size.
    pub adapt: bool,
    /// Whether somebody reads the energies after the step.
    pub energies: bool,
}

/// Records the gradient of the energy at some states, and its values there where they are wanted:
/// (recording, states, energies, gradient).
pub(crate) type EnergyGradient<'a> = &'a dyn Fn(&mut Recording, Buffer, Option<Buffer>, Buffer);

/// The steps of a kind of sampler over a batch of chains.
pub trait ChainSteps {
    /// The step size, the sum of the acceptances counted since they were last set to zero, their number, and the number of
    /// steps that have adapted the step size, one word each, where there is a Metropolis test.
    fn control(&self) -> Option<Buffer> {
        None
    }

    /// Recorded when a pass begins.
    fn begin(&self, _recording: &mut Recording, _moment: &Moment) {}

    /// Recorded for every step. Only launches, so that it can be replayed.
    fn step(&self, recording: &mut Recording, moment: &Moment, energy_gradient: EnergyGradient<'_>);
}

/// Where the number of the step is in [`moment_immediates`] and in [`step_immediates`].
const STEP_WORD: usize = 2;

/// The `Moment` of `shaders/shared/moment.wgsl`.
fn moment_immediates(batch: &ChainBatch, moment: &Moment) -> Vec<u32> {
    vec![
        batch.seed as u32,
        (batch.seed >> 32) as u32,
        moment.step,
        moment.first_chain as u32,
        moment.temperature.to_bits(),
        // The struct is as long as a multiple of its alignment, that of the seed's vec2.
        0,
    ]
}

/// Up to so many values a chain are summed by one invocation, more by a workgroup.
const ALONE: usize = 128;

/// A program of a kernel that sums over each chain, with the random numbers of `stream`, and its workgroups.
fn per_chain(kernel: &'static Kernel, batch: &ChainBatch, stream: Stream) -> (Program, [u32; 3]) {
    let alone = batch.length <= ALONE;
    // Two loops over a chain's values, and what does not grow.
    let turns = 2 * batch.length.div_ceil(if alone { 1 } else { 64 }) + 64;
    let program = Program::new(kernel)
        .turns(turns)
        .flag("ALONE", alone)
        .u32("CHAINS", batch.chains)
        .u32("SAMPLE_LENGTH", batch.length)
        .u32("STREAM", stream as usize);
    let groups = match alone {
        true => batch.chains.div_ceil(64),
        false => batch.chains,
    };
    (program, grid(groups))
}
