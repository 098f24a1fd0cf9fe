use super::drawing::can_be_shown;
use super::error::TrainError;
use super::fit::{chosen_plan, set_up};
use super::judge::{FEWEST_JUDGED, Floor, Judging, lacks_data};
use super::metrics::MetricsRow;
use super::plan::TrainingPlan;
use super::recovery::recovered;
use super::state::{PendingStates, TrainingState};
use super::ticket::Ticket;
use crate::config::Config;
use crate::data::Dataset;
use crate::gpu::{AdapterKind, Executor, Mark, Recording, at_once};
use crate::method::{Diagnostics, RatioMetrics, StepControl, Traces};
use crate::model::Model;
use crate::network::{Network, chosen_kernels};
use std::collections::{BTreeMap, VecDeque};
use web_time::{Duration, Instant};

/// Time over which the speed is measured.
const SPEED_WINDOW: Duration = Duration::from_secs(4);

/// What has come back from the GPU.
pub enum Arrival {
    /// The metrics of a step.
    Metrics { row: MetricsRow, lost: f32 },
    /// What the chains of a step say of themselves, before the step's metrics.
    Diagnostics(Diagnostics),
    /// The noise samples after a step, in the model's scale.
    States {
        step: u64,
        values: Vec<f32>,
        /// The averaged weights at the same step, where the data is planar and the energy can be drawn.
        average: Option<Vec<f32>>,
        /// Chains of the replay buffer at the same step, the same ones each time, where samples are pictures and there is one.
        chains: Option<Vec<f32>>,
    },
    /// The energies of the samples of a step under the live weights, first of data and then of noise, and their log-ratios but for
    /// c, where the objective compares with the snapshot.
    Energies {
        step: u64,
        energies: Vec<f32>,
        log_ratios: Option<Vec<f32>>,
    },
    /// The parameters that the noise of a step was drawn from.
    Snapshot { step: u64, parameters: Vec<f32> },
    /// The weights after a step whose metrics have a distance of chains from data, right after these.
    Judged {
        step: u64,
        average: Vec<f32>,
        live: Vec<f32>,
    },
    /// What the steps after some step depend on. All that was asked for before it, and the metrics of all steps before it, have
    /// arrived before.
    State(TrainingState),
}

/// A training run on one device.
pub struct Trainer {
    executor: Executor,
    /// Before all that the plan names.
    mark: Mark,
    plan: TrainingPlan,
    config: Config,
    /// How often the run has diverged and gone back: its steps are those of another rate and of other random numbers.
    recoveries: usize,
    data: Dataset,
    batch: Vec<f32>,
    step: u64,
    arrivals: VecDeque<Instant>,
    speed: f32,
    /// Averaged weights that wait for the states of their step.
    averages: BTreeMap<u64, Vec<f32>>,
    /// Chains of the replay buffer that do.
    chains: BTreeMap<u64, Vec<f32>>,
    /// Energies under the live weights that wait for those under the snapshot.
    live_energies: Option<Vec<f32>>,
    /// Step sizes and acceptances that wait for the metrics of their step.
    controls: BTreeMap<u64, StepControl>,
    judging: Judging,
    /// What the last diagnosis was told from.
    traces: Option<Traces>,
    states: PendingStates,
}

impl Trainer {
    /// Starts a run at its initial parameters, by the kernels of `run.kernels` or else those that suit the adapter. Of software
    /// adapters, on which that is a matter of measuring, [`Self::config`] says then which they are.
    ///
    /// # Errors
    /// When the configuration does not fit the data, the adapter or `run.memory`, the adapter
    /// cannot be trusted with `run.kernels` or `run.precision`, or the GPU fails.
    pub fn new(mut executor: Executor, config: &Config, data: Dataset) -> Result<Self, TrainError> {
        let mark = executor.mark();
        let plan = chosen_plan(&mut executor, config, &data)?;
        let mut config = config.clone();
        if executor.adapter().kind == AdapterKind::Cpu {
            config.run.kernels = chosen_kernels(&executor).map(|chosen| chosen.family);
        }
        let mut trainer = Self::on_plan(executor, &config, data, plan)?;
        trainer.mark = mark;
        Ok(trainer)
    }

