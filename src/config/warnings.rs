//! What is allowed and yet silently without effect.

use super::{Config, Interval, RunConfig, SnapshotKind};

impl Config {
    /// What this configuration asks for and its run will not get, each in one sentence.
    pub fn warnings(&self) -> Vec<String> {
        let (snapshot, steps) = (&self.snapshot, self.run.steps);
        let mut warnings = Vec::new();
        let every = self.run.figure_every;
        // Nobody has asked for the default.
        if every > steps && every != RunConfig::default().figure_every {
            warnings.push(format!(
                "run.figure_every = {every} is longer than the run of run.steps = {steps}: no figure is computed, and no best weights are kept"
            ));
        }
        let interval = match (snapshot.kind, snapshot.interval) {
            (SnapshotKind::Copy | SnapshotKind::Mixture, Interval::Every(interval)) => interval,
            // An adaptive interval is no promise, and the others have none.
            (SnapshotKind::Copy | SnapshotKind::Mixture, Interval::Adaptive)
            | (SnapshotKind::Ema | SnapshotKind::Gaussian | SnapshotKind::Uniform, _) => {
                return warnings;
            }
        };
        // A refresh after the last step serves nobody. A run of one step has no other length to choose.
        if interval >= steps && steps > 1 {
            warnings.push(format!(
                "snapshot.interval = {interval} is at least as long as the run of run.steps = {steps}: all noise comes from the \
                 untrained model, which is never refreshed"
            ));
        } else if snapshot.kind == SnapshotKind::Mixture {
            let components = snapshot.components as u64;
            let whole = interval.saturating_mul(components.saturating_sub(1));
            if whole >= steps {
                warnings.push(format!(
                    "snapshot.components = {components} snapshots, one every snapshot.interval = {interval} steps, are \
                     more than the run of run.steps = {steps} takes: the untrained model stays among them to its end"
                ));
            }
        }
        warnings
    }
}
