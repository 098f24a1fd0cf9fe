//! Draws noise by chains.

mod pool;
mod replay;
mod settings;
mod trace;

pub(crate) use pool::PoolSettings;
pub(crate) use settings::{
    Agreement, ChainMode, Diagnose, FEWEST_RECORDS, NOT_COMPARED, SETTLED, SamplerSettings,
};
pub(crate) use trace::Probe;

use super::chains::{ChainPass, Chains, PreparedChains};
use super::strategy::Strategy;
use crate::gpu::{Buffer, Recording};
use crate::kernels::{GaussianMixture, ReplayTurn, start_chains};
use crate::network::Network;
use crate::purpose::CHAINS;
use crate::random::Stream;
use pool::Pool;
use replay::Replay;
use std::sync::Arc;
use trace::Trace;

/// A draw of noise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw {
    /// Number of the pass, which is an optimiser step where every step has one.
    pub pass: u64,
    /// The step's data, `data_count` samples; the noise goes behind them.
    pub samples: Buffer,
    pub data_count: usize,
    /// Of the groups of every part at most so many.
    pub groups: usize,
}

/// Draws the noise samples of every optimiser step, in groups one after another where they do not all fit into the
/// network's workspace.
pub(crate) struct Sampler {
    /// Those of one group.
    chains: Chains,
    settings: SamplerSettings,
    count: usize,
    /// Parts of the chains, which share no slot of the replay buffer.
    parts: usize,
    seed: u64,
    replay: Option<Replay>,
    /// Where steps do not each draw what they use.
    pool: Option<Pool>,
    trace: Option<Trace>,
}

impl Sampler {
    /// Lays out `count` chains per step, in groups of as many as a batch of `network` has samples.
    pub(crate) fn new(
        network: Network,
        count: usize,
        settings: SamplerSettings,
        seed: u64,
    ) -> Self {
        let length = network.architecture().input().len();
        let random = (seed, Stream::Langevin);
        let chains = Chains::on(network, settings.dynamics, settings.start, random);
        let replay = match settings.mode {
            ChainMode::Persistent { slots, .. } => {
                // A whole number of batches, so that no batch meets a slot twice.
                let slots = (slots / count).max(1) * count;
                Some(Replay {
                    states: Buffer::new("replay buffer", slots * length)
                        .of(CHAINS)
                        .lasting(),
                    order: Buffer::new("replay order", slots).of(CHAINS).lasting(),
                    slots,
                })
            }
            ChainMode::ShortRun | ChainMode::Data => None,
        };
        let mut sampler = Sampler {
            chains,
            settings,
            count,
            parts: 1,
            seed,
            replay,
            pool: None,
            trace: None,
        };
        let records = settings.records();
        sampler.trace = (records > 0).then(|| sampler.new_trace(records));
        sampler
    }

