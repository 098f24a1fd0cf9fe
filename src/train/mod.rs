//! Training: what runs when.
//!
//! A [`Trainer`] trains what a [`Config`](crate::config::Config) asks for, one optimiser step at a time, and gives the
//! [`Model`](crate::model::Model) of any step; [`in_memory`](in_memory()) trains to the end and gives the last one; [`run`]
//! trains to the end, fills a run folder and tells an observer on the way; [`PlannedRun`] is all that comes before, as the command
//! line does it, and [`open_model`](open_model()) finds the model that a run has left. What a step is,
//! [`TrainingPlan`](crate::low_level::train::TrainingPlan) writes down as a recording, for which it needs no device.

mod best;
mod best_files;
mod board;
mod devices;
mod diverged;
mod divergence;
mod drawing;
mod energies;
mod energy_rows;
mod error;
mod fit;
mod in_memory;
mod judge;
mod keep;
mod keeper;
mod last_look;
mod lines;
mod look_size;
mod memory;
mod metrics;
mod open_model;
mod plan;
mod recovery;
mod resume;
mod run;
mod session;
mod settings;
mod state;
mod states;
mod ticket;
mod trainer;
mod waiting;

pub use best::Best;
pub use devices::{Beginning, run_through};
pub use divergence::Divergence;
pub(crate) use drawing::can_be_shown;
pub use error::TrainError;
pub use in_memory::in_memory;
pub use last_look::{ChainCount, LastLook};
pub use memory::MemoryAccount;
pub use metrics::MetricsRow;
pub(crate) use metrics::{CURVES, Curve};
pub(crate) use open_model::run_of;
pub use open_model::{OpenError, open_model};
pub use recovery::Recovery;
pub use resume::Interrupted;
pub use run::{Event, Summary, Wishes, resume, run};
pub use session::{PlannedRun, ReadyRun, RunPlace};
pub(crate) use settings::{fits_so_far, target};
pub use state::TrainingState;
pub use states::interrupted_model;
pub use trainer::{Arrival, Trainer};

// Named in what the above offers.
pub use crate::evaluation::{Judged, PairTest};
pub use crate::files::FileError;
pub use crate::method::{Diagnostics, Mixing};
pub use crate::report::ReportError;

/// What only [`crate::low_level`] shows.
pub(crate) mod low_level {
    pub use crate::train::plan::TrainingPlan;
    pub use crate::train::settings::initialisation;
}
