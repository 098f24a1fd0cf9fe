//! The words of the configuration whose meaning takes further keys; those that need none are declared where they mean
//! something.

use crate::words::words;

words! {
    /// `network.base`
    pub enum BaseKind {
        None = "none",
        Gaussian = "gaussian",
    }
}

words! {
    /// `objective.normaliser`
    pub enum NormaliserKind {
        Zero = "zero",
        Learned = "learned",
        Profiled = "profiled",
        Importance = "importance",
    }
}

words! {
    /// `snapshot.kind`
    pub enum SnapshotKind {
        Copy = "copy",
        /// The moving average of the live weights.
        Ema = "ema",
        Mixture = "mixture",
        /// No snapshot, but fixed noise.
        Gaussian = "gaussian",
        /// The same.
        Uniform = "uniform",
    }
}

impl SnapshotKind {
    /// Whether it is taken anew every so many steps, between which noise may be shared.
    pub(crate) fn is_refreshed(self) -> bool {
        match self {
            SnapshotKind::Copy | SnapshotKind::Mixture => true,
            SnapshotKind::Ema | SnapshotKind::Gaussian | SnapshotKind::Uniform => false,
        }
    }

    /// Whether noise is drawn from a snapshot by chains; fixed noise is drawn as it is.
    pub(crate) fn needs_chains(self) -> bool {
        match self {
            SnapshotKind::Copy | SnapshotKind::Ema | SnapshotKind::Mixture => true,
            SnapshotKind::Gaussian | SnapshotKind::Uniform => false,
        }
    }
}

words! {
    /// `sampler.chains`
    pub enum ChainKind {
        Persistent = "persistent",
        ShortRun = "short_run",
        Data = "data",
    }
}

words! {
    /// `sampler.bounds`
    pub enum BoundsKind {
        None = "none",
        Clamp = "clamp",
        Reflect = "reflect",
    }
}

words! {
    /// `sampler.jump_to`
    pub enum JumpKind {
        Start = "start",
        /// A mixture of them, fitted to the data.
        Gaussians = "gaussians",
    }
}

words! {
    /// `sampler.start`
    pub enum StartKind {
        Gaussian = "gaussian",
        Uniform = "uniform",
        Data = "data",
        /// Some from data, the others Gaussian.
        Mixture = "mixture",
    }
}

impl StartKind {
    /// Whether chains start from data, some of them at least.
    pub(crate) fn takes_data(self) -> bool {
        match self {
            StartKind::Gaussian | StartKind::Uniform => false,
            StartKind::Data | StartKind::Mixture => true,
        }
    }
}
