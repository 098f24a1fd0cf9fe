//! The chains that are judged on the way, and the weights that go with them.

use super::TrainingPlan;
use crate::gpu::{Buffer, Recording};
use crate::train::judge::{FEWEST_JUDGED, most_chains};
use crate::train::ticket::Ticket;

impl TrainingPlan {
    /// How many chains are judged at a time; none where there are none.
    pub(in crate::train) fn judged_count(&self) -> Option<usize> {
        let (_, _, words) = self.judged(0)?;
        Some(words / self.architecture.input().len())
    }

    /// Whether chains are judged after step `step`, counted from 0.
    fn is_judged(&self, step: u64) -> bool {
        let every = self.config.run.figure_every;
        let are_enough = self
            .judged_count()
            .is_some_and(|count| count >= FEWEST_JUDGED);
        every > 0 && (step + 1).is_multiple_of(every) && are_enough
    }

    /// Where the chains lie that would be judged after step `step`: a buffer, the first word, and how many words. Of a replay buffer
    /// more than a step draws, which are left by this snapshot and those just before it; else the noise of the step. Of a mixture
    /// those of the newest component alone.
    fn judged(&self, step: u64) -> Option<(Buffer, usize, usize)> {
        let sampler = self.noise.sampler()?;
        let length = self.architecture.input().len();
        let most = most_chains(length);
        let (part, parts) = self.noise.newest_part(step);
        if let Some((buffer, _, ranges)) = sampler.kept(most.saturating_mul(parts)) {
            let chains = ranges.get(part)?;
            return Some((buffer, chains.start * length, chains.len() * length));
        }
        let (buffer, start, words) = self.noise_samples();
        let own = words / parts;
        Some((buffer, start + part * own, own.min(most * length)))
    }

    /// Fetches them where they are judged, before the metrics of the step.
    pub(super) fn fetch_judged(&self, r: &mut Recording, step: u64) {
        let judged = self.judged(step).filter(|_| self.is_judged(step));
        if let Some((buffer, start, words)) = judged {
            r.fetch(buffer, start, words, Ticket::Judged.number(step));
        }
    }

    /// Fetches the weights after the step, averaged and live, after its metrics.
    pub(super) fn fetch_candidate(&self, r: &mut Recording, step: u64) {
        if self.judged(step).is_none() || !self.is_judged(step) {
            return;
        }
        for weights in [self.optimiser.average(), self.live_parameters()] {
            r.fetch(weights, 0, weights.words(), Ticket::Candidate.number(step));
        }
    }
}
