//! What is no error and should be known of an event, in words.

use super::Event;
use crate::config::Config;
use crate::kernels::Precision;

impl Event<'_> {
    /// What a person should know of it, in a run with the settings `config`: a line each that begins with `warning: ` or `note: `,
    /// or goes on with the one before.
    pub fn notes(&self, config: &Config) -> Vec<String> {
        let note = match self {
            Event::NotKept(error) => format!(
                "warning: the training state could not be written, and the run goes on without it until the next one is due: {error}"
            ),
            Event::DeviceFailed { error, step, notes } => {
                let first = format!(
                    "warning: {error}. The run goes on from step {step} on a device that is opened anew"
                );
                return std::iter::once(first)
                    .chain(notes.iter().cloned())
                    .collect();
            }
            Event::WentBack(recovery) => format!(
                "warning: the run diverged at step {}: {}. It goes back to its state after {} steps, and on from there with {} of the \
                 learning rate and other random numbers; what it gave up is in metrics.given-up-*.jsonl",
                recovery.step, recovery.what, recovery.back_to, recovery.rate_share
            ),
            Event::Waits(error) => format!(
                "warning: {error}. The run goes on, keeps in memory what it could not write, and tries again"
            ),
            Event::CaughtUp => "note: what could not be written before is written now".into(),
            Event::NotShown(why) => format!("warning: {why}"),
            Event::NoFrame { path, why } => {
                format!("warning: {} is not in training.gif: {why}", path.display())
            }
            Event::NoAnimation(why) => format!("warning: there is no training.gif: {why}"),
            Event::MovedAside { from, to } => format!(
                "warning: `{}` is not of this run, which writes there: it is `{}` now",
                from.display(),
                to.display()
            ),
            Event::NoFigures(why) => format!(
                "warning: no distance of the chains from data is computed, and no best weights are kept: {why}"
            ),
            Event::NoChains(error) => format!(
                "warning: the chains of the replay buffer are not kept beside the checkpoint, which is whole: {error}"
            ),
            Event::Lost { chains, of } => format!(
                "warning: {chains} of {of} chains ran away to values that are not finite; lower sampler.step_size or \
                 optimiser.rate{}",
                match config.run.precision {
                    Precision::Mixed => {
                        ", or try run.precision = \"full\", since f16 ends at 65504"
                    }
                    Precision::Full => "",
                }
            ),
            Event::Drew {
                acceptance,
                step_size,
            } => {
                let standstill = config.sampler.standstill(*acceptance, *step_size);
                return standstill.into_iter().collect();
            }
            Event::Started { .. }
            | Event::Step(_)
            | Event::Between { .. }
            | Event::Wrote(_)
            | Event::Kept(_)
            | Event::Probing { .. }
            | Event::Comparing { .. }
            | Event::Drawing { .. } => return Vec::new(),
        };
        vec![note]
    }
}
