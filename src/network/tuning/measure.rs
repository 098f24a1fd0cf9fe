use super::search::Meter;
use super::table::{Tuning, key};
use crate::gpu::{Buffer, Executor, Frozen, GpuError, Mark, Recording};
use crate::kernels::{
    Activation, Choice, Choices, Layer, LayerKind, LayerParameters, LayerPass, Variant,
};
use crate::network::Architecture;
use std::collections::BTreeSet;
use std::ops::Range;
use web_time::{Duration, Instant};

/// How many candidates of a pass are measured: the cost model is right but for a few places.
const CANDIDATES: usize = 4;
/// Each measurement is of as many runs as take about this long, so that handing them over counts for little.
const LONG_ENOUGH: Duration = Duration::from_millis(5);
const MOST_RUNS: u32 = 64;
/// Larger batches are measured by as many samples as have about so many values before and after the layer, so that
/// neither memory nor time grow with them.
const MOST_VALUES: usize = 1 << 23;

/// A pass of a layer to find the best candidate for.
pub(super) struct Task {
    pub(super) key: String,
    pub(super) candidates: Vec<Choice>,
    kind: LayerKind,
    activation: Activation,
    /// Samples to measure it with.
    samples: usize,
    variant: Variant,
    pass: LayerPass,
    /// Whether the pass writes or reads an activation derivative: not at the ends of the network.
    derivative: bool,
}

/// The passes of a network that `tuning` says nothing about, the most work first. None where all are computed in one launch.
pub(super) fn missing(
    architecture: &Architecture,
    samples: usize,
    variant: Variant,
    tuning: &Tuning,
) -> Vec<Task> {
    let mut known = BTreeSet::new();
    let mut missing = Vec::new();
    if architecture.stack(samples, variant).is_some() {
        return missing;
    }
    let last = architecture.layers().len() - 1;
    for (index, &kind) in architecture.layers().iter().enumerate() {
        for pass in LayerPass::ALL {
            let key = key(kind, samples, variant, pass);
            if tuning.get(&key).is_some() || !known.insert(key.clone()) {
                continue;
            }
            let values = kind.input_shape().len() + kind.output_shape().len();
            let fewer = samples.min((MOST_VALUES / values).max(1));
            let possible = Layer::candidates(kind, fewer, variant, pass);
            let mut candidates = Layer::candidates(kind, samples, variant, pass);
            candidates.retain(|candidate| possible.contains(candidate));
            candidates.truncate(CANDIDATES);
            if candidates.is_empty() {
                continue;
            }
            missing.push(Task {
                key,
                candidates,
                kind,
                activation: architecture.activation_after(index),
                samples: fewer,
                variant,
                pass,
                derivative: match pass {
                    LayerPass::Forward => index < last,
                    LayerPass::InputGradient => index > 0,
                },
            });
        }
    }
    // The weights meet every output pixel once, forward and back.
    missing.sort_by_key(|task| {
        let shape = task.kind.output_shape();
        std::cmp::Reverse(task.kind.weight_len() * shape.height * shape.width)
    });
    missing
}

/// Times candidates on a device, on maps of zeros.
pub(super) struct OnGpu<'a> {
    executor: &'a mut Executor,
    began: Instant,
    /// Those prepared last: one run of each.
    candidates: Vec<Option<Frozen>>,
    /// From when on buffers and images are those of the pass prepared last.
    mark: Mark,
    /// Something to read.
    word: Buffer,
    /// Runs in one measurement.
    runs: u32,
}

impl<'a> OnGpu<'a> {
    pub(super) fn new(executor: &'a mut Executor, began: Instant) -> Self {
        let word = Buffer::new("tuning", 1);
        OnGpu {
            mark: executor.mark(),
            executor,
            began,
            candidates: Vec::new(),
            word,
            runs: 1,
        }
    }

    /// Runs a recording and waits for the end.
    fn run(&mut self, recording: &Recording) -> Result<Duration, GpuError> {
        let began = Instant::now();
        self.executor.run(recording)?;
        // A read waits for everything, and leaves alone what else is under way.
        self.executor.read_words(self.word, 0, 1)?;
        Ok(began.elapsed())
    }
}

impl Meter for OnGpu<'_> {
    type Task = Task;
    type Error = GpuError;

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn candidates(&self, task: &Task) -> usize {
        task.candidates.len()
    }

    fn prepare(&mut self, task: &Task, candidates: Range<usize>) -> Result<Vec<bool>, GpuError> {
        let first = candidates.start == 0;
        if first {
            self.executor.release_since(self.mark);
            self.mark = self.executor.mark();
            self.candidates.clear();
            self.runs = 1;
        }
        let mut all = Recording::new();
        let mut possible = Vec::new();
        for &candidate in &task.candidates[candidates] {
            // One that needs more than the adapter allows is none.
            let once = task.record(candidate).ok();
            let once = once.filter(|once| self.executor.admits(once).is_ok());
            possible.push(once.is_some());
            if let Some(once) = &once {
                all.append(once.clone());
            }
            self.candidates.push(once.map(Recording::freeze));
        }
        // Compiles them side by side.
        self.run(&all)?;
        if first && let Some(one) = self.candidates.iter().position(Option::is_some) {
            let once = self.time(one)?;
            let runs = LONG_ENOUGH.as_secs_f64() / once.as_secs_f64();
            self.runs = (runs as u32).clamp(1, MOST_RUNS);
        }
        Ok(possible)
    }

    fn time(&mut self, candidate: usize) -> Result<Duration, GpuError> {
        let mut recording = Recording::new();
        if let Some(Some(once)) = self.candidates.get(candidate) {
            recording.replay(once, 0, self.runs);
        }
        Ok(self.run(&recording)? / self.runs)
    }
}

impl Task {
    /// One run by a candidate.
    fn record(&self, candidate: Choice) -> Result<Recording, GpuError> {
        let mut choices = Choices::default();
        match self.pass {
            LayerPass::Forward => choices.forward = Some(candidate),
            LayerPass::InputGradient => choices.input_gradient = Some(candidate),
        }
        let Task {
            kind,
            activation,
            samples,
            variant,
            ..
        } = *self;
        let layer = Layer::with_choices(kind, activation, samples, variant, choices);
        let parameters = LayerParameters {
            buffer: Buffer::new("tuning parameters", kind.weight_len() + kind.outputs()),
            offset: 0,
        };
        let derivative = |shape| {
            let new = || layer.new_plain("tuning derivative", shape);
            let maps = self.derivative.then(new).transpose()?;
            Ok::<_, GpuError>(maps.map(|maps| layer.for_derivatives(&maps)))
        };
        let mut recording = Recording::new();
        match self.pass {
            LayerPass::Forward => {
                let input = layer.new_input("tuning input")?;
                let output = layer.new_plain("tuning output", kind.output_shape())?;
                let derivative = derivative(kind.output_shape())?;
                let derivative = derivative.as_ref();
                layer.forward(&mut recording, parameters, &input, &output, derivative);
            }
            LayerPass::InputGradient => {
                let from = layer.new_output_gradient("tuning output gradient")?;
                let to = layer.new_plain("tuning input gradient", kind.input_shape())?;
                let derivative = derivative(kind.input_shape())?;
                let derivative = derivative.as_ref();
                layer.input_gradient(&mut recording, parameters, &from, derivative, &to);
            }
        }
        Ok(recording)
    }
}
