use crate::kernels::{KernelFamily, Variant};
use crate::words::{Word, words};
use serde::{Deserialize, Serialize};
use std::fmt;

words! {
    /// What chose a family of kernels.
    pub enum ChosenBy {
        /// The command line, the settings of a run, or the program that embeds this one.
        Asked = "asked",
        /// The kind of the adapter: there is one for GPUs.
        Adapter = "adapter",
        /// The table of the drivers that were measured beforehand.
        Table = "table",
        /// A measurement on this driver.
        Measurement = "measurement",
        /// What is stored: no other has `run.precision`.
        Precision = "precision",
        /// Wrong results of the one that would have run.
        WrongResults = "wrong_results",
    }
}

/// The family of layer kernels that a device runs, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChosenKernels {
    pub family: KernelFamily,
    pub by: ChosenBy,
    /// What `by` says, in words for people.
    pub why: String,
}

impl fmt::Display for ChosenKernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.family.name(), self.why)
    }
}

/// A variant of the layer kernels that computes right, and why it was taken.
#[derive(Clone)]
pub(in crate::network) struct Trusted {
    pub(super) variant: Variant,
    pub(super) chosen: ChosenKernels,
}
