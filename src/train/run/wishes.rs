//! What an observer wishes while a run goes on.

use super::{Event, Run};
use crate::train::error::TrainError;
use crate::train::trainer::Trainer;
use crate::train::waiting::Unwritten;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// Between two questions to an observer that wishes to pause.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// What an observer may wish between two optimiser steps; none at first. No bit of the steps is another one for it.
#[derive(Debug, Default)]
pub struct Wishes {
    /// A picture of the noise samples of the last step, beside those that `run.sample_every` asks for.
    pub samples: bool,
    /// A checkpoint and a training state after the last step, beside those that `run.checkpoint_every` and the clock ask for.
    pub checkpoint: bool,
    /// No further step before the observer, which is asked again in a moment, wishes it no longer or the run is stopped.
    pub pause: bool,
}

impl Run<'_> {
    /// Does what the observer wishes after the last step.
    pub(super) fn heed(&mut self, trainer: &mut Trainer) -> Result<(), TrainError> {
        loop {
            let mut wishes = Wishes::default();
            let steps = trainer.steps_done();
            (self.observer)(Event::Between {
                steps,
                wishes: &mut wishes,
            });
            if wishes.samples {
                trainer.request_states()?;
            }
            if wishes.checkpoint {
                self.keep_checkpoint(trainer)?;
            }
            if !wishes.pause || self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            // Whoever looks at it meanwhile is to see all that it has come to.
            self.take_in(trainer, true)?;
            thread::sleep(ASK_EVERY);
        }
    }

    /// Writes a checkpoint and a training state after the last step.
    pub(super) fn keep_checkpoint(&mut self, trainer: &mut Trainer) -> Result<(), TrainError> {
        let checkpoint = self.checkpoint(trainer)?;
        self.deliver(trainer, Unwritten::Checkpoint(checkpoint.into()))?;
        self.keep_state(trainer)
    }
}
