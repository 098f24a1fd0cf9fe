//! The best weights of a run so far.

use super::{Event, Run};
use crate::files::BEST;
use crate::model::Model;
use crate::train::best::{Best, BestSoFar};
use crate::train::best_files;
use crate::train::error::TrainError;
use crate::train::trainer::Trainer;
use std::path::PathBuf;

impl Run<'_> {
    /// Keeps `candidate` if the chains of its step are nearer to data than those of all steps before.
    pub(super) fn consider(
        &mut self,
        trainer: &Trainer,
        candidate: BestSoFar,
    ) -> Result<(), TrainError> {
        let rows = self.metrics.rows();
        let Some(distance) = candidate.distance(rows) else {
            return Ok(());
        };
        let least = self.best.as_ref().and_then(|best| best.distance(rows));
        // No checkpoint holds what is not finite.
        if least.is_some_and(|least| least <= distance) || !candidate.is_finite() {
            return Ok(());
        }
        self.best = Some(candidate);
        self.write_best(trainer)
    }

    /// Writes the best weights so far into their files, after all that waits, or removes those that the run has left there: they
    /// are of another course. Where the disk does not take it, it waits: the last of them alone, and nothing waits behind it.
    pub(super) fn write_best(&mut self, trainer: &Trainer) -> Result<(), TrainError> {
        self.best_is_behind = true;
        let written = self.write_waiting(trainer);
        match written.and_then(|()| self.bring_best(trainer)) {
            Err(error) => self.waits(error),
            Ok(()) => Ok(()),
        }
    }

    /// Does so, if it is not done.
    pub(super) fn bring_best(&mut self, trainer: &Trainer) -> Result<(), TrainError> {
        if !self.best_is_behind {
            return Ok(());
        }
        match self.best_model(trainer)? {
            Some(model) => self.save_best(&model)?,
            None => best_files::remove(&best_files::own(self.folder, self.config))?,
        }
        self.best_is_behind = false;
        Ok(())
    }

    /// The model with the best weights so far, as a checkpoint holds it.
    fn best_model(&self, trainer: &Trainer) -> Result<Option<Model>, TrainError> {
        let Some(best) = &self.best else {
            return Ok(None);
        };
        let Some(distance) = best.distance(self.metrics.rows()) else {
            return Ok(None);
        };
        let model = trainer.model_of(best.average.clone(), best.weights_after())?;
        let model = model.with_live(best.live.clone())?.of_best(distance);
        let row = self.metrics.rows().get(best.step as usize);
        let adapted = row.filter(|_| trainer.plan().control().is_some());
        Ok(Some(match adapted {
            Some(row) => model.with_step_size(row.step_size),
            None => model,
        }))
    }

    fn save_best(&mut self, model: &Model) -> Result<(), TrainError> {
        let path: PathBuf = self.folder.join(BEST);
        let observer = &mut self.observer;
        let mut moved = |from: &_, to: &_| observer(Event::MovedAside { from, to });
        best_files::move_others_aside(self.folder, self.config, &mut moved)?;
        model.save(&path)?;
        (self.observer)(Event::Wrote(&path));
        Ok(())
    }

    /// What there is to say of the best weights; none where no figure was computed.
    pub(super) fn best(&self, trainer: &mut Trainer) -> Option<Best> {
        let best = self.best.as_ref()?;
        let chains = trainer.plan().judged_count()?;
        let floor = trainer.floor(chains)?;
        // Figures after a divergence are computed, and nobody considers them.
        let steps = self.diverged.map_or(usize::MAX, |(step, _)| step as usize);
        let rows = self.metrics.rows();
        let considered = &rows[..rows.len().min(steps)];
        Best::of(best, considered, chains, floor, self.folder)
    }
}
