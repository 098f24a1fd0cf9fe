use super::Session;
use super::networks::ReferenceNetwork;
use super::timing::{Clock, Times};
use crate::gpu::{AdapterSummary, Executor, WGPU_VERSION};
use crate::network::{ChosenKernels, chosen_kernels};
use serde::Serialize;

/// What a figure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FigureKind {
    /// One of the two limits of the machine.
    Ceiling,
    /// One pass of one layer.
    Layer,
    /// Work of a network: `langevin`, `train` or `full`.
    Network,
    /// One kernel's part in the work of a network.
    Kernel,
}

/// One measurement. The names are those of `benches/peer_torch.py --json`, with more behind them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) net: Option<&'static str>,
    /// The variant of the layer kernels.
    pub(crate) mode: String,
    /// `langevin`, `train` or `full` for networks and their kernels, otherwise what was measured, in words.
    pub(crate) work: String,
    /// The adapter.
    pub(crate) device: String,
    pub(crate) batch: Option<usize>,
    /// Median time of one step, update or launch, by `clock`.
    pub(crate) ms: f64,
    pub(crate) ms_min: f64,
    pub(crate) per_s: f64,
    /// 10⁹ useful floating-point operations a second, a multiply-add counted as two; none where data is moved.
    pub(crate) gflops: Option<f64>,
    pub(crate) runs: usize,
    pub(crate) precision: &'static str,

    pub(crate) kind: FigureKind,
    pub(crate) kernel: Option<&'static str>,
    /// The middle half of the runs lies between these.
    pub ms_q1: f64,
    pub ms_q3: f64,
    pub(crate) clock: Clock,
    /// Median by the GPU's clock, where it has one.
    pub(crate) gpu_ms: Option<f64>,
    /// 10⁹ bytes a second, each value read and each written counted once, for kernels that move data.
    pub(crate) gb_per_s: Option<f64>,
    /// Of the multiply-add or the copy ceiling, as a share of 1.
    pub(crate) ceiling_share: Option<f64>,
    /// A kernel's part of its work's time, as a share of 1.
    pub(crate) work_share: Option<f64>,
    /// Kernel launches in one step, update or pass.
    pub(crate) launches: f64,
    /// Put together from the figures of its parts, not measured as one.
    pub(crate) composed: bool,
}

impl Figure {
    /// From times of one unit of `work`. Networks go by the clock on the wall, as their peers do; everything else by
    /// the GPU's, where there is one.
    pub(super) fn new(
        session: &Session,
        kind: FigureKind,
        work: impl Into<String>,
        times: &Times,
        launches: f64,
    ) -> Self {
        let (spread, clock) = match times.gpu {
            Some(gpu) if kind != FigureKind::Network => (gpu, Clock::Gpu),
            _ => (times.wall, Clock::Wall),
        };
        let ms = |seconds: f64| seconds * 1e3;
        Figure {
            net: None,
            mode: session.variant.name(),
            work: work.into(),
            device: session.executor.adapter().name.clone(),
            batch: None,
            ms: ms(spread.median),
            ms_min: ms(spread.smallest),
            per_s: 1.0 / spread.median,
            gflops: None,
            runs: spread.runs,
            precision: "fp32",
            kind,
            kernel: None,
            ms_q1: ms(spread.lower_quartile),
            ms_q3: ms(spread.upper_quartile),
            clock,
            gpu_ms: times.gpu.map(|gpu| ms(gpu.median)),
            gb_per_s: None,
            ceiling_share: None,
            work_share: None,
            launches,
            composed: false,
        }
    }

    /// The same of a network.
    pub(super) fn of(self, network: &ReferenceNetwork) -> Self {
        Figure {
            net: Some(network.name),
            batch: Some(network.batch),
            ..self
        }
    }

    /// Adds the rates that `flops` or `bytes` of one unit make, and their shares of the ceilings.
    pub(super) fn rates(&mut self, session: &Session, flops: Option<u64>, bytes: Option<u64>) {
        let rate = |amount: u64| amount as f64 / self.ms / 1e6;
        self.gflops = flops.map(rate);
        self.gb_per_s = bytes.map(rate);
        self.ceiling_share = session.ceilings.and_then(|ceilings| {
            let arithmetic = self.gflops.map(|rate| rate / ceilings.gflops);
            arithmetic.or(self.gb_per_s.map(|rate| rate / ceilings.gb_per_s))
        });
    }
}

/// What all figures of a run have in common: the first line of the output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Header {
    /// `header`, where figures have their kind.
    pub(crate) kind: &'static str,
    /// Of this program.
    pub(crate) afterimage: &'static str,
    pub(crate) wgpu: &'static str,
    pub(crate) adapter: AdapterSummary,
    /// The layer kernels that run; none before they are chosen.
    pub(crate) kernels: Option<ChosenKernels>,
    /// The clock of everything but the networks' work, which goes by the wall's.
    pub(crate) kernel_clock: Clock,
}

impl Header {
    /// Describes the adapter that `executor` runs on.
    pub(crate) fn of(executor: &Executor) -> Self {
        let kernel_clock = match executor.has_timestamps() {
            true => Clock::Gpu,
            false => Clock::Wall,
        };
        Header {
            kind: "header",
            afterimage: env!("CARGO_PKG_VERSION"),
            wgpu: WGPU_VERSION,
            adapter: executor.adapter().clone(),
            kernels: chosen_kernels(executor),
            kernel_clock,
        }
    }
}
