use super::divergence::Watch;
use super::error::TrainError;
use super::metrics::MetricsRow;
use super::run::watch_over;
use super::trainer::{Arrival, Trainer};
use crate::model::Model;

/// Trains to the last step of the configuration of `trainer`, writes nothing, and gives the model, with the averaged weights in
/// use and the live ones beside them: to the bits of [`run`](super::run()), unless that diverges and goes back.
///
/// `on_step` is told the metrics of every step, in order and as they arrive, and says whether to go on. When it says no, no
/// step begins any more; those that the device has been handed already are done, and told.
///
/// # Errors
/// When the GPU fails, or training diverges, for there is no state to go back to.
pub fn in_memory(
    trainer: &mut Trainer,
    on_step: &mut dyn FnMut(&MetricsRow) -> bool,
) -> Result<Model, TrainError> {
    let steps = trainer.config().run.steps;
    let mut watch = watch_over(trainer, trainer.config());
    let mut go_on = true;
    while go_on && trainer.steps_done() < steps {
        trainer.step()?;
        go_on = receive(trainer, &mut watch, false, on_step)?;
    }
    receive(trainer, &mut watch, true, on_step)?;
    trainer.model()
}

/// Takes in what has arrived, or with `wait` all that is to arrive; whether `on_step` wants to go on.
fn receive(
    trainer: &mut Trainer,
    watch: &mut Watch,
    wait: bool,
    on_step: &mut dyn FnMut(&MetricsRow) -> bool,
) -> Result<bool, TrainError> {
    let mut go_on = true;
    for arrival in trainer.arrived(wait)? {
        // All else that arrives is for a folder.
        let Arrival::Metrics { row, lost } = arrival else {
            continue;
        };
        go_on &= on_step(&row);
        if let Some(what) = watch.see(&row, lost) {
            return Err(TrainError::Diverged {
                step: row.step,
                what,
                advice: what.advice(trainer.config()),
            });
        }
    }
    Ok(go_on)
}