    /// As [`Self::new`], on a plan of `config` that was made beforehand, whatever suits the adapter: for comparisons.
    ///
    /// # Errors
    /// When the noise does not fit the data, or the GPU fails.
    pub fn on_plan(
        mut executor: Executor,
        config: &Config,
        data: Dataset,
        plan: TrainingPlan,
    ) -> Result<Self, TrainError> {
        let plan = set_up(&mut executor, config, &data, plan)?;
        Ok(Trainer {
            mark: executor.mark(),
            executor,
            plan,
            config: config.clone(),
            recoveries: 0,
            data,
            batch: Vec::new(),
            step: 0,
            arrivals: VecDeque::new(),
            speed: 0.0,
            averages: BTreeMap::new(),
            chains: BTreeMap::new(),
            live_energies: None,
            controls: BTreeMap::new(),
            judging: Judging::default(),
            traces: None,
            states: PendingStates::default(),
        })
    }

    /// From here on the steps are those of a run that has gone back so often. All else is undone: a state has to be restored.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub(super) fn recover(&mut self, recoveries: usize) -> Result<(), TrainError> {
        if self.recoveries == recoveries {
            return Ok(());
        }
        self.executor.finish()?;
        self.executor.release_since(self.mark);
        self.mark = self.executor.mark();
        let config = recovered(&self.config, recoveries);
        let plan = chosen_plan(&mut self.executor, &config, &self.data)?;
        self.plan = set_up(&mut self.executor, &config, &self.data, plan)?;
        self.recoveries = recoveries;
        Ok(())
    }

    /// What it computes.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// `config` by the kernels that this trainer runs.
    pub(super) fn with_kernels(&self, config: &Config) -> Config {
        let mut config = config.clone();
        config.run.kernels = self.config.run.kernels;
        config
    }

    /// What a step records.
    pub fn plan(&self) -> &TrainingPlan {
        &self.plan
    }

    /// The data it trains on.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// The device, with the workspace of the passes to use between two steps.
    pub(super) fn workspace(&mut self) -> (&mut Executor, &Network) {
        (&mut self.executor, self.plan.network())
    }

    /// The device.
    pub fn executor(&mut self) -> &mut Executor {
        &mut self.executor
    }

    /// Steps handed to the GPU so far.
    pub fn steps_done(&self) -> u64 {
        self.step
    }

    /// Hands the next optimiser step to the GPU; waits only if too much is in flight.
    ///
    /// # Errors
    /// What the GPU reported.
    pub fn step(&mut self) -> Result<(), TrainError> {
        self.data
            .batch(self.step, self.config.run.batch, &mut self.batch);
        let recording = self.plan.step(self.step, &self.batch);
        self.executor.run(&recording)?;
        self.step += 1;
        Ok(())
    }

    /// Asks for the noise samples after the last step, and for what else belongs to their picture, which arrive later.
    ///
    /// # Errors
    /// What the GPU reported.
    pub fn request_states(&mut self) -> Result<(), TrainError> {
        let (states, start, words) = self.plan.noise_samples();
        let mut recording = Recording::new();
        if self.data.is_planar() {
            let average = self.plan.optimiser().average();
            let ticket = Ticket::Average.number(self.step);
            recording.fetch(average, 0, average.words(), ticket);
        } else if can_be_shown(self.data.shape())
            && let Some((buffer, _, ranges)) = self.plan.kept_chains(self.config.run.samples)
        {
            let length = self.data.shape().len();
            for chains in ranges {
                let (start, words) = (chains.start * length, chains.len() * length);
                let ticket = Ticket::KeptChains.number(self.step);
                recording.fetch(buffer, start, words, ticket);
            }
        }
        recording.fetch(states, start, words, Ticket::States.number(self.step));
        Ok(self.executor.run(&recording)?)
    }

    /// Asks for the energies of the samples of the last step, which arrive later.
    ///
    /// # Errors
    /// What the GPU reported.
    pub fn request_energies(&mut self) -> Result<(), TrainError> {
        let step = self.step.saturating_sub(1);
        let mut recording = Recording::new();
        for buffer in self.plan.energies_of_step() {
            recording.fetch(buffer, 0, buffer.words(), Ticket::Energies.number(step));
        }
        Ok(self.executor.run(&recording)?)
    }

    /// Asks for the snapshot that the noise of the last step was drawn from, which arrives later; not for noise that is no
    /// snapshot.
    ///
    /// # Errors
    /// What the GPU reported.
    pub fn request_snapshot(&mut self) -> Result<(), TrainError> {
        let step = self.step.saturating_sub(1);
        let Some(snapshot) = self.plan.snapshot(step) else {
            return Ok(());
        };
        let mut recording = Recording::new();
        let ticket = Ticket::Snapshot.number(step);
        recording.fetch(snapshot, 0, snapshot.words(), ticket);
        Ok(self.executor.run(&recording)?)
    }

    /// Asks for all that the steps from here on depend on, which arrives later. No bit of the run is another one for it.
    ///
    /// # Errors
    /// What the GPU reported.
    pub fn request_state(&mut self) -> Result<(), TrainError> {
        let lasting = self.plan.lasting();
        let mut recording = Recording::new();
        for (_, buffer) in &lasting {
            recording.fetch(*buffer, 0, buffer.words(), Ticket::State.number(self.step));
        }
        let names = lasting.into_iter().map(|(name, _)| name);
        self.states.ask(self.step, names.collect());
        Ok(self.executor.run(&recording)?)
    }

    /// Goes on from `state`, as if this trainer had done the steps before it. What is still to arrive is dropped. With the same
    /// configuration, data and adapter, all later steps have the bits that they would have had there.
    ///
    /// # Errors
    /// When it is the state of another plan of steps, or the GPU fails.
    pub fn restore(&mut self, state: &TrainingState) -> Result<(), TrainError> {
        let lasting = self.plan.lasting();
        state.check(&lasting)?;
        self.executor.finish()?;
        for (name, buffer) in lasting {
            let mut recording = Recording::new();
            recording.upload(buffer, 0, state.words(&name).to_vec());
            self.executor.run(&recording)?;
            // So that no more of it than this waits on the host.
            self.executor.flush()?;
        }
        self.executor.finish()?;
        self.step = state.step();
        self.traces = state.traces().cloned();
        self.states = PendingStates::default();
        (self.averages, self.chains, self.controls) = Default::default();
        self.live_energies = None;
        self.judging.forget();
        Ok(())
    }

    /// The noise samples of the last step, in the model's scale: (sample, channel, row, column). Waits for the GPU.
    ///
    /// # Errors
    /// What the GPU reported.
    pub fn noise_samples(&mut self) -> Result<Vec<f32>, TrainError> {
        at_once(self.noise_samples_async())
    }

    /// [`Self::noise_samples`] for a page, which goes on meanwhile.
    ///
    /// # Errors
    /// What the GPU reported.
    pub async fn noise_samples_async(&mut self) -> Result<Vec<f32>, TrainError> {
        let (states, start, words) = self.plan.noise_samples();
        let words = self.executor.read_words_async(states, start, words).await?;
        Ok(words.into_iter().map(f32::from_bits).collect())
    }

    /// Up to `most` chains of the replay buffer as training left them, (chain, channel, row, column) in the model's scale, and
    /// how many there are in all; none where chains are not kept. Waits for the GPU.
    ///
    /// # Errors
    /// What the GPU reported.
    pub(super) fn kept_chains(
        &mut self,
        most: usize,
    ) -> Result<Option<(Vec<f32>, usize)>, TrainError> {
        let Some((buffer, of, ranges)) = self.plan.kept_chains(most) else {
            return Ok(None);
        };
        let length = self.data.shape().len();
        let mut states = Vec::new();
        for chains in ranges {
            let (start, words) = (chains.start * length, chains.len() * length);
            let words = self.executor.read_words(buffer, start, words)?;
            states.extend(words.into_iter().map(f32::from_bits));
        }
        Ok(Some((states, of)))
    }

    /// What has arrived since the last call; with `wait`, everything outstanding.
    ///
    /// # Errors
    /// What the GPU reported.
    pub fn arrived(&mut self, wait: bool) -> Result<Vec<Arrival>, TrainError> {
        let results = if wait {
            self.executor.finish()?
        } else {
            self.executor.arrived()?
        };
        Ok(results
            .into_iter()
            .filter_map(|(number, words)| self.arrival(Ticket::of(number)?, &words))
            .collect())
    }

    /// The model after the steps so far, with the averaged weights in use and the live ones beside them. Waits for the
    /// GPU.
    ///
    /// # Errors
    /// What the GPU reported.
    pub fn model(&mut self) -> Result<Model, TrainError> {
        at_once(self.model_async())
    }

    /// [`Self::model`] for a page, which goes on meanwhile.
    ///
    /// # Errors
    /// What the GPU reported.
    pub async fn model_async(&mut self) -> Result<Model, TrainError> {
        let average = self.plan.optimiser().average();
        let parameters = self.executor.read_async(average).await?;
        let live = self.plan.live_parameters();
        let live = self.executor.read_async(live).await?;
        let model = self.model_of(parameters, self.step)?.with_live(live)?;
        let control = StepControl::read_async(&mut self.executor, self.plan.control()).await?;
        Ok(match control {
            Some(control) => model.with_step_size(control.step_size),
            None => model,
        })
    }

    /// Ends the run here, and gives the device back, without what the run had there; what a plan of the caller's own
    /// ([`Self::on_plan`]) had prepared before stays.
    pub fn into_executor(mut self) -> Executor {
        self.executor.release_since(self.mark);
        self.executor
    }

    /// The model with these parameters, which are those after `step` steps.
    ///
    /// # Errors
    /// When they are not as many as the network has.
    pub fn model_of(&self, parameters: Vec<f32>, step: u64) -> Result<Model, TrainError> {
        let (config, shape) = (self.config.clone(), self.data.shape());
        let model = Model::new(config, shape, self.data.scaling(), parameters, step)?
            .with_mixture(self.plan.mixture().cloned());
        Ok(match self.data.record() {
            Some(record) => model.with_data_record(record.clone()),
            None => model,
        })
    }

    /// What there is too little of for any figure; none of noise that has no chains, which asks for none.
    pub(super) fn lacks_to_judge(&self) -> Option<&'static str> {
        match self.plan.judged_count()? < FEWEST_JUDGED {
            true => {
                Some("it takes two chains, and there is one: raise sampler.buffer or run.batch")
            }
            false => lacks_data(&self.data),
        }
    }

    /// What distances of so many chains from data are to be held against; none where there are too few data for any.
    pub(super) fn floor(&mut self, chains: usize) -> Option<Floor> {
        self.judging.floor(chains, &self.data, &self.config)
    }

    /// Runs the chains on for `steps` steps on the last snapshot and says how they mix; none where the noise needs no
    /// chains, the steps are too few to tell anything, or `progress`, which is told how many of them are done, says no.
    ///
    /// # Errors
    /// What the GPU reported.
    pub fn probe(
        &mut self,
        steps: usize,
        progress: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Option<Diagnostics>, TrainError> {
        let mark = self.executor.mark();
        let probed = self.run_probe(steps, progress);
        self.executor.release_since(mark);
        probed
    }

    fn run_probe(
        &mut self,
        steps: usize,
        progress: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Option<Diagnostics>, TrainError> {
        let mut recording = Recording::new();
        let Some(probe) = self.plan.probe(&mut recording, steps) else {
            return Ok(None);
        };
        for record in 0..probe.records() {
            self.plan.run_probe(&mut recording, &probe, record);
            self.executor.run(&recording)?;
            self.executor.finish()?;
            recording = Recording::new();
            if !progress(steps * (record + 1) / probe.records(), steps) {
                return Ok(None);
            }
        }
        let trace = self.executor.read(probe.trace())?;
        let control = StepControl::read(&mut self.executor, self.plan.control())?;
        let (step_size, acceptance) = self.said(control);
        let step = self.step.saturating_sub(1);
        let traces = Traces::new(&trace, probe.records());
        let row = Diagnostics::of(step, steps, &traces, acceptance, step_size);
        self.traces = self.config.sampler.traces.then_some(traces);
        Ok(Some(row))
    }

    /// What the last diagnosis was told from.
    pub(super) fn traces(&self) -> Option<&Traces> {
        self.traces.as_ref()
    }

    fn arrival(&mut self, (ticket, step): (Ticket, u64), words: &[u32]) -> Option<Arrival> {
        let floats = || -> Vec<f32> { words.iter().map(|&word| f32::from_bits(word)).collect() };
        match ticket {
            Ticket::Average => {
                self.averages.insert(step, floats());
                None
            }
            Ticket::KeptChains => {
                self.chains.entry(step).or_default().extend(floats());
                None
            }
            Ticket::States => Some(Arrival::States {
                step,
                values: floats(),
                average: self.averages.remove(&step),
                chains: self.chains.remove(&step),
            }),
            Ticket::Energies => {
                // Of those that it asks for the last one is told from the others by having something to be compared with.
                let expected = self.plan.energies_of_step().count();
                let (live, snapshot) = match (expected, self.live_energies.take()) {
                    (1, _) => (floats(), None),
                    (_, None) => {
                        self.live_energies = Some(floats());
                        return None;
                    }
                    (_, Some(live)) => (live, Some(floats())),
                };
                let log_ratios = snapshot.map(|snapshot| {
                    let pairs = snapshot.iter().zip(&live);
                    pairs.map(|(snapshot, live)| snapshot - live).collect()
                });
                Some(Arrival::Energies {
                    step,
                    energies: live,
                    log_ratios,
                })
            }
            Ticket::Snapshot => Some(Arrival::Snapshot {
                step,
                parameters: floats(),
            }),
            Ticket::Judged => {
                let (data, config) = (&self.data, &self.config);
                self.judging.chains(step, &floats(), data, config);
                None
            }
            Ticket::Candidate => {
                let (average, live) = self.judging.weights(step, floats())?;
                Some(Arrival::Judged {
                    step,
                    average,
                    live,
                })
            }
            Ticket::State => {
                let traces = self.traces.as_ref();
                self.states
                    .arrived(words.to_vec(), traces)
                    .map(Arrival::State)
            }
            Ticket::Control => {
                self.controls.insert(step, StepControl::from_words(words)?);
                None
            }
            Ticket::Trace => {
                let (_, records) = self.plan.trace(step)?;
                let (step_size, acceptance) = self.control(step);
                let traces = Traces::new(&floats(), records);
                let steps = self.config.sampler.steps;
                let row = Diagnostics::of(step, steps, &traces, acceptance, step_size);
                self.traces = self.config.sampler.traces.then_some(traces);
                Some(Arrival::Diagnostics(row))
            }
            Ticket::Metrics => {
                let metrics = RatioMetrics::from_words(words);
                let mut row = MetricsRow::new(&metrics, step);
                if let Some(age) = self.plan.snapshot_age(step) {
                    row.snapshot_age = age;
                }
                row.learning_rate = self.plan.optimiser().rate(step);
                row.gradient_evaluations = match self.plan.decides() {
                    true => self.plan.evaluations_of(metrics.passes()),
                    false => self.plan.gradient_evaluations(step),
                };
                (row.step_size, row.acceptance) = self.control(step);
                self.controls.remove(&step);
                row.data_distance = self.judging.distance(step);
                row.samples_per_second = self.speed();
                Some(Arrival::Metrics {
                    row,
                    lost: metrics.lost,
                })
            }
        }
    }

    /// Step size and acceptance of `step`, whose control has arrived if there is one.
    fn control(&self, step: u64) -> (f32, f32) {
        self.said(self.controls.get(&step).copied())
    }

    /// Step size and acceptance; those of the configuration where there is no test to say them.
    fn said(&self, control: Option<StepControl>) -> (f32, f32) {
        match control {
            Some(control) => (control.step_size, control.acceptance.unwrap_or(1.0)),
            None => (self.config.sampler.step_size, 1.0),
        }
    }

    /// Data samples a second over the last [`SPEED_WINDOW`] or so. Metrics arrive in batches, so a shorter time
    /// would measure the batches.
    fn speed(&mut self) -> f32 {
        let now = Instant::now();
        // What was stopped and goes on is as fast as it was: a gap unlike those before it is no time of steps.
        if let (Some(first), Some(last)) = (self.arrivals.front(), self.arrivals.back()) {
            let usual = (*last - *first) / self.arrivals.len() as u32;
            let gap = now - *last;
            if self.arrivals.len() > 2 && gap > SPEED_WINDOW && gap > 10 * usual {
                self.arrivals.clear();
            }
        }
        self.arrivals.push_back(now);
        while self
            .arrivals
            .get(1)
            .is_some_and(|second| now - *second > SPEED_WINDOW)
        {
            self.arrivals.pop_front();
        }
        let seconds = self
            .arrivals
            .front()
            .map_or(0.0, |first| (now - *first).as_secs_f32());
        if seconds > SPEED_WINDOW.as_secs_f32() / 4.0 {
            self.speed = ((self.arrivals.len() - 1) * self.config.run.batch) as f32 / seconds;
        }
        self.speed
    }
}
