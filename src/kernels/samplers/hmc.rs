//! Hamiltonian Monte Carlo (Duane, Kennedy, Pendleton & Roweth 1987; Neal 2011), and the Metropolis-adjusted Langevin
//! algorithm (Besag 1994; Roberts & Tweedie 1996), which is the same with one leapfrog step: a proposal
//! x − h·∇E + √(2hT)·ξ, accepted by what it does to E + |v|²/2.
//!
//! Energies are f32: E(y) − E(x) is right to about 2⁻²⁴ · |E|, which is 1 % of the temperature at |E| = 170 000 · T.

use super::{
    ChainBatch, ChainSteps, Dynamics, EnergyGradient, Integrator, LEAPFROG, Moment, STEP_WORD,
    SamplerKind, moment_immediates, per_chain,
};
use crate::gpu::{Access, Buffer, Kernel, Program, Recording};
use crate::kernels::launch::blocks;

/// Optimal for long targets of independent coordinates (Roberts & Rosenthal 1998).
pub(super) static MALA: SamplerKind = SamplerKind {
    name: "mala",
    keys: &["adapt", "target_acceptance"],
    target_acceptance: Some(0.574),
    carries: true,
    walks: false,
    evaluations: |_| 1,
    lay_out: |dynamics, batch| Box::new(Hamiltonian::new(dynamics, (&LEAPFROG, 1), 0.0, batch)),
};

/// What the step size and what adapts it are called among buffers.
pub(crate) const SAMPLER_CONTROL: &str = "sampler control";

/// A little above the optimum, 0.65 for long targets, since a rejected trajectory costs the most (Betancourt, Byrne &
/// Girolami 2014).
pub static HMC: SamplerKind = SamplerKind {
    name: "hmc",
    keys: &["adapt", "target_acceptance", "leapfrog", "integrator"],
    target_acceptance: Some(0.8),
    carries: true,
    walks: false,
    evaluations: |dynamics| dynamics.leapfrog,
    lay_out: |dynamics, batch| {
        Box::new(Hamiltonian::new(
            dynamics,
            (dynamics.integrator, dynamics.leapfrog),
            HMC_JITTER,
            batch,
        ))
    },
};

/// How far the logarithm of the step size moves per unit of acceptance that is missing. Around the target acceptance
/// answers such a move by about −0.6 (MALA) or −0.2 (HMC) of it, so that at first an error falls by a third or a tenth in a
/// step. What a mean over 64 chains (0.04) or the varying time step of HMC (0.15) leaves of noise falls with the gain: as
/// 1 / (1 + k / [`ADAPTATION_HALF`]) over k steps, down to [`ADAPTATION_LEAST`].
pub const ADAPTATION_GAIN: f32 = 0.5;
/// Adapting steps after which the gain is half of what it was at first.
pub const ADAPTATION_HALF: f32 = 50.0;
/// The least gain.
pub const ADAPTATION_LEAST: f32 = 0.05;

/// Share of itself by which the time step of HMC varies; see `shaders/shared/time_step.wgsl`.
pub const HMC_JITTER: f32 = 0.2;

/// Adapted step sizes stay between these.
pub(crate) const STEP_SIZES: [f32; 2] = [1e-12, 1e6];

static LEAP: Kernel = kernel!("samplers/leap", 6, [Read, ReadWrite, ReadWrite, Read]);

/// The same file with FIRST.
static LEAP_FIRST: Kernel = Kernel {
    bindings: &[
        Access::Read,
        Access::ReadWrite,
        Access::ReadWrite,
        Access::Read,
        Access::Read,
        Access::ReadWrite,
    ],
    ..LEAP
};

static METROPOLIS: Kernel = kernel!(
    "samplers/metropolis",
    6,
    [Read, Read, Read, Read, Read, ReadWrite, ReadWrite]
);

static ACCEPT: Kernel = kernel!(
    "samplers/accept",
    0,
    [Read, Read, Read, ReadWrite, ReadWrite]
);

static ADAPT: Kernel = kernel!("samplers/adapt", 0, [Read, ReadWrite]);

struct Hamiltonian {
    batch: ChainBatch,
    integrator: &'static Integrator,
    /// Gradients of a proposal.
    leaps: usize,
    jitter: f32,
    target_acceptance: Option<f32>,
    /// Step size, sum of acceptances, their number, number of adapting steps.
    control: Buffer,
    /// The velocity that was drawn, and the one along the way.
    drawn: Buffer,
    velocity: Buffer,
    proposal: Buffer,
    proposal_energies: Buffer,
    proposal_gradient: Buffer,
    /// Probability and outcome of every chain's last test.
    tests: Buffer,
}

