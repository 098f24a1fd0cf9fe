use crate::gpu::{Purpose, Recording, Resource};
use crate::purpose::{CHAINS, MAPS, OPTIMISER, PACKED_WEIGHTS, PARAMETERS, SNAPSHOT};
use std::fmt;

/// Where the GPU memory of a run goes, in bytes: a sum over what its recordings use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MemoryAccount {
    /// Samples, not bytes, that pass through the network at a time.
    pub slice: usize,
    /// The live parameters.
    pub parameters: u64,
    /// Gradient, Adam's moments and the moving average.
    pub optimiser: u64,
    /// Maps between the layers and at both ends of the network, for one slice; training and sampling share them.
    pub maps: u64,
    /// Copies of the weights in the order the kernels want.
    pub packed_weights: u64,
    /// Data, energies and factors of the batch, states and gradients of a group of chains, partial weight gradients.
    pub scratch: u64,
    /// The method: one snapshot of the parameters, and the components of a mixture; none with fixed noise.
    pub snapshot: u64,
    /// The method: the noise samples of the present step and the chains in the replay buffer.
    pub chains: u64,
    /// What drawing pictures of samples or the last look at the chains takes for a while, beside the maps that it borrows.
    pub drawing: u64,
}

impl MemoryAccount {
    /// The account of what `training` uses, in slices of `slice` samples, and of the most that any of `beside` adds for a
    /// while.
    pub(super) fn of(slice: usize, training: &Recording, beside: &[Recording]) -> Self {
        let used = training.resources();
        let for_purpose = |purpose: Purpose| -> u64 {
            let those = used.iter().filter(|r| r.purpose() == purpose);
            those.map(Resource::bytes).sum()
        };
        let added = |recording: &Recording| -> u64 {
            let resources = recording.resources();
            resources.difference(&used).map(Resource::bytes).sum()
        };
        MemoryAccount {
            slice,
            parameters: for_purpose(PARAMETERS),
            optimiser: for_purpose(OPTIMISER),
            maps: for_purpose(MAPS),
            packed_weights: for_purpose(PACKED_WEIGHTS),
            scratch: for_purpose(Purpose::default()),
            snapshot: for_purpose(SNAPSHOT),
            chains: for_purpose(CHAINS),
            drawing: beside.iter().map(added).max().unwrap_or(0),
        }
    }

    /// The peak: what training holds, and what drawing adds to it.
    pub fn total(&self) -> u64 {
        self.training() + self.drawing
    }

    /// What training holds, without the staging that uploads and downloads pass through.
    pub fn training(&self) -> u64 {
        self.parameters
            + self.optimiser
            + self.maps
            + self.packed_weights
            + self.scratch
            + self.snapshot
            + self.chains
    }
}

impl fmt::Display for MemoryAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "at most {} with {} samples at a time: parameters {}, optimiser {}, maps {}, packed weights {}, scratch {}, \
             drawing pictures {}; for the method snapshots of the parameters {} and the chains {}",
            size(self.total()),
            self.slice,
            size(self.parameters),
            size(self.optimiser),
            size(self.maps),
            size(self.packed_weights),
            size(self.scratch),
            size(self.drawing),
            size(self.snapshot),
            size(self.chains)
        )
    }
}

/// A number of bytes for people.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.0} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
