//! Times reference networks, their kernels and the machine itself on one adapter; see `docs/performance.md`.
//!
//! Machines are shared and noisy: compare the figures of one run with each other, not with those of another.

mod ceilings;
mod error;
mod figure;
mod growth;
mod kernels;
mod layers;
mod networks;
mod table;
mod timing;
mod work;

pub use ceilings::Ceilings;
pub use error::BenchError;
pub use figure::{Figure, FigureKind, Header};
pub use growth::{GrowthPoint, growth, growth_panels};
pub use networks::{ReferenceNetwork, reference_networks};
pub use table::{columns, growth_heading, growth_row, heading, preamble, row};
pub use timing::{Clock, Spread};

use crate::gpu::Executor;
use crate::network::{Variant, trusted_variant};

/// What to measure.
pub struct BenchOptions {
    pub networks: Vec<ReferenceNetwork>,
    /// How long to measure each network's work at least; kernels get a part of it.
    pub seconds: f64,
    /// Only the Langevin step and the update of each network: no ceilings, layers, kernels or full steps.
    pub brief: bool,
}

/// What all measurements of a run share.
struct Session<'a> {
    executor: &'a mut Executor,
    variant: Variant,
    seconds: f64,
    ceilings: Option<Ceilings>,
    tell: &'a mut dyn FnMut(Figure),
}

impl Session<'_> {
    fn tell(&mut self, figure: Figure) {
        (self.tell)(figure);
    }

    /// How long to measure one kernel.
    fn kernel_seconds(&self) -> f64 {
        self.seconds / 8.0
    }
}

/// Measures the two ceilings, the 64→128 layer, and each network: its Langevin step, its update, the full training
/// step, and every kernel in them. `tell` is given each figure as soon as it is there.
///
/// # Errors
/// When the GPU fails or a network does not fit it.
pub fn measure(
    executor: &mut Executor,
    options: &BenchOptions,
    tell: &mut dyn FnMut(Figure),
) -> Result<(), BenchError> {
    let variant = trusted_variant(executor)?;
    let mut session = Session {
        executor,
        variant,
        seconds: options.seconds,
        ceilings: None,
        tell,
    };
    if !options.brief {
        let mark = session.executor.mark();
        session.ceilings = Some(ceilings::measure(&mut session)?);
        layers::measure(&mut session)?;
        session.executor.release_since(mark);
    }
    for network in &options.networks {
        let mark = session.executor.mark();
        work::measure(&mut session, network, options.brief)?;
        session.executor.release_since(mark);
    }
    Ok(())
}
