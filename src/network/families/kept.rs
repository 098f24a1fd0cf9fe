//! What was measured of the families on a driver, kept for later runs: one that has the file runs what it says.

use super::trial::{Trial, decide};
use crate::cache;
use crate::gpu::AdapterSummary;
use crate::network::identity::Identity;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Raised whenever a trial comes to mean something else, or the kernels of a family become so much faster or slower that what
/// was measured before is no guide.
const FORMAT: u32 = 1;
/// Larger files are not ours: a trial takes about 100 bytes.
const MOST_BYTES: u64 = 1 << 16;

#[derive(Serialize, Deserialize)]
struct File {
    #[serde(flatten)]
    identity: Identity,
    trials: Vec<Trial>,
}

/// The trials that [`keep_trials`] left for this adapter and driver in `folder`; none where there are none that decide
/// anything.
pub fn kept_trials(folder: &Path, adapter: &AdapterSummary) -> Option<Vec<Trial>> {
    let identity = Identity::of(adapter, FORMAT);
    let path = folder.join(identity.file_name("kernels"));
    let bytes = cache::load(&path, MOST_BYTES)?;
    let file: Option<File> = serde_json::from_slice(&bytes).ok();
    let trials = file
        .filter(|file| file.identity == identity)
        .map(|file| file.trials)
        .filter(|trials| decide(trials).is_some());
    if trials.is_none() {
        tracing::debug!("`{}` is not used: damaged or foreign", path.display());
    }
    trials
}

/// Leaves trials for later runs, and says whether that was possible.
pub fn keep_trials(folder: &Path, adapter: &AdapterSummary, trials: &[Trial]) -> bool {
    let identity = Identity::of(adapter, FORMAT);
    let path = folder.join(identity.file_name("kernels"));
    let file = File {
        identity,
        trials: trials.to_vec(),
    };
    match serde_json::to_vec_pretty(&file) {
        Ok(bytes) => cache::store(&path, &bytes),
        Err(error) => {
            tracing::warn!("what was measured of the kernels is not kept: {error}");
            false
        }
    }
}
