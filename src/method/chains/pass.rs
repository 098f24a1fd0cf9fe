//! Passes: so many steps in a row, with the jumps between them.

use super::{Offers, PreparedChains};
use crate::gpu::{Buffer, Executor, GpuError, Recording, at_once};
use crate::kernels::{Dynamics, Moment, jump_chains, zero_words};
use crate::random::Stream;
use std::ops::Range;

/// What [`Chains::control`](super::Chains::control) holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepControl {
    pub step_size: f32,
    /// Mean acceptance probability; none where no step was counted.
    pub acceptance: Option<f32>,
}

impl StepControl {
    /// Reads what chains of this control have come to, if they have one. Waits for the GPU.
    ///
    /// # Errors
    /// What the GPU reported.
    pub fn read(
        executor: &mut Executor,
        control: Option<Buffer>,
    ) -> Result<Option<Self>, GpuError> {
        at_once(Self::read_async(executor, control))
    }

    /// [`Self::read`] for a page, which goes on meanwhile.
    ///
    /// # Errors
    /// What the GPU reported.
    pub async fn read_async(
        executor: &mut Executor,
        control: Option<Buffer>,
    ) -> Result<Option<Self>, GpuError> {
        let Some(control) = control else {
            return Ok(None);
        };
        let words = executor
            .read_words_async(control, 0, control.words())
            .await?;
        Ok(Self::from_words(&words))
    }

    /// Reads the words of the buffer; none where they are not as many.
    pub fn from_words(words: &[u32]) -> Option<Self> {
        let &[step_size, sum, count, _] = words else {
            return None;
        };
        let [step_size, sum, count] = [step_size, sum, count].map(f32::from_bits);
        Some(StepControl {
            step_size,
            acceptance: (count > 0.0).then(|| sum / count),
        })
    }
}

/// A number of steps in a row from where the chains are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChainPass {
    /// Number of its first step among the random numbers.
    pub first_step: u32,
    pub steps: usize,
    /// So many steps at its beginning adapt the step size, where the dynamics have an acceptance to adapt to: half of
    /// them, say, so that the last ones are those of an exact kernel.
    pub adapting: usize,
    /// Chain i of the batch takes the random numbers of chain `first_chain` + i.
    pub first_chain: usize,
    /// Temperature of the first step, from which it falls geometrically to that of the last; none: it is the same
    /// throughout.
    pub anneal: Option<f32>,
}

impl ChainPass {
    /// Of step `position`, where the last one has the temperature `last`.
    pub(super) fn temperature(&self, position: usize, last: f32) -> f32 {
        let first = self.anneal.unwrap_or(last);
        let share = position as f32 / (self.steps.saturating_sub(1)).max(1) as f32;
        if position + 1 >= self.steps {
            return last;
        }
        first * (last / first).powf(share)
    }

    /// What step `position` is recorded for where it neither adapts nor shows energies.
    pub(super) fn moment(&self, position: usize, dynamics: &Dynamics) -> Moment {
        Moment {
            step: self.first_step.wrapping_add(position as u32),
            first_chain: self.first_chain,
            temperature: self.temperature(position, dynamics.temperature),
            annealed: self.anneal.is_some(),
            adapt: false,
            energies: false,
        }
    }
}

impl PreparedChains<'_> {
    /// Begins a pass, or goes on with step `position` of it, at the states as they are: kinds that carry energies and
    /// gradients do so from here on.
    fn begin(&self, recording: &mut Recording, pass: &ChainPass, position: usize) {
        let chains = self.chains;
        let batch = &chains.batch;
        if let Some(network) = self.network().filter(|_| chains.dynamics.kind.carries) {
            network.energy_gradient(recording, batch.x, Some(batch.energies), batch.gradient);
        }
        if let (Some(control), 0, 0) = (chains.control(), pass.first_chain, position) {
            zero_words(recording, control, 1, 2);
        }
        let moment = pass.moment(position, &chains.dynamics);
        chains.steps.begin(recording, &moment);
    }

    /// The steps `part` of a pass of `pass.steps` steps, which begins with step 0. The temperature falls from
    /// `pass.anneal` to that of the dynamics.
    pub fn run(&self, recording: &mut Recording, pass: &ChainPass, part: Range<usize>) {
        let every = match self.chains.jump {
            Some(_) => self.chains.dynamics.jumps.every.max(1),
            None => pass.steps.max(1),
        };
        let mut start = part.start;
        while start < part.end {
            let end = ((start / every + 1) * every).min(part.end);
            if start.is_multiple_of(every) {
                self.offer_jumps(recording, pass, start);
                self.begin(recording, pass, start);
            }
            self.run_on(recording, pass, start..end);
            start = end;
        }
    }

    /// Offers the chains to jump before step `position` of a pass, where they may.
    fn offer_jumps(&self, recording: &mut Recording, pass: &ChainPass, position: usize) {
        let chains = self.chains;
        let (Some(offers), Some(network)) = (chains.jump, self.network()) else {
            return;
        };
        let energies_at = |recording: &mut Recording, x, energies| {
            network.energies(recording, x, energies, false);
        };
        energies_at(recording, chains.batch.x, chains.batch.energies);
        if let Offers::Mixture(jumps) = &offers {
            jumps.begin(recording, &chains.batch);
        }
        let stream = match chains.batch.stream {
            Stream::Sampling => Stream::SamplingJump,
            _ => Stream::Jump,
        };
        let moment = pass.moment(position, &chains.dynamics);
        let count = chains.dynamics.jumps.count as u32;
        for offer in 0..count {
            let moment = Moment {
                step: moment.step.wrapping_mul(count).wrapping_add(offer),
                energies: true,
                ..moment
            };
            match &offers {
                Offers::Start(states, energies) => jump_chains(
                    recording,
                    &chains.batch,
                    chains.start,
                    stream,
                    &moment,
                    (*states, *energies),
                    &energies_at,
                ),
                Offers::Mixture(jumps) => {
                    jumps.offer(recording, &chains.batch, stream, &moment, &energies_at);
                }
            }
        }
    }

    /// The steps `part` of a pass, between two rows of jumps.
    fn run_on(&self, recording: &mut Recording, pass: &ChainPass, part: Range<usize>) {
        let adapting = match self.chains.dynamics.target_acceptance {
            Some(_) => pass.adapting,
            None => 0,
        };
        let middle = adapting.clamp(part.start, part.end);
        for (part, adapt) in [(part.start..middle, true), (middle..part.end, false)] {
            let step = pass.first_step.wrapping_add(part.start as u32);
            match pass.anneal {
                None => self.replay(recording, step, part.len(), pass.first_chain, adapt),
                Some(_) => {
                    for position in part {
                        self.annealed(recording, pass, position, adapt);
                    }
                }
            }
        }
    }
}
