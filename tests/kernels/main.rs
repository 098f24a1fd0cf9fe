//! Every kernel that is no layer against its f64 twin, with the shaders' runtime checks off, as in production, and on.

#[path = "../common/mod.rs"]
mod common;

mod adam;
mod chains;
mod energies;
mod langevin;
mod launch;
mod philox;
mod ratio_head;
mod sums;
