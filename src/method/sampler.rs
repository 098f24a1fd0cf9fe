use super::chains::{Chains, Pass};
use super::diagnostics::Diagnostics;
use super::strategy::Strategy;
use crate::gpu::{Buffer, Recording};
use crate::kernels::{
    ChainStart, Dynamics, TRACE_VALUES, gather_chains, scatter_chains, start_chains, trace_chains,
};
use crate::network::Network;
use crate::random::{Philox, Stream};
use rand::seq::SliceRandom;

/// Where the chains of an optimiser step come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ChainMode {
    /// From a replay buffer of `slots` chains, to which they return; a share of them starts afresh.
    Persistent { slots: usize, restart: f32 },
    /// Every chain starts afresh. The model then fits the law of these short runs, not a density.
    ShortRun,
    /// Every chain starts from a data sample (contrastive divergence).
    Data,
}

/// How noise is drawn from the snapshot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SamplerSettings {
    pub mode: ChainMode,
    /// Steps per optimiser step.
    pub steps: usize,
    pub dynamics: Dynamics,
    pub start: ChainStart,
    /// Share of the fresh chains that start from a data sample of the step in place of `start`. Where it is above 0, so
    /// do the chains of a new replay buffer, as each is met for the first time.
    pub data_share: f32,
    /// Temperature of the first step of a pass, see [`Pass::anneal`].
    pub anneal: Option<f32>,
    /// When the chains are looked at; none for never, and where a pass is shorter than 4 steps.
    pub diagnose: Option<Diagnose>,
}

/// The passes whose chains leave a trace for [`Diagnostics`]: one for each optimiser step that draws noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diagnose {
    /// The last one of so many.
    pub every: u64,
    /// And the last one of as many as the run has.
    pub of: u64,
}

/// The most records of a chain in one pass.
const MOST_RECORDS: usize = 32;
/// The fewest that R-hat can be told from.
pub const FEWEST_RECORDS: usize = 4;
/// Below this R-hat the chains count as samples of one law; 1.01 is asked of long runs (Vehtari et al. 2021), which
/// the few records of a pass cannot show.
const SETTLED: f64 = 1.05;

impl SamplerSettings {
    /// What a model trained on these chains is fitted to, in words: a density needs noise samples from the snapshot's
    /// own law, otherwise the fixed point is the law of the chains.
    pub fn target(&self) -> String {
        let target = match self.mode {
            ChainMode::Persistent { .. }
                if !self.is_at_temperature_one() || self.anneal.is_some() =>
            {
                "the law of its chains, which do not run at temperature 1"
            }
            ChainMode::Persistent { .. } => {
                "a density, as far as persistent chains at temperature 1 keep up with it"
            }
            ChainMode::ShortRun => "the law of its short runs: a generator, not a density",
            ChainMode::Data => "the law of short runs from the data (contrastive divergence)",
        };
        match self.dynamics.langevin.clip {
            clip if clip > 0.0 => format!("{target}; energy gradients are clipped at ±{clip}"),
            _ => target.to_owned(),
        }
    }

    /// [`Self::target`] after the fact: what a diagnosed pass on the last snapshot says of it, and by which figure.
    pub fn verdict(&self, last: Option<&Diagnostics>) -> String {
        let Some(last) = last else {
            return self.target();
        };
        let pass = format!("over {} steps on the last snapshot", last.steps);
        let Some((what, r_hat)) = last.worst() else {
            return format!("the law of its chains, not a density: chains stood still {pass}");
        };
        let figure = format!("R-hat of {what} {r_hat:.2} {pass}");
        let clip = self.dynamics.langevin.clip;
        if last.lost > 0 {
            format!(
                "the law of its chains, not a density: {} of {} chains ran away {pass}",
                last.lost,
                last.lost + last.chains
            )
        } else if !matches!(self.mode, ChainMode::Persistent { .. }) || self.anneal.is_some() {
            // However well chains mix that go on, these began afresh in every pass, or were hot.
            format!("{}; {figure}", self.target())
        } else if r_hat > SETTLED {
            format!(
                "the law of its chains, a generator and not a density: {figure}, above {SETTLED}"
            )
        } else if !self.is_at_temperature_one() {
            format!("the law of its chains, which do not run at temperature 1: {figure}")
        } else if clip > 0.0 {
            format!("the law of its chains, with energy gradients clipped at ±{clip}: {figure}")
        } else {
            let bias = match self.dynamics.kind.is_exact() {
                true => "",
                false => ", but for the bias of steps without a Metropolis test",
            };
            let fresh = match self.mode {
                ChainMode::Persistent { restart, .. } if restart > 0.0 => {
                    format!(
                        ", but for the {:.1} % that a pass starts afresh",
                        100.0 * restart
                    )
                }
                _ => String::new(),
            };
            format!(
                "a density, its negatives being samples of the snapshot{bias}{fresh}: {figure}, at most {SETTLED}"
            )
        }
    }