impl Hamiltonian {
    fn new(
        dynamics: &Dynamics,
        (integrator, leaps): (&'static Integrator, usize),
        jitter: f32,
        batch: ChainBatch,
    ) -> Self {
        let values = batch.chains * batch.length;
        Hamiltonian {
            batch,
            integrator,
            leaps,
            jitter,
            target_acceptance: dynamics.target_acceptance,
            control: Buffer::new(SAMPLER_CONTROL, 4).lasting(),
            drawn: Buffer::new("drawn velocities", values),
            velocity: Buffer::new("velocities", values),
            proposal: Buffer::new("proposals", values),
            proposal_energies: Buffer::new("proposal energies", batch.chains),
            proposal_gradient: Buffer::new("proposal gradients", values),
            tests: Buffer::new("Metropolis tests", 2 * batch.chains),
        }
    }

    fn leap(&self, recording: &mut Recording, moment: &Moment, leap: usize) {
        let first = leap == 0;
        let [kick, step] = self.integrator.leap(leap);
        let batch = &self.batch;
        let count = batch.chains * batch.length;
        let kernel = if first { &LEAP_FIRST } else { &LEAP };
        let first_element = (moment.first_chain * batch.length) as u32;
        let bound = Program::new(kernel)
            .u32("COUNT", count)
            .u32("SAMPLE_LENGTH", batch.length)
            .u32("STREAM", batch.stream as usize)
            .f32("JITTER", self.jitter)
            .f32("KICK", kick as f32)
            .f32("MOVE", step as f32)
            .flag("FIRST", first)
            .bind([self.control, self.velocity, self.proposal]);
        let bound = match first {
            true => bound.bind([batch.gradient, batch.x, self.drawn]),
            false => bound.bind([self.proposal_gradient]),
        };
        bound
            .immediates(moment_immediates(batch, moment))
            .step_word(STEP_WORD)
            .moving(20 * count)
            .over(recording, blocks(first_element, count));
    }

    fn test(&self, recording: &mut Recording, moment: &Moment) {
        let batch = &self.batch;
        let count = batch.chains * batch.length;
        let (program, groups) = per_chain(&METROPOLIS, batch, batch.stream);
        program
            .f32("JITTER", self.jitter)
            .f32("KICK", self.integrator.last_kick() as f32)
            .bind([self.control, self.drawn, self.velocity])
            .bind([self.proposal_gradient, self.proposal_energies])
            .bind([batch.energies, self.tests])
            .immediates(moment_immediates(batch, moment))
            .step_word(STEP_WORD)
            .moving(12 * count)
            .launch(recording, groups, 16 * count as u64);
        Program::new(&ACCEPT)
            .u32("COUNT", count)
            .u32("SAMPLE_LENGTH", batch.length)
            .bind([self.tests, self.proposal, self.proposal_gradient])
            .bind([batch.x, batch.gradient])
            .moving(16 * count)
            .over(recording, count);
    }

    fn adapt(&self, recording: &mut Recording, moment: &Moment) {
        let target = self.target_acceptance.filter(|_| moment.adapt);
        Program::new(&ADAPT)
            .u32("CHAINS", self.batch.chains)
            .flag("ADAPT", target.is_some())
            .f32("TARGET", target.unwrap_or(0.0))
            .f32("GAIN", ADAPTATION_GAIN)
            .f32("HALF", ADAPTATION_HALF)
            .f32("LEAST", ADAPTATION_LEAST)
            .f32("SMALLEST", STEP_SIZES[0])
            .f32("LARGEST", STEP_SIZES[1])
            .bind([self.tests, self.control])
            .launch(recording, [1, 1, 1], 16 * self.batch.chains as u64);
    }
}

impl ChainSteps for Hamiltonian {
    fn control(&self) -> Option<Buffer> {
        Some(self.control)
    }

    fn step(
        &self,
        recording: &mut Recording,
        moment: &Moment,
        energy_gradient: EnergyGradient<'_>,
    ) {
        for leap in 0..self.leaps {
            self.leap(recording, moment, leap);
            let energies = (leap + 1 == self.leaps).then_some(self.proposal_energies);
            energy_gradient(recording, self.proposal, energies, self.proposal_gradient);
        }
        self.test(recording, moment);
        self.adapt(recording, moment);
    }
}
