//! The training states of a run: when the run asks for them, and what belongs to them.

use super::{Event, Run};
use crate::config;
use crate::train::error::TrainError;
use crate::train::keeper::Written;
use crate::train::lines::Lines;
use crate::train::resume::adapter_name;
use crate::train::state::TrainingState;
use crate::train::states::Manifest;
use crate::train::trainer::Trainer;

impl Run<'_> {
    /// Takes the state after the last step, whatever the time.
    pub(super) fn keep_state(&mut self, trainer: &mut Trainer) -> Result<(), TrainError> {
        self.request_state(trainer)?;
        self.take_in(trainer, true)
    }

    /// Asks for the state after the last step, unless there is one.
    pub(super) fn request_state(&mut self, trainer: &mut Trainer) -> Result<(), TrainError> {
        let step = trainer.steps_done();
        if !self.states.has(step) {
            trainer.request_state()?;
            self.states.asked(step);
        }
        Ok(())
    }

    /// Writes a state that has arrived, with all metrics before it.
    pub(super) fn write_state(
        &mut self,
        trainer: &mut Trainer,
        state: TrainingState,
    ) -> Result<(), TrainError> {
        // It is worth nothing without what the run has written before it.
        if let Err(error) = self.settle_files(trainer) {
            self.states.lost();
            return self.waits(error);
        }
        if let Err(error) = self.catch_up(trainer) {
            self.waits(error)?;
        }
        let mut before = vec![self.metrics.handle()?];
        if let Some(diagnostics) = &self.diagnostics {
            before.push(diagnostics.handle()?);
        }
        if let Some(energies) = &self.energies {
            before.push(energies.handle()?);
        }
        let shape = trainer.data().shape();
        let manifest = Manifest {
            step: state.step(),
            program: env!("CARGO_PKG_VERSION").into(),
            adapter: adapter_name(trainer.executor().adapter()),
            kernels: self.kernels.clone(),
            config: config::to_toml(self.config),
            data: trainer.data().record().cloned(),
            shape: [shape.channels, shape.height, shape.width],
            scaling: trainer.data().scaling(),
            metrics: self.metrics.mark(),
            diagnostics: self.diagnostics.as_ref().map(Lines::mark),
            energies: self.energies.as_ref().map(Lines::mark),
            last_diagnosis: self.last_diagnosis,
            traces: state.traces().cloned(),
            pictures: self.pictures.is_some(),
            last_snapshot: self.kept.last_step(),
            best: self.best.as_ref().map(|best| best.step),
            recoveries: self.recoveries.clone(),
            is_waymark: self.states.is_waymark(state.step()),
            // Known when it is written.
            buffers: Default::default(),
        };
        let state = match &self.best {
            Some(best) => state.with_best(best.words()),
            None => state,
        };
        let written = self.states.write(state, manifest, before);
        self.report(written);
        Ok(())
    }

    /// Tells of the state that has been written since the last call; if `wait`, of the one that is being written.
    pub(super) fn report_states(&mut self, wait: bool) {
        let written = self.states.outcome(wait);
        self.report(written);
    }

    pub(super) fn report(&mut self, written: Option<Written>) {
        match written {
            Some(Ok(path)) => (self.observer)(Event::Kept(&path)),
            Some(Err(error)) => (self.observer)(Event::NotKept(&error)),
            None => {}
        }
    }
}
