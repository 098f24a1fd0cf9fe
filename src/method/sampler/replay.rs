//! The replay buffer: who takes a turn, and who starts afresh.

use super::Sampler;
use super::settings::ChainMode;
use crate::gpu::Buffer;
use crate::random::{Philox, Stream};
use rand::seq::SliceRandom;
use std::ops::Range;

/// Chains between their turns. Every slot is visited once an epoch, in a fresh random order.
pub(super) struct Replay {
    pub(super) states: Buffer,
    pub(super) order: Buffer,
    pub(super) slots: usize,
}

impl Sampler {
    /// The replay buffer, how many chains it holds, and where up to `most` of them lie in it, as ranges of chains: as many of
    /// each part. None where chains are not kept.
    pub(crate) fn kept(&self, most: usize) -> Option<(Buffer, usize, Vec<Range<usize>>)> {
        let replay = self.replay.as_ref()?;
        let own = replay.slots / self.parts;
        let taken = (most / self.parts).clamp(1, own);
        // Slots are visited in random orders and start afresh by them, so that the first of a part are as good as any.
        let ranges = (0..self.parts).map(|part| part * own..part * own + taken);
        Some((replay.states, replay.slots, ranges.collect()))
    }

    /// How many steps an epoch takes.
    pub(super) fn batches(&self, replay: &Replay) -> u64 {
        (replay.slots / self.count) as u64
    }

    /// How many chains of a part start afresh at `step`, and how many of those from data.
    pub(super) fn fresh(&self, step: u64) -> [usize; 2] {
        let share = self.settings.data_share;
        let (fresh, share) = match (self.settings.mode, &self.replay) {
            (ChainMode::Data, _) => (1.0, 1.0),
            (ChainMode::Persistent { .. }, Some(replay))
                if share > 0.0 && step < self.batches(replay) =>
            {
                (1.0, share)
            }
            (ChainMode::Persistent { restart, .. }, _) => (restart, share),
            (ChainMode::ShortRun, _) => (1.0, share),
        };
        let count = |share: f32| match &self.pool {
            None => restarts(step, share, self.part_length()),
            // Steps without a pass would take what falls due in them with them.
            Some(_) => likely_restarts(self.seed, step, share, self.part_length()),
        };
        [count(fresh), count(fresh * share)]
    }

    /// The slots in the order of their visits: every part's own, shuffled, and of these a batch after another.
    pub(super) fn order(&self, epoch: u64, slots: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..slots as u32).collect();
        let mut random = Philox::new(self.seed, Stream::ReplayOrder, epoch as u32);
        let own = slots / self.parts;
        for part in order.chunks_mut(own) {
            part.shuffle(&mut random);
        }
        let length = self.part_length();
        (0..own / length)
            .flat_map(|batch| {
                (0..self.parts).flat_map(move |part| {
                    let first = part * own + batch * length;
                    first..first + length
                })
            })
            .map(|place| order[place])
            .collect()
    }
}

/// How many of `count` chains start afresh at `step`, so that their running share is `share` to within one chain.
fn restarts(step: u64, share: f32, count: usize) -> usize {
    let until = |step: u64| (step as f64 * f64::from(share) * count as f64).floor();
    ((until(step + 1) - until(step)) as usize).min(count)
}

/// How many of `count` chains start afresh in a pass at `step`, `share` of them on average whichever steps have a pass.
fn likely_restarts(seed: u64, step: u64, share: f32, count: usize) -> usize {
    let due = f64::from(share) * count as f64;
    let uniform = Philox::new(seed, Stream::PoolRestarts, step as u32).uniform();
    ((due + f64::from(uniform)).floor() as usize).min(count)
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

    #[test]
    fn the_share_of_restarts_holds_on_average_whichever_steps_have_a_pass() {
        let of = |share, count| {
            let passes = (0..5000).step_by(5);
            let total: usize = passes
                .map(|step| likely_restarts(9, step, share, count))
                .sum();
            total
        };
        // 0.8 of 16 in each of 1,000 passes: a binomial of standard deviation 12.6.
        assert!(of(0.05, 16).abs_diff(800) < 64, "{}", of(0.05, 16));
        assert_eq!([of(1.0, 16), of(0.0, 16)], [16_000, 0]);
    }
}