    fn is_at_temperature_one(&self) -> bool {
        let langevin = &self.dynamics.langevin;
        let (noise, step) = (f64::from(langevin.noise), f64::from(langevin.step_size));
        // The noise is stored in f32, so its square is right to about 2⁻²³.
        (noise * noise / (2.0 * step) - 1.0).abs() < 1e-5 && self.dynamics.temperature == 1.0
    }

    /// Records of each chain in a diagnosed pass; 0 where none is.
    fn records(&self) -> usize {
        match self.diagnose {
            Some(_) if self.steps >= FEWEST_RECORDS => self.steps.min(MOST_RECORDS),
            _ => 0,
        }
    }
}

/// Draws the noise samples of every optimiser step, in groups one after another where they do not all fit into the
/// network's workspace.
pub struct Sampler {
    /// Those of one group.
    chains: Chains,
    settings: SamplerSettings,
    count: usize,
    /// Parts of the chains, which share no slot of the replay buffer.
    parts: usize,
    seed: u64,
    replay: Option<Replay>,
    trace: Option<Trace>,
}

/// What the first group of chains leaves behind in a diagnosed pass.
struct Trace {
    /// The states when it began.
    before: Buffer,
    records: Buffer,
}

/// Steps that chains go on by to be looked at.
pub struct Probe {
    trace: Trace,
    records: usize,
    pass: Pass,
}

impl Probe {
    /// How many records of each chain there will be.
    pub fn records(&self) -> usize {
        self.records
    }

    /// What [`Diagnostics::from_trace`] reads when all records are there.
    pub fn trace(&self) -> Buffer {
        self.trace.records
    }
}

impl Trace {
    fn bytes(&self) -> u64 {
        self.before.bytes() + self.records.bytes()
    }
}

/// Chains between their turns. Every slot is visited once an epoch, in a fresh random order.
struct Replay {
    states: Buffer,
    order: Buffer,
    slots: usize,
}

impl Sampler {
    /// Lays out `count` chains per step, in groups of as many as a batch of `network` has samples.
    pub fn new(network: Network, count: usize, settings: SamplerSettings, seed: u64) -> Self {
        let length = network.architecture().input().len();
        let random = (seed, Stream::Langevin);
        let chains = Chains::on(network, settings.dynamics, settings.start, random);
        let replay = match settings.mode {
            ChainMode::Persistent { slots, .. } => {
                // A whole number of batches, so that no batch meets a slot twice.
                let slots = (slots / count).max(1) * count;
                Some(Replay {
                    states: Buffer::new("replay buffer", slots * length),
                    order: Buffer::new("replay order", slots),
                    slots,
                })
            }
            ChainMode::ShortRun | ChainMode::Data => None,
        };
        let mut sampler = Sampler {
            chains,
            settings,
            count,
            parts: 1,
            seed,
            replay,
            trace: None,
        };
        let records = settings.records();
        sampler.trace = (records > 0).then(|| sampler.new_trace(records));
        sampler
    }

