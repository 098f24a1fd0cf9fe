use super::chains::Chains;
use crate::gpu::{Buffer, GpuError, Recording};
use crate::kernels::{
    ChainStart, LangevinSettings, Variant, gather_chains, scatter_chains, start_chains,
};
use crate::network::Architecture;
use crate::random::{Philox, Stream};
use rand::seq::SliceRandom;

/// Where the chains of an optimiser step come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ChainMode {
    /// From a replay buffer of `slots` chains, to which they return; a share of them starts afresh.
    Persistent { slots: usize, restart: f32 },
    /// Every chain starts afresh. The model then fits the law of these short runs, not a density.
    ShortRun,
    /// Every chain starts from a data sample (contrastive divergence).
    Data,
}

/// How noise is drawn from the snapshot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SamplerSettings {
    pub mode: ChainMode,
    /// Langevin steps per optimiser step.
    pub steps: usize,
    pub langevin: LangevinSettings,
    pub start: ChainStart,
}

/// Draws the noise samples of every optimiser step.
pub struct Sampler {
    chains: Chains,
    settings: SamplerSettings,
    count: usize,
    seed: u64,
    replay: Option<Replay>,
}

/// Chains between their turns. Every slot is visited once an epoch, in a fresh random order.
struct Replay {
    states: Buffer,
    order: Buffer,
    slots: usize,
}

impl Sampler {
    /// Lays out `count` chains per step.
    ///
    /// # Errors
    /// When the batch exceeds the adapter's image size.
    pub fn new(
        architecture: &Architecture,
        count: usize,
        variant: Variant,
        settings: SamplerSettings,
        seed: u64,
    ) -> Result<Self, GpuError> {
        let random = (seed, Stream::Langevin);
        let chains = Chains::new(
            architecture,
            count,
            variant,
            settings.langevin,
            settings.start,
            random,
        )?;
        let replay = match settings.mode {
            ChainMode::Persistent { slots, .. } => {
                // A whole number of batches, so that no batch meets a slot twice.
                let slots = (slots / count).max(1) * count;
                let states = Buffer::new("replay buffer", slots * architecture.input().len());
                Some(Replay {
                    states,
                    order: Buffer::new("replay order", slots),
                    slots,
                })
            }
            ChainMode::ShortRun | ChainMode::Data => None,
        };
        Ok(Sampler {
            chains,
            settings,
            count,
            seed,
            replay,
        })
    }

    /// The chains of the present step.
    pub fn chains(&self) -> &Chains {
        &self.chains
    }

    /// Bytes of the chains that live from step to step.
    pub fn chain_bytes(&self) -> u64 {
        self.replay
            .as_ref()
            .map_or(0, |replay| replay.states.bytes() + replay.order.bytes())
    }

    /// Must be recorded once before anything else.
    pub fn setup(&self, recording: &mut Recording) {
        self.chains.setup(recording);
        if let Some(replay) = &self.replay {
            let (start, count) = (self.settings.start, replay.states.words());
            // Step u32::MAX, which no optimiser step reaches, keeps these draws apart from restarts.
            let stream = Stream::ChainStart;
            start_chains(
                recording,
                start,
                stream,
                self.seed,
                u32::MAX,
                0,
                count,
                replay.states,
            );
        }
    }

    /// Draws the noise samples of optimiser step `step` from the energy with `parameters`, for which the chains must
    /// be prepared. They end up in [`Chains::states`]. The first `data_count` samples of `data` are the step's data.
    pub fn draw(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        step: u64,
        data: Buffer,
        data_count: usize,
    ) {
        let x = self.chains.states();
        let length = self.chains.network().architecture().input().len();
        match (self.settings.mode, &self.replay) {
            (ChainMode::Persistent { restart, .. }, Some(replay)) => {
                let batches = (replay.slots / self.count) as u64;
                if step.is_multiple_of(batches) {
                    recording.upload(replay.order, 0, self.order(step / batches, replay.slots));
                }
                let first = (step % batches) as u32 * self.count as u32;
                gather_chains(
                    recording,
                    self.count,
                    length,
                    first,
                    replay.states,
                    replay.order,
                    x,
                );
                // The order is random, so the first few of a batch are as good as any.
                let restarts = restarts(step, restart, self.count);
                self.chains.restart(recording, step as u32, 0, restarts);
                self.run(recording, parameters, step);
                scatter_chains(
                    recording,
                    self.count,
                    length,
                    first,
                    replay.states,
                    replay.order,
                    x,
                );
            }
            (ChainMode::Data, _) => {
                let rows = data_count * length;
                for start in (0..x.words()).step_by(rows) {
                    recording.copy_range(data, 0, x, start, rows.min(x.words() - start));
                }
                self.run(recording, parameters, step);
            }
            _ => {
                self.chains.restart(recording, step as u32, 0, self.count);
                self.run(recording, parameters, step);
            }
        }
    }

    fn run(&self, recording: &mut Recording, parameters: Buffer, step: u64) {
        let first_step = (step as u32).wrapping_mul(self.settings.steps as u32);
        self.chains
            .advance(recording, parameters, first_step, self.settings.steps, 0);
    }

    fn order(&self, epoch: u64, slots: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..slots as u32).collect();
        order.shuffle(&mut Philox::new(
            self.seed,
            Stream::ReplayOrder,
            epoch as u32,
        ));
        order
    }
}

/// How many of `count` chains start afresh at `step`, so that their running share is `share` to within one chain.
fn restarts(step: u64, share: f32, count: usize) -> usize {
    let until = |step: u64| (step as f64 * f64::from(share) * count as f64).floor();
    ((until(step + 1) - until(step)) as usize).min(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_share_of_restarts_is_exact() {
        let total: usize = (0..1000).map(|step| restarts(step, 0.05, 128)).sum();
        assert_eq!(total, 6400);
        assert_eq!(restarts(7, 1.0, 16), 16);
        assert_eq!(restarts(7, 0.0, 16), 0);
    }
}
