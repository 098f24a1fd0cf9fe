//! A pool of noise that several steps draw from, and that the GPU refills when it decides to.

use super::{Draw, Sampler};
use crate::gpu::{Buffer, Recording};
use crate::kernels::noise::{NoisePool, POOL_WORDS, judge_pool, keep_noise, pick_noise, take_turn};
use crate::method::chains::PreparedChains;
use crate::method::snapshot::Snapshot;
use crate::purpose::CHAINS;

/// How long noise is used, and how many passes updates draw from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PoolSettings {
    /// New noise once the effective sample size, as a share of the noise, has fallen below this.
    pub ess_threshold: f32,
    /// Or once so many steps have used it.
    pub most: u64,
    /// The last passes since the refresh that a step draws from.
    pub passes: usize,
}

/// The pool on the GPU.
pub(super) struct Pool {
    settings: PoolSettings,
    noise: NoisePool,
    /// The slots of the replay buffer that take the turn; one where chains are not kept.
    turn: Buffer,
}

impl Sampler {
    /// The same sampler, whose steps draw from a pool. Its chains must not start from data, nor leave traces, nor have several parts.
    pub(crate) fn pooled(mut self, settings: PoolSettings) -> Self {
        let length = self.chains.network().architecture().input().len();
        let values = settings.passes * self.count * length;
        self.pool = Some(Pool {
            settings,
            noise: NoisePool {
                state: Buffer::new("pool of noise, state", POOL_WORDS)
                    .of(CHAINS)
                    .lasting(),
                kept: Buffer::new("pool of noise", values).of(CHAINS).lasting(),
                passes: settings.passes,
                chains: self.count,
            },
            turn: Buffer::new("turn of chains", self.count).of(CHAINS),
        });
        self
    }

    /// Whether the GPU alone knows how many passes there were.
    pub(crate) fn decides(&self) -> bool {
        self.pool.is_some()
    }

    /// The first step draws noise.
    pub(super) fn set_up_pool(&self, recording: &mut Recording) {
        if let Some(pool) = &self.pool {
            recording.upload(pool.noise.state, 0, vec![1, 0, 0, 0]);
            recording.upload(pool.turn, 0, vec![0]);
        }
    }

    /// Moves the chains only if new noise is due, and draws the noise of the step from the pool. The random numbers of a pass are
    /// those of the step that it is in.
    pub(super) fn draw_from_pool(
        &self,
        recording: &mut Recording,
        pool: &Pool,
        draw: &Draw,
        chains: PreparedChains<'_>,
    ) {
        let state = pool.noise.state;
        let mut body = Recording::new();
        let turns = self.replay.as_ref().map(|replay| {
            if draw.pass == 0 {
                // The one order serves the whole run: chains take turns by passes, which only the GPU counts.
                let order = match draw.groups {
                    usize::MAX => self.order(0, replay.slots),
                    _ => vec![0],
                };
                recording.upload(replay.order, 0, order);
            }
            take_turn(&mut body, state, replay.order, pool.turn);
            pool.turn
        });
        let length = self.chains.network().architecture().input().len();
        let group = self.chains.network().samples();
        for first in (0..self.count).step_by(group).take(draw.groups) {
            let count = self.draw_group(&mut body, chains, draw, first, turns);
            let (kept, passes) = (pool.noise.kept, pool.settings.passes);
            let values = (first * length, count * length);
            keep_noise(&mut body, state, self.chains.states(), values, kept, passes);
        }
        recording.only_if(state, body);
        let random = (self.seed, draw.pass as u32);
        let behind = draw.data_count * length;
        pick_noise(recording, &pool.noise, random, draw.samples, behind);
    }

    /// Decides from the metrics of step `step` whether the next one draws new noise, after what is decided of its snapshot. Does
    /// nothing where that is known beforehand.
    pub(crate) fn judge(
        &self,
        recording: &mut Recording,
        step: u64,
        snapshot: &Snapshot,
        metrics: Buffer,
    ) {
        if let Some(pool) = &self.pool {
            let limits = (pool.settings.ess_threshold, pool.settings.most);
            let refreshes = snapshot.age(step + 1) == Some(0);
            let (state, known) = (pool.noise.state, snapshot.state());
            judge_pool(recording, limits, refreshes, state, known, metrics);
        }
    }
}