    /// The same sampler with its chains run by `strategy`; see [`Chains::with_strategy`].
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.chains = self.chains.with_strategy(strategy);
        self
    }

    /// The same sampler with its chains in `parts` parts, each with slots of the replay buffer of its own, so that each can
    /// be drawn from an energy of its own. As many as divide the chains of a step evenly.
    pub fn in_parts(mut self, parts: usize) -> Self {
        debug_assert!(self.count.is_multiple_of(parts));
        self.parts = parts.max(1);
        self
    }

    /// The chains of one group.
    pub fn chains(&self) -> &Chains {
        &self.chains
    }

    /// How noise is drawn.
    pub fn settings(&self) -> &SamplerSettings {
        &self.settings
    }

    /// Energy-gradient evaluations of one optimiser step.
    pub fn evaluations(&self) -> u64 {
        (self.count * self.settings.dynamics.evaluations(self.settings.steps)) as u64
    }

    /// What pass number `step` leaves for [`Diagnostics::from_trace`]: the buffer, and how many records of each chain it holds.
    pub fn trace(&self, step: u64) -> Option<(Buffer, usize)> {
        let (trace, diagnose) = (self.trace.as_ref()?, self.settings.diagnose?);
        let done = step + 1;
        (done.is_multiple_of(diagnose.every) || done == diagnose.of)
            .then_some((trace.records, self.settings.records()))
    }

    /// The first pass that is diagnosed; none where none is.
    pub fn first_traced(&self) -> Option<u64> {
        self.trace.as_ref()?;
        let diagnose = self.settings.diagnose?;
        Some(diagnose.every.min(diagnose.of).max(1) - 1)
    }

    /// Bytes of what diagnoses need.
    pub fn trace_bytes(&self) -> u64 {
        self.trace.as_ref().map_or(0, Trace::bytes)
    }

    /// Bytes of the replay buffer and its order.
    pub fn replay_bytes(&self) -> u64 {
        self.replay
            .as_ref()
            .map_or(0, |replay| replay.states.bytes() + replay.order.bytes())
    }

    /// Must be recorded once before anything else, beside the setup of the network.
    pub fn setup(&self, recording: &mut Recording) {
        self.chains.setup_control(recording);
        if let Some(trace) = &self.trace {
            // So that the memory is taken now, and not in the middle of a run.
            recording.upload(trace.before, 0, vec![0]);
            recording.upload(trace.records, 0, vec![0]);
        }
        if let Some(replay) = &self.replay {
            let (start, count) = (self.settings.start, replay.states.words());
            // Step u32::MAX, which no optimiser step reaches, keeps these draws apart from restarts.
            let stream = Stream::ChainStart;
            start_chains(
                recording,
                start,
                stream,
                self.seed,
                u32::MAX,
                0,
                count,
                replay.states,
            );
        }
    }

    /// Draws the noise samples of optimiser step `step` from the energy with `parameters`, for which the chains must
    /// be prepared. The first `data_count` samples of `samples` are the step's data; the noise goes behind them.
    /// `before` records what comes before a part of the chains.
    pub fn draw(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        step: u64,
        samples: Buffer,
        data_count: usize,
        before: &mut dyn FnMut(&mut Recording, usize),
    ) {
        if let Some(replay) = &self.replay {
            let batches = self.batches(replay);
            if step.is_multiple_of(batches) {
                recording.upload(replay.order, 0, self.order(step / batches, replay.slots));
            }
        }
        let length = self.part_length();
        for part in 0..self.parts {
            before(recording, part);
            let chains = part * length..(part + 1) * length;
            for first in chains.step_by(self.chains.network().samples()) {
                self.draw_group(recording, parameters, step, samples, data_count, first);
            }
        }
    }

    /// Chains in a part.
    fn part_length(&self) -> usize {
        (self.count / self.parts).max(1)
    }

    /// The group of [`Self::draw`] whose first chain is number `first`. A last group of a part that is not full computes the
    /// missing chains like the others and leaves them where they are.
    pub fn draw_group(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        step: u64,
        samples: Buffer,
        data_count: usize,
        first: usize,
    ) {
        let x = self.chains.states();
        let length = self.chains.network().architecture().input().len();
        let before = first % self.part_length();
        let left = self.part_length() - before;
        let count = self.chains.network().samples().min(left);
        let replay = self.replay.as_ref().map(|replay| {
            let batch = (step % self.batches(replay)) as usize;
            (replay, (batch * self.count + first) as u32)
        });
        if let Some((replay, place)) = replay {
            gather_chains(
                recording,
                count,
                length,
                place,
                replay.states,
                replay.order,
                x,
            );
        }
        // The order of the replay buffer is random, so the first few of a batch are as good as any.
        let [fresh, from_data] = self
            .fresh(step)
            .map(|fresh| fresh.saturating_sub(before).min(count));
        if from_data < fresh {
            self.chains.restart(recording, step as u32, first, fresh);
        }
        let mut done = 0;
        while done < from_data {
            let row = (first + done) % data_count;
            let rows = (data_count - row).min(from_data - done);
            recording.copy_range(samples, row * length, x, done * length, rows * length);
            done += rows;
        }
        self.run(recording, parameters, step, first);
        if let Some((replay, place)) = replay {
            scatter_chains(
                recording,
                count,
                length,
                place,
                replay.states,
                replay.order,
                x,
            );
        }
        let behind = (data_count + first) * length;
        recording.copy_range(x, 0, samples, behind, count * length);
    }

    /// How many steps an epoch takes.
    fn batches(&self, replay: &Replay) -> u64 {
        (replay.slots / self.count) as u64
    }

    /// How many chains of a part start afresh at `step`, and how many of those from data.
    fn fresh(&self, step: u64) -> [usize; 2] {
        let share = self.settings.data_share;
        let (fresh, share) = match (self.settings.mode, &self.replay) {
            (ChainMode::Data, _) => (1.0, 1.0),
            (ChainMode::Persistent { .. }, Some(replay))
                if share > 0.0 && step < self.batches(replay) =>
            {
                (1.0, share)
            }
            (ChainMode::Persistent { restart, .. }, _) => (restart, share),
            (ChainMode::ShortRun, _) => (1.0, share),
        };
        [fresh, fresh * share].map(|share| restarts(step, share, self.part_length()))
    }

    fn run(&self, recording: &mut Recording, parameters: Buffer, step: u64, first: usize) {
        let steps = self.settings.steps;
        let pass = Pass {
            first_step: (step as u32).wrapping_mul(steps as u32),
            steps,
            adapting: steps / 2,
            first_chain: first,
            anneal: self.settings.anneal,
        };
        match (&self.trace, self.trace(step)) {
            (Some(trace), Some((_, records))) if first == 0 => {
                self.run_traced(recording, parameters, &pass, trace, records);
            }
            _ => self.chains.run(recording, parameters, &pass, 0..steps),
        }
    }

    fn run_traced(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        pass: &Pass,
        trace: &Trace,
        records: usize,
    ) {
        recording.copy(self.chains.states(), trace.before);
        for record in 0..records {
            self.run_to_record(recording, parameters, pass, trace, (record, records));
        }
    }

    fn run_to_record(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        pass: &Pass,
        trace: &Trace,
        (record, records): (usize, usize),
    ) {
        let part = pass.steps * record / records..pass.steps * (record + 1) / records;
        self.chains.run(recording, parameters, pass, part);
        let (before, trace) = (trace.before, trace.records);
        trace_chains(recording, self.chains.batch(), record, before, trace);
    }

    /// A probe of `steps` steps of the chains of the last group, from where they are; step size and temperature stay as
    /// they are.
    pub fn probe(&self, recording: &mut Recording, steps: usize) -> Probe {
        let records = steps.min(MOST_RECORDS);
        let trace = self.new_trace(records);
        recording.copy(self.chains.states(), trace.before);
        Probe {
            trace,
            records,
            pass: Pass {
                // The last numbers there are, which no pass of a run gets to.
                first_step: 0u32.wrapping_sub(steps as u32),
                steps,
                adapting: 0,
                first_chain: 0,
                anneal: None,
            },
        }
    }

    /// Runs a probe on to its record number `record`, on the energy with `parameters`, for which the chains must be
    /// prepared.
    pub fn run_probe(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        probe: &Probe,
        record: usize,
    ) {
        let place = (record, probe.records);
        self.run_to_record(recording, parameters, &probe.pass, &probe.trace, place);
    }

    /// Bytes that [`Self::probe`] takes.
    pub fn probe_bytes(&self, steps: usize) -> u64 {
        self.new_trace(steps.min(MOST_RECORDS)).bytes()
    }

    fn new_trace(&self, records: usize) -> Trace {
        let group = self.chains.network().samples();
        let values = self.chains.states().words();
        Trace {
            before: Buffer::new("chains before", values),
            records: Buffer::new("trace", records * group * TRACE_VALUES),
        }
    }

    /// The slots in the order of their visits: every part's own, shuffled, and of these a batch after another.
    fn order(&self, epoch: u64, slots: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..slots as u32).collect();
        let mut random = Philox::new(self.seed, Stream::ReplayOrder, epoch as u32);
        let own = slots / self.parts;
        for part in order.chunks_mut(own) {
            part.shuffle(&mut random);
        }
        let length = self.part_length();
        (0..own / length)
            .flat_map(|batch| {
                (0..self.parts).flat_map(move |part| {
                    let first = part * own + batch * length;
                    first..first + length
                })
            })
            .map(|place| order[place])
            .collect()
    }
}