    /// The same sampler with its chains run by `strategy`; see [`Chains::with_strategy`].
    pub(crate) fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.chains = self.chains.with_strategy(strategy);
        self
    }

    /// The same sampler with its chains in `parts` parts, each with slots of the replay buffer of its own, so that each can
    /// be drawn from an energy of its own. As many as divide the chains of a step evenly.
    pub(crate) fn in_parts(mut self, parts: usize) -> Self {
        debug_assert!(self.count.is_multiple_of(parts));
        self.parts = parts.max(1);
        self
    }

    /// The same sampler with a mixture for its chains to jump to: see [`Chains::with_mixture`].
    pub(crate) fn with_mixture(mut self, mixture: Arc<GaussianMixture>, noise: f32) -> Self {
        self.chains = self.chains.with_mixture(Some(mixture), noise);
        self
    }

    /// The chains of one group.
    pub(crate) fn chains(&self) -> &Chains {
        &self.chains
    }

    /// Energy-gradient evaluations of one pass.
    pub(crate) fn evaluations(&self) -> u64 {
        (self.count * self.settings.dynamics.evaluations(self.settings.steps)) as u64
    }

    /// Must be recorded once before anything else, beside the setup of the network.
    pub(crate) fn setup(&self, recording: &mut Recording) {
        self.chains.setup_control(recording);
        self.set_up_pool(recording);
        if let Some(trace) = &self.trace {
            // So that the memory is taken now, and not in the middle of a run.
            recording.upload(trace.before, 0, vec![0]);
            recording.upload(trace.records, 0, vec![0]);
        }
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

    /// Draws noise. `prepared` records what comes before a part of the chains, and says for what they are prepared then.
    pub(crate) fn draw<'a>(
        &'a self,
        recording: &mut Recording,
        draw: &Draw,
        prepared: &mut dyn FnMut(&mut Recording, usize) -> PreparedChains<'a>,
    ) {
        if let Some(pool) = &self.pool {
            let chains = prepared(recording, 0);
            return self.draw_from_pool(recording, pool, draw, chains);
        }
        if let Some(replay) = &self.replay {
            let batches = self.batches(replay);
            if draw.pass.is_multiple_of(batches) {
                // Only a whole draw needs the order, which takes as much memory here as on the GPU.
                let order = match draw.groups {
                    usize::MAX => self.order(draw.pass / batches, replay.slots),
                    _ => vec![0],
                };
                recording.upload(replay.order, 0, order);
            }
        }
        let length = self.chains.network().architecture().input().len();
        let group = self.chains.network().samples();
        for part in 0..self.parts {
            let prepared = prepared(recording, part);
            let chains = part * self.part_length()..(part + 1) * self.part_length();
            for first in chains.step_by(group).take(draw.groups) {
                let count = self.draw_group(recording, prepared, draw, first, None);
                let behind = (draw.data_count + first) * length;
                let states = self.chains.states();
                recording.copy_range(states, 0, draw.samples, behind, count * length);
            }
        }
    }

    /// Chains in a part.
    fn part_length(&self) -> usize {
        (self.count / self.parts).max(1)
    }

    /// The group of [`Self::draw`] whose first chain is number `first`. A last group of a part that is not full computes the
    /// missing chains like the others and leaves them where they are. Gives the number of those that are not missing. The slots
    /// that take the turn are those of `turns`, or else as the pass has it.
    fn draw_group(
        &self,
        recording: &mut Recording,
        chains: PreparedChains<'_>,
        draw: &Draw,
        first: usize,
        turns: Option<Buffer>,
    ) -> usize {
        let &Draw {
            pass,
            samples,
            data_count,
            ..
        } = draw;
        let x = self.chains.states();
        let length = self.chains.network().architecture().input().len();
        let before = first % self.part_length();
        let left = self.part_length() - before;
        let count = self.chains.network().samples().min(left);
        let turn = self.replay.as_ref().map(|replay| {
            let batch = (pass % self.batches(replay)) as usize;
            let (order, before) = match turns {
                Some(turns) => (turns, 0),
                None => (replay.order, batch * self.count),
            };
            ReplayTurn {
                states: replay.states,
                order,
                first: (before + first) as u32,
                chains: count,
                length,
            }
        });
        if let Some(turn) = turn {
            turn.gather(recording, x);
        }
        // The order of the replay buffer is random, so the first few of a batch are as good as any.
        let [fresh, from_data] = self
            .fresh(pass)
            .map(|fresh| fresh.saturating_sub(before).min(count));
        if from_data < fresh {
            self.chains.restart(recording, pass as u32, first, fresh);
        }
        let mut done = 0;
        while done < from_data {
            let row = (first + done) % data_count;
            let rows = (data_count - row).min(from_data - done);
            recording.copy_range(samples, row * length, x, done * length, rows * length);
            done += rows;
        }
        self.run(recording, chains, pass, first);
        if let Some(turn) = turn {
            turn.scatter(recording, x);
        }
        count
    }

    fn run(&self, recording: &mut Recording, chains: PreparedChains<'_>, step: u64, first: usize) {
        let steps = self.settings.steps;
        let pass = ChainPass {
            first_step: (step as u32).wrapping_mul(steps as u32),
            steps,
            adapting: steps / 2,
            first_chain: first,
            anneal: self.settings.anneal,
        };
        match (&self.trace, self.trace(step)) {
            (Some(trace), Some((_, records))) if first == 0 => {
                self.run_traced(recording, chains, &pass, trace, records);
            }
            _ => chains.run(recording, &pass, 0..steps),
        }
    }
}
