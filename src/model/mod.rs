//! A trained model: its network, its parameters, how its data is scaled and how it is sampled. What a checkpoint
//! holds, and what a host program embeds.

mod error;
mod evaluator;
mod sample;
mod settings;
mod stored;

pub use error::ModelError;
pub use evaluator::Evaluator;
pub(crate) use evaluator::first_energies;
pub(crate) use sample::first_draw;
pub use sample::{SampleOptions, Samples};
pub use settings::{architecture, chain_start};
pub use stored::{Model, Weights};