/// How many of `count` chains start afresh at `step`, so that their running share is `share` to within one chain.
fn restarts(step: u64, share: f32, count: usize) -> usize {
    let until = |step: u64| (step as f64 * f64::from(share) * count as f64).floor();
    ((until(step + 1) - until(step)) as usize).min(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{LangevinSettings, SAMPLERS};
    use crate::method::Mixing;

    #[test]
    fn a_run_says_what_it_is_fitted_to() {
        let langevin = LangevinSettings {
            step_size: 0.01,
            noise: 0.02f32.sqrt(),
            clip: 0.0,
            bounds: crate::kernels::Bounds::None,
        };
        let mut settings = SamplerSettings {
            mode: ChainMode::Persistent {
                slots: 8,
                restart: 0.1,
            },
            steps: 1,
            dynamics: langevin.into(),
            start: ChainStart::Gaussian {
                mean: 0.0,
                std: 1.0,
            },
            data_share: 0.0,
            anneal: None,
            diagnose: None,
        };
        assert!(settings.target().starts_with("a density"));
        settings.dynamics.langevin.noise = 0.005;
        assert!(settings.target().starts_with("the law of its chains"));
        settings.mode = ChainMode::ShortRun;
        settings.dynamics.langevin.clip = 0.03;
        assert!(settings.target().contains("generator"));
        assert!(settings.target().ends_with("±0.03"));
    }

    #[test]
    fn the_verdict_names_its_figure() {
        let langevin = LangevinSettings {
            step_size: 0.01,
            noise: 0.02f32.sqrt(),
            clip: 0.0,
            bounds: crate::kernels::Bounds::None,
        };
        let mut settings = SamplerSettings {
            mode: ChainMode::Persistent {
                slots: 8,
                restart: 0.0,
            },
            steps: 20,
            dynamics: langevin.into(),
            start: ChainStart::Gaussian {
                mean: 0.0,
                std: 1.0,
            },
            data_share: 0.0,
            anneal: None,
            diagnose: None,
        };
        let mixing = |r_hat| Mixing {
            r_hat,
            ..Mixing::default()
        };
        let mut row = Diagnostics::from_trace(0, 1, &[], 1, 1.0, 0.01);
        row.energy = mixing(Some(1.31));
        row.projections = [mixing(Some(1.02)); 3];
        assert_eq!(settings.verdict(None), settings.target());
        let verdict = settings.verdict(Some(&row));
        assert!(verdict.contains("R-hat of the energy 1.31"), "{verdict}");
        assert!(
            verdict.contains("not a density") && verdict.ends_with("above 1.05"),
            "{verdict}"
        );
        row.energy = mixing(Some(1.01));
        let verdict = settings.verdict(Some(&row));
        assert!(
            verdict.starts_with("a density") && verdict.contains("a projection 1.02"),
            "{verdict}"
        );
        assert!(verdict.contains("without a Metropolis test"), "{verdict}");
        settings.dynamics.kind = SAMPLERS[1];
        assert!(!settings.verdict(Some(&row)).contains("without"));
        settings.dynamics.temperature = 0.5;
        assert!(settings.verdict(Some(&row)).contains("temperature 1"));
        settings.dynamics.temperature = 1.0;
        settings.mode = ChainMode::Persistent {
            slots: 8,
            restart: 0.05,
        };
        assert!(settings.verdict(Some(&row)).contains("but for the 5.0 %"));
        // Chains that mix when they go on say nothing of those that begin afresh in every pass, or hot.
        settings.anneal = Some(4.0);
        assert!(!settings.verdict(Some(&row)).starts_with("a density"));
        settings.anneal = None;
        for mode in [ChainMode::ShortRun, ChainMode::Data] {
            settings.mode = mode;
            let verdict = settings.verdict(Some(&row));
            assert!(verdict.starts_with("the law of"), "{verdict}");
            assert!(verdict.contains("a projection 1.02"), "{verdict}");
        }
        row.lost = 1;
        assert!(settings.verdict(Some(&row)).contains("ran away"));
        row.lost = 0;
        row.energy = mixing(None);
        assert!(settings.verdict(Some(&row)).contains("stood still"));
    }

    #[test]
    fn the_running_share_of_restarts_is_exact() {
        let total: usize = (0..1000).map(|step| restarts(step, 0.05, 128)).sum();
        assert_eq!(total, 6400);
        assert_eq!(restarts(7, 1.0, 16), 16);
        assert_eq!(restarts(7, 0.0, 16), 0);
    }
}
