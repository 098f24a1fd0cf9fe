//! The best weights of a run so far.

use super::{Event, Run};
use crate::files::BEST;
use crate::model::{Model, live_path};
use crate::train::best::{Best, BestSoFar};
use crate::train::error::TrainError;
use crate::train::trainer::Trainer;
use crate::train::waiting::Unwritten;
use std::fs;
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

    /// Writes the best weights so far into their files, or removes what is there in their place: it is of another course.
    pub(super) fn write_best(&mut self, trainer: &Trainer) -> Result<(), TrainError> {
        if let Some(model) = self.best_model(trainer)? {
            return self.deliver(trainer, Unwritten::Best(model.into()));
        }
        let path = self.folder.join(BEST);
        for path in [live_path(&path), path] {
            let _ = fs::remove_file(path);
        }
        Ok(())
    }

    /// The model with the best weights so far, as a checkpoint holds it.
    pub(super) fn best_model(&self, trainer: &Trainer) -> Result<Option<Model>, TrainError> {
        let Some(best) = &self.best else {
            return Ok(None);
        };
        let model = trainer.model_of(best.average.clone(), best.weights_after())?;
        let model = model.with_live(best.live.clone())?;
        let row = self.metrics.rows().get(best.step as usize);
        let adapted = row.filter(|_| trainer.plan().control().is_some());
        Ok(Some(match adapted {
            Some(row) => model.with_step_size(row.step_size),
            None => model,
        }))
    }

    pub(super) fn save_best(&mut self, model: &Model) -> Result<(), TrainError> {
        let path: PathBuf = self.folder.join(BEST);
        model.save(&path)?;
        (self.observer)(Event::Wrote(&path));
        Ok(())
    }

    /// What there is to say of the best weights; none where no figure was computed.
    pub(super) fn best(&self, trainer: &mut Trainer) -> Option<Best> {
        let best = self.best.as_ref()?;
        let chains = trainer.plan().judged_count()?;
        let floor = trainer.floor(chains)?;
        Best::of(best, self.metrics.rows(), chains, floor, self.folder)
    }
}
