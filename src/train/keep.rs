//! The snapshots that a run keeps, for log Z to be estimated along them.

use super::error::TrainError;
use super::trainer::Trainer;
use crate::config::{BaseKind, Config, Interval, SnapshotKind};
use crate::files::{SNAPSHOTS, create_subfolder};
use crate::model::{Model, Weights};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Snapshots in the folder `snapshots` of a run, each a checkpoint that is called after the step whose noise was drawn
/// from it.
pub(super) struct KeptSnapshots {
    folder: PathBuf,
    steps: BTreeSet<u64>,
    weights: Weights,
    /// The last one that was kept, and its step: one that served for longer is not kept twice.
    last: Option<(u64, Vec<f32>)>,
}

impl KeptSnapshots {
    pub(super) fn new(config: &Config, run: &Path) -> Self {
        let is_read = config.network.base == BaseKind::Gaussian;
        let count = if is_read {
            config.run.keep_snapshots
        } else {
            0
        };
        let interval = match (config.snapshot.kind, config.snapshot.interval) {
            (SnapshotKind::Copy | SnapshotKind::Mixture, Interval::Every(interval)) => interval,
            // Another one in every step, or in steps that only the GPU knows.
            (SnapshotKind::Copy | SnapshotKind::Mixture, Interval::Adaptive)
            | (SnapshotKind::Ema | SnapshotKind::Gaussian | SnapshotKind::Uniform, _) => 1,
        };
        KeptSnapshots {
            folder: run.join(SNAPSHOTS),
            steps: kept_steps(count, config.run.steps, interval),
            weights: match config.snapshot.kind {
                SnapshotKind::Ema => Weights::Averaged,
                SnapshotKind::Copy
                | SnapshotKind::Mixture
                | SnapshotKind::Gaussian
                | SnapshotKind::Uniform => Weights::Live,
            },
            last: None,
        }
    }

    /// Whether the snapshot of optimiser step `step`, counted from 0, is to be kept.
    pub(super) fn is_due(&self, step: u64) -> bool {
        self.steps.contains(&step)
    }

    /// Writes the snapshot of `step`.
    pub(super) fn keep(
        &mut self,
        trainer: &Trainer,
        step: u64,
        parameters: Vec<f32>,
    ) -> Result<(), TrainError> {
        if self
            .last
            .as_ref()
            .is_some_and(|(_, last)| *last == parameters)
        {
            return Ok(());
        }
        create_subfolder(&self.folder)?;
        let model = trainer.model_of(parameters.clone(), step)?;
        model.of_weights(self.weights).save(&self.path(step))?;
        self.last = Some((step, parameters));
        Ok(())
    }

    /// The step of the last one that was kept.
    pub(super) fn last_step(&self) -> Option<u64> {
        self.last.as_ref().map(|(step, _)| *step)
    }

    /// Goes on where a run has kept the snapshot of `step` last.
    pub(super) fn go_on(&mut self, step: Option<u64>) {
        // Where that cannot be read, one that serves for longer is kept twice.
        self.last = step.and_then(|step| {
            let model = Model::load(&self.path(step)).ok()?;
            Some((step, model.parameters().to_vec()))
        });
    }

    fn path(&self, step: u64) -> PathBuf {
        self.folder.join(format!("{step:06}.safetensors"))
    }
}

/// At most `count` of `steps` steps, 0 and what follows at evenly spaced roots, each at the last of the multiples of
/// `interval` up to there. Early snapshots lie further apart than late ones, so that they are the denser; and the steps do
/// not depend on what is yet to come, so that a run that is stopped has the first of them.
fn kept_steps(count: usize, steps: u64, interval: u64) -> BTreeSet<u64> {
    let last = steps.saturating_sub(1) as f64;
    let most = count.saturating_sub(1).max(1) as f64;
    let interval = interval.max(1);
    (0..count)
        .map(|place| (last * (place as f64 / most).powi(2)).round() as u64)
        .map(|step| step / interval * interval)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_snapshot_is_kept_and_others_ever_further_apart() {
        let steps = |count, steps, interval| -> Vec<u64> {
            kept_steps(count, steps, interval).into_iter().collect()
        };
        assert_eq!(steps(5, 17, 1), [0, 1, 4, 9, 16]);
        // At refreshes only, none twice.
        assert_eq!(steps(5, 17, 3), [0, 3, 9, 15]);
        assert_eq!(steps(1, 100, 1), [0]);
        assert_eq!(steps(0, 100, 1), [0; 0]);
        // A run is shorter than what it might keep.
        assert_eq!(steps(24, 3, 1), [0, 1, 2]);
    }
}
