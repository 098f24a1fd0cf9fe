//! What the machine can do at most, measured in the same run as everything else.

use super::Session;
use super::error::BenchError;
use super::figure::{Figure, FigureKind};
use crate::gpu::{Buffer, Recording};
use crate::kernels::bench::{MultiplyAdd, copy, multiply_add};
use crate::kernels::{ChainStart, start_chains};
use crate::random::Stream;
use serde::Serialize;

/// Enough invocations to fill the largest GPU several times over.
const WORKGROUPS: usize = 8192;
const ROUNDS: usize = 16;
/// Multiply-adds of vectors written out in a round: enough to hide the loop around them.
const WRITTEN_OUT: usize = 64;
/// Independent accumulators to try: latency wants many, the number of registers few.
const ACCUMULATORS: [usize; 4] = [2, 4, 8, 16];
/// Bytes of each of the two buffers of the copy: more than caches hold.
const COPIED: u64 = 128 << 20;
/// Vectors of four that an invocation copies.
const VECTORS: [usize; 2] = [1, 4];

/// The two limits that kernels are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Ceilings {
    /// 10⁹ floating-point operations a second of multiply-adds in registers, each counted as two.
    pub(crate) gflops: f64,
    /// 10⁹ bytes a second of a copy, read and written bytes counted alike.
    pub(crate) gb_per_s: f64,
}

/// Measures both, and tells the best of what was tried for each.
pub(super) fn measure(session: &mut Session) -> Result<Ceilings, BenchError> {
    let arithmetic = fastest(session, multiply_adds())?;
    let gflops = arithmetic.gflops.unwrap_or_default();
    session.tell(arithmetic);
    let candidates = copies(session)?;
    let memory = fastest(session, candidates)?;
    let gb_per_s = memory.gb_per_s.unwrap_or_default();
    session.tell(memory);
    Ok(Ceilings { gflops, gb_per_s })
}

/// One way to reach a ceiling.
struct Candidate {
    name: String,
    recording: Recording,
    flops: Option<u64>,
    bytes: Option<u64>,
}

/// The figure of the fastest of at least one candidate; all do the same amount of work.
fn fastest(session: &mut Session, candidates: Vec<Candidate>) -> Result<Figure, BenchError> {
    let mut figures = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let Candidate {
            name,
            recording,
            flops,
            bytes,
        } = candidate;
        figures.push(session.short(FigureKind::Ceiling, name, &recording, flops, bytes)?);
    }
    figures.sort_by(|a, b| a.ms.total_cmp(&b.ms));
    Ok(figures.swap_remove(0))
}

fn multiply_adds() -> Vec<Candidate> {
    let sums = Buffer::new("multiply-add sums", WORKGROUPS * 64 * 4);
    ACCUMULATORS
        .into_iter()
        .map(|accumulators| {
            let settings = MultiplyAdd {
                accumulators,
                rounds: ROUNDS,
                updates: WRITTEN_OUT / accumulators,
                // Towards 500, so that no value over- or underflows.
                factor: 0.999,
                term: 0.5,
            };
            let mut recording = Recording::new();
            multiply_add(&mut recording, &settings, WORKGROUPS, sums);
            Candidate {
                name: format!("multiply-add in registers, {accumulators} vectors"),
                flops: Some(recording.flops()),
                bytes: None,
                recording,
            }
        })
        .collect()
}

fn copies(session: &mut Session) -> Result<Vec<Candidate>, BenchError> {
    let bytes = COPIED.min(session.executor.adapter().largest_binding);
    let vectors = (bytes / 16) as usize;
    let (from, to) = (
        Buffer::new("copy source", vectors * 4),
        Buffer::new("copy target", vectors * 4),
    );
    // Drivers have short cuts for memory that holds nothing but zeros.
    let mut filling = Recording::new();
    let uniform = ChainStart::Uniform {
        low: 0.0,
        high: 1.0,
    };
    start_chains(
        &mut filling,
        uniform,
        Stream::Sampling,
        1,
        0,
        0,
        from.words(),
        from,
    );
    session.executor.run(&filling)?;

    let moved = Some(2 * from.bytes());
    let mut candidates: Vec<Candidate> = VECTORS
        .into_iter()
        .map(|each| {
            let mut recording = Recording::new();
            copy(&mut recording, vectors, each, from, to);
            Candidate {
                name: format!("copy by a kernel, {each} vectors an invocation"),
                flops: None,
                bytes: moved,
                recording,
            }
        })
        .collect();
    let mut recording = Recording::new();
    recording.copy(from, to);
    candidates.push(Candidate {
        name: "copy by the driver".into(),
        flops: None,
        bytes: moved,
        recording,
    });
    Ok(candidates)
}
