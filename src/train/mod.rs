//! Training: what runs when.
//!
//! [`TrainingPlan`] writes an optimiser step down as a recording and needs no device; [`Trainer`] runs it; [`run`]
//! fills a run folder with what came of it and tells an observer on the way.

mod drawing;
mod error;
mod fit;
mod memory;
mod metrics;
mod plan;
mod run;
mod settings;
mod ticket;
mod trainer;

pub use error::TrainError;
pub use memory::MemoryAccount;
pub use metrics::MetricsRow;
pub use plan::TrainingPlan;
pub use run::{Event, Summary, run};
pub use settings::initialisation;
pub(crate) use settings::target;
pub use trainer::{Arrival, Trainer};
