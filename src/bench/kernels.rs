use super::Session;
use super::error::BenchError;
use super::figure::{Figure, FigureKind};
use super::networks::ReferenceNetwork;
use super::timing::{Times, measure_short};
use crate::gpu::{Command, Recording};

/// A piece of work.
pub(super) struct TimedWork<'a> {
    pub(super) network: &'a ReferenceNetwork,
    pub(super) name: &'static str,
    pub(super) recording: Recording,
    /// How many units of work the recording holds.
    pub(super) units: usize,
    /// Useful operations of one unit.
    pub(super) flops: u64,
}

/// Times the launches of each kernel of a piece of work apart from the others; `whole` is what all take together.
pub(super) fn measure(
    session: &mut Session,
    work: &TimedWork,
    whole: &Times,
) -> Result<(), BenchError> {
    let seconds = session.kernel_seconds();
    let per_unit = 1.0 / work.units as f64;
    for (kernel, launches) in work.recording.launches() {
        let alone = only(kernel, &work.recording);
        let times = measure_short(session.executor, &alone, seconds)?.scaled(per_unit);
        let launches = launches as f64 * per_unit;
        let figure = Figure::new(session, FigureKind::Kernel, work.name, &times, launches);
        let mut figure = figure.of(work.network);
        figure.kernel = Some(kernel);
        // Kernels that say what they move are bound by that; what they compute is reckoned in for submissions only.
        let per_unit = |total: u64| Some(total / work.units as u64);
        match alone.bytes() {
            0 => figure.rates(session, per_unit(alone.flops()), None),
            bytes => figure.rates(session, None, per_unit(bytes)),
        }
        let whole = whole.gpu.unwrap_or(whole.wall).median;
        figure.work_share = Some(figure.ms / 1e3 / whole);
        session.tell(figure);
    }
    Ok(())
}

/// The launches of one kernel.
fn only(kernel: &str, recording: &Recording) -> Recording {
    let mut alone = Recording::new();
    for command in recording.expanded().commands() {
        if let Command::Dispatch(dispatch) = command
            && dispatch.program.kernel.name == kernel
        {
            alone.dispatch(dispatch.clone());
        }
    }
    alone
}
