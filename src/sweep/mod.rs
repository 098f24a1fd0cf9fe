//! A sweep: the same preset trained with some settings varied, over several seeds, and compared at equal cost.
//!
//! Here is what is trained ([`Plan`]), what is left of each cell ([`CellResult`]), and what all of them say together
//! ([`write`]). Who trains them, here or on other machines, is the command line's business.

mod axes;
mod budget;
mod cells;
mod compared;
mod csv;
mod error;
mod figures;
mod page;
mod plan;
mod plots;
mod result;
mod spread;
mod table;
mod write;

pub(crate) use budget::Budget;
pub(crate) use cells::Cell;
pub(crate) use compared::Compared;
pub(crate) use error::SweepError;
pub(crate) use figures::figures_of;
pub(crate) use plan::{Asked, Plan, State};
pub(crate) use result::{CellResult, Failure, Spent, Trained, settings_of};
pub(crate) use write::{Written, write};
