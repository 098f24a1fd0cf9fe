//! Small networks on GPUs: a whole Langevin chain in one launch (`shaders/walk/`). One workgroup walks the chains of one
//! or a few samples, whose activations stay in its memory; only weights are read.

mod chain;
mod hidden;
mod pack;
mod pass;
mod plan;

pub use chain::{WalkArguments, walk_chains};
pub use pack::pack_walk_weights;
pub use plan::WalkPlan;

/// Invocations in a workgroup.
const THREADS: usize = 256;
/// Bytes of four values: the unit in which maps and weights are kept.
const QUAD: usize = 16;
