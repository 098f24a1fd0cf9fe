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

pub(crate) use ceilings::Ceilings;
pub(crate) use error::BenchError;
pub(crate) use figure::{Figure, Header};
pub(crate) use growth::{GrowthPoint, growth, growth_panels};
pub(crate) use networks::{ReferenceNetwork, reference_networks};
pub(crate) use table::{columns, growth_heading, growth_row, heading, preamble, row};

use crate::gpu::{Executor, Recording};
use crate::network::{Variant, trusted_variant};
use figure::FigureKind;
use timing::measure_short;

/// What to measure.
pub(crate) struct BenchOptions {
    pub(crate) networks: Vec<ReferenceNetwork>,
    /// How long to measure each network's work at least; kernels get a part of it.
    pub(crate) seconds: f64,
    /// Only the Langevin step and the update of each network: no ceilings, layers, kernels or full steps.
    pub(crate) brief: bool,
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

    /// The figure of `work` that is too short to be timed alone.
    fn short(
        &mut self,
        kind: FigureKind,
        work: impl Into<String>,
        recording: &Recording,
        flops: Option<u64>,
        bytes: Option<u64>,
    ) -> Result<Figure, BenchError> {
        let times = measure_short(self.executor, recording, self.kernel_seconds())?;
        let launches = recording.launches().values().sum::<usize>() as f64;
        let mut figure = Figure::new(self, kind, work, &times, launches);
        figure.rates(self, flops, bytes);
        Ok(figure)
    }
}

/// Measures the two ceilings, the 64→128 layer, and each network: its Langevin step, its update, the full training
/// step, and every kernel in them. `tell` is given each figure as soon as it is there.
///
/// # Errors
/// When the GPU fails or a network does not fit it.
pub(crate) fn measure(
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
