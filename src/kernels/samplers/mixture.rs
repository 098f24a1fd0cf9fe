//! A mixture of Gaussians as the law of jumps: its draws, its densities, and the test.

use super::gaussian_mixture::{GaussianMixture, MixtureSize};
use super::{ChainBatch, Moment, moment_immediates};
use crate::gpu::{Buffer, Kernel, Program, Recording, grid};
use crate::purpose::CHAINS;
use crate::random::Stream;

static DRAW: Kernel = kernel!("samplers/mixture_draw", 6, [Read, Read, ReadWrite]);
static DENSITY: Kernel = kernel!("samplers/mixture_density", 0, [Read, Read, Read, ReadWrite]);
static JUMP: Kernel = kernel!(
    "samplers/mixture_jump",
    6,
    [Read, Read, Read, ReadWrite, ReadWrite, ReadWrite]
);

/// What the buffers of a mixture are called among those that a run's later steps depend on.
pub(crate) const MIXTURE_LAW: &str = "law of jumps";
pub(crate) const MIXTURE_DIRECTIONS: &str = "directions of jumps";

/// Where a mixture lies on the device.
#[derive(Clone, Copy, Debug)]
pub struct MixtureLaw {
    size: MixtureSize,
    law: Buffer,
    directions: Buffer,
}

impl MixtureLaw {
    /// Room for one of this size.
    pub fn new(size: MixtureSize) -> Self {
        let words = 1 + size.components * size.component_words();
        MixtureLaw {
            size,
            law: Buffer::new(MIXTURE_LAW, words).of(CHAINS).lasting(),
            directions: Buffer::new(MIXTURE_DIRECTIONS, size.direction_words())
                .of(CHAINS)
                .lasting(),
        }
    }

    /// How large it is.
    pub fn size(&self) -> MixtureSize {
        self.size
    }

    /// Writes it there, with the variance of every value raised by that of noise of this standard deviation; of none
    /// nothing but that.
    pub fn upload(&self, recording: &mut Recording, mixture: Option<&GaussianMixture>, noise: f32) {
        if let Some(mixture) = mixture {
            let (law, directions) = mixture.parts();
            recording.upload_f32(self.law, 1, law);
            recording.upload_f32(self.directions, 0, directions);
        }
        recording.upload_f32(self.law, 0, &[noise]);
    }

    /// The mixture whose buffers hold these words, if they hold any.
    pub(crate) fn read(
        size: MixtureSize,
        law: &[u32],
        directions: &[u32],
    ) -> Option<GaussianMixture> {
        let values = |words: &[u32]| words.iter().map(|&word| f32::from_bits(word)).collect();
        GaussianMixture::from_parts(size, values(law.get(1..)?), values(directions))
    }

    fn program(&self, kernel: &'static Kernel) -> Program {
        Program::new(kernel)
            .u32("COMPONENTS", self.size.components)
            .u32("SAMPLE_LENGTH", self.size.length)
            .u32("QUARTERS", self.size.rank() / 4)
    }

    /// Draws a proposal for every chain, with the random numbers of step `moment.step` of `stream`.
    pub fn draw(
        &self,
        recording: &mut Recording,
        batch: &ChainBatch,
        stream: Stream,
        moment: &Moment,
        proposal: Buffer,
    ) {
        let values = batch.chains * batch.length;
        let turns = self.size.components + batch.length.div_ceil(64) * self.size.rank() / 4;
        self.program(&DRAW)
            .turns(turns + 64)
            .u32("CHAINS", batch.chains)
            .u32("STREAM", stream as usize)
            .bind([self.law, self.directions, proposal])
            .immediates(moment_immediates(batch, moment))
            .moving(4 * values)
            .launch(
                recording,
                grid(batch.chains),
                (2 * values * self.size.rank()) as u64,
            );
    }

    /// The logarithms of the components' weighted densities at `states`, but for what all have in common, into `densities`:
    /// (component, chain).
    pub fn densities(
        &self,
        recording: &mut Recording,
        batch: &ChainBatch,
        states: Buffer,
        densities: Buffer,
    ) {
        let groups = self.size.components * batch.chains.div_ceil(64);
        let terms = self.size.components * batch.chains * batch.length * self.size.rank();
        self.program(&DENSITY)
            .turns(batch.length)
            .u32("CHAINS", batch.chains)
            .bind([self.law, self.directions, states, densities])
            .launch(recording, grid(groups), 2 * terms as u64);
    }
}

/// Where chains are offered to jump to, on a mixture: all of it on the device, and all of one batch of chains.
#[derive(Clone, Copy, Debug)]
pub struct MixtureJumps {
    pub law: MixtureLaw,
    /// As long as the states.
    pub proposal: Buffer,
    /// One word a chain.
    pub proposal_energies: Buffer,
    proposal_densities: Buffer,
    densities: Buffer,
}

impl MixtureJumps {
    /// For so many chains.
    pub fn new(
        size: MixtureSize,
        chains: usize,
        (proposal, proposal_energies): (Buffer, Buffer),
    ) -> Self {
        let densities = size.components * chains;
        MixtureJumps {
            law: MixtureLaw::new(size),
            proposal,
            proposal_energies,
            proposal_densities: Buffer::new("densities of jumps", densities),
            densities: Buffer::new("densities of chains", densities),
        }
    }

    /// Must be recorded before a row of offers.
    pub fn begin(&self, recording: &mut Recording, batch: &ChainBatch) {
        self.law
            .densities(recording, batch, batch.x, self.densities);
    }

    /// As [`jump_chains`](super::jump_chains), with draws from the mixture.
    pub fn offer(
        &self,
        recording: &mut Recording,
        batch: &ChainBatch,
        stream: Stream,
        moment: &Moment,
        energies_at: &dyn Fn(&mut Recording, Buffer, Buffer),
    ) {
        self.law
            .draw(recording, batch, stream, moment, self.proposal);
        energies_at(recording, self.proposal, self.proposal_energies);
        let MixtureSize { components, length } = self.law.size;
        self.law
            .densities(recording, batch, self.proposal, self.proposal_densities);
        Program::new(&JUMP)
            .turns(2 * components + batch.length + 64)
            .u32("CHAINS", batch.chains)
            .u32("SAMPLE_LENGTH", length)
            .u32("COMPONENTS", components)
            .u32("STREAM", stream as usize)
            .bind([
                self.proposal,
                self.proposal_energies,
                self.proposal_densities,
                batch.x,
                batch.energies,
                self.densities,
            ])
            .immediates(moment_immediates(batch, moment))
            .moving(12 * batch.chains * length)
            .launch(
                recording,
                grid(batch.chains.div_ceil(64)),
                (64 * batch.chains * components) as u64,
            );
    }
}
