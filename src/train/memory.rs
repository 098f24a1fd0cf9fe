use std::fmt;

/// Where the GPU memory of a run goes, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MemoryAccount {
    /// The live parameters.
    pub parameters: u64,
    /// Gradient, Adam's moments and the moving average.
    pub optimiser: u64,
    /// Maps between the layers, packed weights and scratch, for training and for sampling.
    pub workspace: u64,
    /// The method: one stale copy of the parameters.
    pub snapshot: u64,
    /// The method: the chains, those of the present step and those in the replay buffer.
    pub chains: u64,
}

impl MemoryAccount {
    /// All of it, without the staging that uploads and downloads pass through.
    pub fn total(&self) -> u64 {
        self.parameters + self.optimiser + self.workspace + self.snapshot + self.chains
    }
}

impl fmt::Display for MemoryAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |bytes: u64| match bytes {
            0..1024 => format!("{bytes} B"),
            1024..1_048_576 => format!("{:.0} KiB", bytes as f64 / 1024.0),
            _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        };
        write!(
            f,
            "{}: parameters {}, optimiser {}, workspace {}; for the method one stale copy of the parameters {} and \
             the chains {}",
            size(self.total()),
            size(self.parameters),
            size(self.optimiser),
            size(self.workspace),
            size(self.snapshot),
            size(self.chains)
        )
    }
}
