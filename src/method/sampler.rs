use super::chains::Chains;
use super::strategy::Strategy;
use crate::gpu::{Buffer, Recording};
use crate::kernels::{ChainStart, LangevinSettings, gather_chains, scatter_chains, start_chains};
use crate::network::Network;
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

impl SamplerSettings {
    /// What a model trained on these chains is fitted to, in words: a density needs noise samples from the snapshot's
    /// own law, otherwise the fixed point is the law of the chains.
    pub fn target(&self) -> String {
        let (noise, step) = (
            f64::from(self.langevin.noise),
            f64::from(self.langevin.step_size),
        );
        // The noise is stored in f32, so its square is right to about 2⁻²³.
        let temperature_one = (noise * noise / (2.0 * step) - 1.0).abs() < 1e-5;
        let target = match self.mode {
            ChainMode::Persistent { .. } if temperature_one => {
                "a density, as far as persistent chains at temperature 1 keep up with it"
            }
            ChainMode::Persistent { .. } => {
                "the law of its chains, which do not run at temperature 1"
            }
            ChainMode::ShortRun => "the law of its short runs: a generator, not a density",
            ChainMode::Data => "the law of short runs from the data (contrastive divergence)",
        };
        match self.langevin.clip {
            clip if clip > 0.0 => format!("{target}; energy gradients are clipped at ±{clip}"),
            _ => target.to_owned(),
        }
    }
}

/// Draws the noise samples of every optimiser step, in groups one after another where they do not all fit into the
/// network's workspace.
pub struct Sampler {
    /// Those of one group.
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
    /// Lays out `count` chains per step, in groups of as many as a batch of `network` has samples.
    pub fn new(network: Network, count: usize, settings: SamplerSettings, seed: u64) -> Self {
        let length = network.architecture().input().len();
        let random = (seed, Stream::Langevin);
        let chains = Chains::on(network, settings.langevin, settings.start, random);
        let replay = match settings.mode {
            ChainMode::Persistent { slots, .. } => {
                // A whole number of batches, so that no batch meets a slot twice.
                let slots = (slots / count).max(1) * count;
                Some(Replay {
                    states: Buffer::new("replay buffer", slots * length),
                    order: Buffer::new("replay order", slots),
                    slots,
                })
            }
            ChainMode::ShortRun | ChainMode::Data => None,
        };
        Sampler {
            chains,
            settings,
            count,
            seed,
            replay,
        }
    }

    /// The same sampler with its chains run by `strategy`; see [`Chains::with_strategy`].
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.chains = self.chains.with_strategy(strategy);
        self
    }

    /// The chains of one group.
    pub fn chains(&self) -> &Chains {
        &self.chains
    }

    /// Bytes of the replay buffer and its order.
    pub fn replay_bytes(&self) -> u64 {
        self.replay
            .as_ref()
            .map_or(0, |replay| replay.states.bytes() + replay.order.bytes())
    }

    /// Must be recorded once before anything else, beside the setup of the network.
    pub fn setup(&self, recording: &mut Recording) {
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
    /// be prepared. The first `data_count` samples of `samples` are the step's data; the noise goes behind them.
    /// `before` records what comes before the group with this first chain.
    pub fn draw(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        step: u64,
        samples: Buffer,
        data_count: usize,
        before: &mut dyn FnMut(&mut Recording, usize),
    ) {
        if let Some(replay) = &self.replay {
            let batches = self.batches(replay);
            if step.is_multiple_of(batches) {
                recording.upload(replay.order, 0, self.order(step / batches, replay.slots));
            }
        }
        for first in (0..self.count).step_by(self.chains.network().samples()) {
            before(recording, first);
            self.draw_group(recording, parameters, step, samples, data_count, first);
        }
    }

    /// Energy-gradient evaluations of one [`Self::draw`].
    pub fn gradient_evaluations(&self) -> u64 {
        (self.settings.steps * self.count) as u64
    }

    /// The group of [`Self::draw`] whose first chain is number `first`. A last group that is not full computes the
    /// missing chains like the others and leaves them where they are.
    pub fn draw_group(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        step: u64,
        samples: Buffer,
        data_count: usize,
        first: usize,
    ) {
        let x = self.chains.states();
        let length = self.chains.network().architecture().input().len();
        let count = self.chains.network().samples().min(self.count - first);
        match (self.settings.mode, &self.replay) {
            (ChainMode::Persistent { restart, .. }, Some(replay)) => {
                let batch = (step % self.batches(replay)) as usize;
                let place = (batch * self.count + first) as u32;
                let (states, order) = (replay.states, replay.order);
                gather_chains(recording, count, length, place, states, order, x);
                // The order is random, so the first few of a batch are as good as any.
                let restarts = restarts(step, restart, self.count).saturating_sub(first);
                self.chains
                    .restart(recording, step as u32, first, restarts.min(count));
                self.run(recording, parameters, step, first);
                scatter_chains(recording, count, length, place, states, order, x);
            }
            (ChainMode::Data, _) => {
                let mut done = 0;
                while done < count {
                    let row = (first + done) % data_count;
                    let rows = (data_count - row).min(count - done);
                    recording.copy_range(samples, row * length, x, done * length, rows * length);
                    done += rows;
                }
                self.run(recording, parameters, step, first);
            }
            _ => {
                self.chains.restart(recording, step as u32, first, count);
                self.run(recording, parameters, step, first);
            }
        }
        let behind = (data_count + first) * length;
        recording.copy_range(x, 0, samples, behind, count * length);
    }

    /// How many steps an epoch takes.
    fn batches(&self, replay: &Replay) -> u64 {
        (replay.slots / self.count) as u64
    }

    fn run(&self, recording: &mut Recording, parameters: Buffer, step: u64, first: usize) {
        let first_step = (step as u32).wrapping_mul(self.settings.steps as u32);
        let steps = self.settings.steps;
        self.chains
            .advance(recording, parameters, first_step, steps, first);
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
    fn a_run_says_what_it_is_fitted_to() {
        let mut settings = SamplerSettings {
            mode: ChainMode::Persistent {
                slots: 8,
                restart: 0.1,
            },
            steps: 1,
            langevin: LangevinSettings {
                step_size: 0.01,
                noise: 0.02f32.sqrt(),
                clip: 0.0,
                bounds: crate::kernels::Bounds::None,
            },
            start: ChainStart::Gaussian {
                mean: 0.0,
                std: 1.0,
            },
        };
        assert!(settings.target().starts_with("a density"));
        settings.langevin.noise = 0.005;
        assert!(settings.target().starts_with("the law of its chains"));
        settings.mode = ChainMode::ShortRun;
        settings.langevin.clip = 0.03;
        assert!(settings.target().contains("generator"));
        assert!(settings.target().ends_with("±0.03"));
    }

    #[test]
    fn the_running_share_of_restarts_is_exact() {
        let total: usize = (0..1000).map(|step| restarts(step, 0.05, 128)).sum();
        assert_eq!(total, 6400);
        assert_eq!(restarts(7, 1.0, 16), 16);
        assert_eq!(restarts(7, 0.0, 16), 0);
    }
}
