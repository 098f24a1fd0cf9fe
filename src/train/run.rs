mod animation;
mod best;
mod disk;
mod going_on;
mod notes;
mod pictures;
mod state_keeping;
mod wishes;

use self::going_on::{WayBack, write_config};
use super::best::{Best, BestSoFar};
use super::best_files;
use super::board::Board;
use super::diverged::{self, Remains};
use super::divergence::{Divergence, Watch};
use super::energies::{Energies, energies, energies_of};
use super::energy_rows::EnergyRow;
use super::error::TrainError;
use super::keep::KeptSnapshots;
use super::keeper::StateKeeper;
use super::last_look::{LastLook, last_look, too_short};
use super::lines::Lines;
use super::memory::MemoryAccount;
use super::metrics::MetricsRow;
use super::recovery::{Recovery, tried};
use super::resume::clean_own;
use super::settings;
use super::states::{self, Keep};
use super::trainer::{Arrival, Trainer};
use super::waiting::{Unwritten, Waiting};
use crate::config::{self, Config};
use crate::evaluation::Judged;
use crate::files::{self, ENERGIES, FileError, RunLock, create_run_folder, npy};
use crate::gpu::GpuError;
use crate::method::{Agreement, Diagnostics, FEWEST_RECORDS};
use crate::model::{Model, ModelError};
use crate::network::{ChosenKernels, chosen_kernels};
use crate::report::ReportError;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

pub use going_on::resume;
pub(super) use going_on::watch_over;
pub use wishes::Wishes;

/// What an observer is told while a run goes on.
pub enum Event<'a> {
    /// Once, before the first step.
    Started {
        memory: MemoryAccount,
        parameters: usize,
        /// Floating-point operations of one energy-gradient evaluation.
        flops_per_gradient: u64,
        steps: u64,
    },
    /// The metrics of a step, in order.
    Step(&'a MetricsRow),
    /// So many steps were handed to the device, the metrics of the last of which are still to come. What is wished here is done
    /// before the next one.
    Between { steps: u64, wishes: &'a mut Wishes },
    /// A file was written.
    Wrote(&'a Path),
    /// A training state was written, to go on from; here is its manifest.
    Kept(&'a Path),
    /// A training state could not be written. The run goes on, and tries again when the next one is due.
    NotKept(&'a FileError),
    /// The device failed, and the run goes on from the state after `step` steps on a device that is opened anew.
    DeviceFailed {
        error: &'a GpuError,
        step: u64,
        /// What there is to say of going on, a line each.
        notes: &'a [String],
    },
    /// The run has diverged, and goes back.
    WentBack(&'a Recovery),
    /// Something could not be written, since the disk does not take it. It is kept in memory and tried again while the run goes on.
    Waits(&'a TrainError),
    /// All that waited is written.
    CaughtUp,
    /// Why TensorBoard is not shown all of the run, which goes on or ends without that.
    NotShown(&'a str),
    /// Why a picture made along the way is not in the animation.
    NoFrame { path: &'a Path, why: &'a str },
    /// Why there is no animation of the run.
    NoAnimation(&'a ReportError),
    /// Something that is not of the run had the name of a file that it writes, and has another name now.
    MovedAside { from: &'a Path, to: &'a Path },
    /// Before the first step, where `run.figure_every` asks for figures and there are none: why.
    NoFigures(&'a str),
    /// The chains of the replay buffer could not be kept beside a checkpoint, which is whole without them.
    NoChains(&'a ModelError),
    /// So many of the last chains ran away to values that are not finite.
    Lost { chains: usize, of: usize },
    /// The last samples are drawn, in the end with this step size and mean acceptance; none without a Metropolis test.
    Drew {
        acceptance: Option<f32>,
        step_size: f32,
    },
    /// The chains go on, to be looked at: so many of all steps are done.
    Probing { done: usize, of: usize },
    /// Chains that began in different places are compared: so many of all their steps are done.
    Comparing { done: usize, of: usize },
    /// The last samples are being drawn: so many of all Langevin steps are done.
    Drawing { done: usize, of: usize },
}

/// What a run leaves behind.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    #[serde(serialize_with = "files::path_as_text")]
    pub folder: PathBuf,
    /// What the model is fitted to: see `SamplerSettings::verdict`.
    pub fits: String,
    /// What the chains said of themselves last.
    pub diagnostics: Option<Diagnostics>,
    /// Whether fresh chains, those of the replay buffer and those from data have come to one distribution; none of a run
    /// that was stopped or asks for no last look.
    pub last_look: Option<Judged<LastLook>>,
    /// Optimiser steps done.
    pub steps: u64,
    /// Whether it was stopped before its last step.
    pub stopped: bool,
    /// Whether it was stopped after its last step, or what follows failed: its last pictures and what the chains said last are of
    /// fewer sampler steps than asked for, or the disk has not taken all files.
    pub cut_short: bool,
    /// The metrics of the last step.
    pub last: Option<MetricsRow>,
    #[serde(serialize_with = "files::path_as_text")]
    pub checkpoint: PathBuf,
    /// The last picture of samples; none where samples are neither points in the plane nor grey or colour images.
    #[serde(serialize_with = "files::maybe_path_as_text")]
    pub samples: Option<PathBuf>,
    /// The folder with the pictures made along the way, where there are any.
    #[serde(serialize_with = "files::maybe_path_as_text")]
    pub pictures: Option<PathBuf>,
    #[serde(serialize_with = "files::maybe_path_as_text")]
    pub curves: Option<PathBuf>,
    /// Histograms of energies of data and of noise along training; none where nothing is drawn on the way.
    #[serde(serialize_with = "files::maybe_path_as_text")]
    pub energy_histograms: Option<PathBuf>,
    #[serde(serialize_with = "files::maybe_path_as_text")]
    pub landscape: Option<PathBuf>,
    /// The pictures made along the way, as an animation: of planar sets the landscape with data over it, else always the same
    /// chains of the replay buffer; none of fewer than two.
    #[serde(serialize_with = "files::maybe_path_as_text")]
    pub animation: Option<PathBuf>,
    /// The traces that `diagnostics` was told from, where `sampler.traces` asks for them.
    #[serde(serialize_with = "files::maybe_path_as_text")]
    pub traces: Option<PathBuf>,
    pub memory: MemoryAccount,
    /// Energies under the averaged weights by what has them, at most 1,000 each: `data` with the noise of training, `held_out`
    /// likewise where data are held out, `buffer`, the noise samples of the last step, and `fresh`, the chains of the last
    /// picture before they are denoised, where these were drawn.
    pub energies: Energies,
    /// The weights of the step whose chains came nearest to data; none where no figure was computed.
    pub best: Option<Best>,
    /// How it went on after it had diverged, each time; none where it never did.
    pub recoveries: Vec<Recovery>,
    /// The layer kernels that computed it, and why they; none where a plan came with its own.
    pub kernels: Option<ChosenKernels>,
}

/// Trains to the end of `config` and fills `folder`. When `stop` becomes true, ends after the present step with all
/// that it would write at the end, except that the last picture shows the noise samples of that step, since drawing
/// fresh ones may take long. The run that is written down is `config` by the kernels that `trainer` runs.
///
/// # Errors
/// When the folder exists and `force` is false, a file cannot be written, the GPU fails, or the run diverges; a
/// diverged run goes back at most `run.rollbacks` times, then it keeps its metrics, as a checkpoint its last finite parameters, which are those after the last line of the
/// metrics, and in `summary.json` under `diverged` what the error says.
pub fn run(
    trainer: &mut Trainer,
    config: &Config,
    folder: &Path,
    force: bool,
    stop: &AtomicBool,
    observer: &mut dyn FnMut(Event<'_>),
) -> Result<Summary, TrainError> {
    // A run that is replaced must not be going on.
    let is_replaced = force && folder.join("metrics.jsonl").is_file();
    let taken = is_replaced.then(|| RunLock::take(folder)).transpose()?;
    let outdated = match is_replaced {
        true => best_files::own_of_run_in(folder),
        false => Vec::new(),
    };
    create_run_folder(folder, force)?;
    best_files::remove(&outdated)?;
    let lock = taken.map_or_else(|| RunLock::take(folder), Ok)?;
    let config = &trainer.with_kernels(config);
    write_config(config, folder)?;
    let metrics = Lines::create(&folder.join("metrics.jsonl"))?;
    let board = board(config, folder, &[]);
    let diagnostics = match is_diagnosed(config) {
        true => Some(Lines::create(&folder.join("diagnostics.jsonl"))?),
        false => None,
    };
    let energies = match config.run.sample_every {
        0 => None,
        _ => Some(Lines::create(&folder.join(ENERGIES))?),
    };
    Run {
        metrics,
        diagnostics,
        energies,
        board,
        last_diagnosis: None,
        best: None,
        best_is_behind: false,
        waiting: Waiting::new(),
        lock,
        watch: watch_over(trainer, config),
        diverged: None,
        config,
        folder,
        observer,
        pictures: None,
        kept: KeptSnapshots::new(config, folder),
        states: StateKeeper::new(&config.run, folder, None),
        recoveries: Vec::new(),
        kernels: chosen_kernels(trainer.executor()),
        back: None,
        stop,
    }
    .through(trainer)
}

/// What TensorBoard is told of the steps behind `rows`; none where it is not asked for.
fn board(config: &Config, folder: &Path, rows: &[MetricsRow]) -> Option<Board> {
    let begin = || Board::begin(folder, rows, &config::to_toml(config));
    config.run.tensorboard.then(begin)
}

/// Whether passes are looked at.
fn is_diagnosed(config: &Config) -> bool {
    // No pass of so few steps is diagnosed.
    config.sampler.diagnose > 0 && config.sampler.steps >= FEWEST_RECORDS
}

struct Run<'a> {
    metrics: Lines<MetricsRow>,
    diagnostics: Option<Lines<Diagnostics>>,
    /// Energies of data and of noise along the way, where it draws something there.
    energies: Option<Lines<EnergyRow>>,
    /// What TensorBoard is told, if it is.
    board: Option<Board>,
    last_diagnosis: Option<Diagnostics>,
    /// The weights of the step whose chains have come nearest to data.
    best: Option<BestSoFar>,
    /// Whether its files are not yet what they are to be.
    best_is_behind: bool,
    /// What the disk has not taken yet, beside lines of these.
    waiting: Waiting,
    watch: Watch,
    /// The first step that shows it, and how.
    diverged: Option<(u64, Divergence)>,
    config: &'a Config,
    folder: &'a Path,
    observer: &'a mut dyn FnMut(Event<'_>),
    pictures: Option<PathBuf>,
    kept: KeptSnapshots,
    states: StateKeeper,
    /// How it went on after it had diverged, each time.
    recoveries: Vec<Recovery>,
    /// The layer kernels that compute it, and why they.
    kernels: Option<ChosenKernels>,
    /// Where it goes back to, having diverged.
    back: Option<WayBack>,
    stop: &'a AtomicBool,
    /// Last, so that it is held until the state that is being written is.
    lock: RunLock,
}

/// What there is after the last step.
struct LastFiles {
    summary: Summary,
    /// Whether all of it could be computed and drawn.
    drawn: Result<(), TrainError>,
    /// A picture of the chains that the animation shows.
    chains: Option<Vec<u8>>,
}

impl Run<'_> {
    /// Does the steps that are left, and all that follows them.
    fn train(&mut self, trainer: &mut Trainer) -> Result<Summary, TrainError> {
        let (config, stop) = (self.config, self.stop);
        let before = trainer.steps_done();
        while trainer.steps_done() < config.run.steps && !stop.load(Ordering::Relaxed) {
            if self.states.is_due(trainer.steps_done()) {
                self.request_state(trainer)?;
            }
            trainer.step()?;
            let done = trainer.steps_done();
            let due =
                |every: u64| every > 0 && done.is_multiple_of(every) && done < config.run.steps;
            if self.kept.is_due(done - 1) {
                trainer.request_snapshot()?;
            }
            if due(config.run.sample_every) {
                trainer.request_states()?;
            }
            if self.is_weighed(done) {
                trainer.request_energies()?;
            }
            self.take_in(trainer, false)?;
            if due(config.run.checkpoint_every) {
                self.keep_checkpoint(trainer)?;
            }
            self.heed(trainer)?;
        }
        let done = trainer.steps_done();
        if self.board.is_some() && done > before && !self.is_weighed(done) {
            trainer.request_energies()?;
        }
        self.take_in(trainer, true)?;
        let is_stopped = trainer.steps_done() < config.run.steps;
        // What follows the last step may take long, and is not to be lost with the steps.
        if is_stopped || stop.load(Ordering::Relaxed) || self.states.is_on() {
            self.keep_state(trainer)?;
        }
        let settled = match self.settle(trainer) {
            // What would follow is no longer this run's to write.
            Err(busy @ TrainError::File(FileError::Busy { .. })) => return Err(busy),
            settled => settled,
        };
        let summary = self.finish(trainer, settled)?;
        self.report_states(true);
        clean_own(self.folder, &self.lock);
        if !summary.stopped && !summary.cut_short {
            let last = Keep {
                newest: 1,
                waymarks: 0,
            };
            states::prune(self.folder, last);
        }
        Ok(summary)
    }

    /// Whether the energies of the last of so many steps are written down: of those with a picture, and of the last step where
    /// it is such a one.
    fn is_weighed(&self, steps: u64) -> bool {
        let every = self.config.run.sample_every;
        every > 0 && steps.is_multiple_of(every)
    }

    /// Takes in what has arrived, and ends the run where it has diverged, to [go back](Self::through) if it can.
    fn take_in(&mut self, trainer: &mut Trainer, wait: bool) -> Result<(), TrainError> {
        self.report_states(false);
        if self.is_behind()
            && self.waiting.is_time()
            && let Err(error) = self.settle(trainer)
        {
            self.waits(error)?;
        }
        let received = self.receive(trainer, wait);
        let Some((step, what)) = self.diverged else {
            return received;
        };
        // The device may have been handed more steps, after the last of which the checkpoint is: their lines first. The
        // optimiser has ignored every gradient that was not finite. Whatever fails here follows from the divergence, which
        // is what to report.
        let _ = self.receive(trainer, true);
        let _ = self.settle(trainer);
        self.back = self.way_back(step, what);
        let advice = tried(&self.recoveries) + &what.advice(self.config);
        if self.back.is_some() {
            return Err(TrainError::Diverged { step, what, advice });
        }
        let checkpoint = self.checkpoint(trainer);
        let checkpoint = checkpoint
            .and_then(|checkpoint| self.write_checkpoint(&checkpoint))
            .ok();
        let curves = self.curves().ok().flatten();
        let energy_histograms = self.energy_histograms().ok().flatten();
        let animation = self.animation(trainer, None).ok().flatten();
        let text = diverged::summary(
            self.config,
            self.folder,
            (step, what.to_string(), &advice),
            trainer.steps_done(),
            Remains {
                last: self.metrics.rows().last().copied(),
                checkpoint,
                pictures: self.pictures.clone(),
                curves,
                energy_histograms,
                animation,
                best: self.best(trainer),
                recoveries: self.recoveries.clone(),
                kernels: self.kernels.clone(),
            },
        );
        if let Ok(text) = text {
            let _ = self.write(self.folder.join("summary.json"), text.as_bytes());
        }
        Err(TrainError::Diverged { step, what, advice })
    }

    fn receive(&mut self, trainer: &mut Trainer, wait: bool) -> Result<(), TrainError> {
        for arrival in trainer.arrived(wait)? {
            match arrival {
                // There is nothing left to be seen.
                Arrival::States { .. } if self.diverged.is_some() => {}
                Arrival::States {
                    step,
                    values,
                    average,
                    chains,
                } => self.picture(trainer, step, &values, average, chains)?,
                Arrival::Energies { .. } if self.diverged.is_some() => {}
                Arrival::Energies {
                    step,
                    energies,
                    log_ratios,
                } => self.take_energies(step, &energies, log_ratios)?,
                Arrival::Snapshot { .. } if self.diverged.is_some() => {}
                Arrival::Snapshot { step, parameters } => {
                    self.deliver(trainer, Unwritten::Snapshot { step, parameters })?;
                }
                Arrival::Judged { .. } if self.diverged.is_some() => {}
                Arrival::Judged {
                    step,
                    average,
                    live,
                } => self.consider(
                    trainer,
                    BestSoFar {
                        step,
                        average,
                        live,
                    },
                )?,
                Arrival::State(_) if self.diverged.is_some() => {}
                Arrival::State(state) => self.write_state(trainer, state)?,
                Arrival::Diagnostics(row) => {
                    let lines = self.diagnostics.as_mut();
                    if let Some(Err(error)) = lines.map(|lines| lines.push(row)) {
                        self.waits(error.into())?;
                    }
                    self.show(|board| board.diagnostics(&row));
                    self.last_diagnosis = Some(row);
                }
                Arrival::Metrics { row, lost } => {
                    if let Err(error) = self.metrics.push(row) {
                        self.waits(error.into())?;
                    }
                    self.show(|board| board.metrics(&row));
                    (self.observer)(Event::Step(&row));
                    if self.diverged.is_none() {
                        let shown = self.watch.see(&row, lost);
                        self.diverged = shown.map(|divergence| (row.step, divergence));
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes what comes after the last step; `settled` says whether the disk had taken all before.
    fn finish(
        &mut self,
        trainer: &mut Trainer,
        settled: Result<(), TrainError>,
    ) -> Result<Summary, TrainError> {
        let finished = self.last_files(trainer);
        // Drawing may have taken long enough for somebody to make room.
        let settled = match settled.is_err() || self.is_behind() {
            true => self.settle(trainer),
            false => Ok(()),
        };
        if let Err(TrainError::File(FileError::Busy { .. })) = settled {
            // What would follow is no longer this run's to write.
            return settled.and(finished.map(|last| last.summary));
        }
        self.end_show();
        let LastFiles {
            mut summary,
            drawn,
            chains,
        } = match finished {
            Ok(finished) => finished,
            Err(error) => return settled.and(Err(error)),
        };
        // It is made of pictures that the disk has taken.
        let settled = settled.and_then(|()| {
            let landscape = summary.landscape.as_ref();
            let end = landscape.map_or(chains, |path| fs::read(path).ok());
            summary.animation = match self.animation(trainer, end) {
                // Samples of such sizes have no animation, whatever the run.
                Err(TrainError::Report(error)) => {
                    (self.observer)(Event::NoAnimation(&error));
                    None
                }
                drawn => drawn?,
            };
            Ok(())
        });
        // A run that lacks a file has not come to its end: it can be resumed when there is room.
        summary.cut_short |= !summary.stopped && settled.is_err();
        let json = serde_json::to_string_pretty(&summary).map_err(TrainError::Summary)?;
        let written = self.write(self.folder.join("summary.json"), json.as_bytes());
        settled.and(written.map(drop)).and(drawn).map(|()| summary)
    }

    /// What comes after the last step but for the animation and the summary.
    fn last_files(&mut self, trainer: &mut Trainer) -> Result<LastFiles, TrainError> {
        let last = self.checkpoint(trainer)?;
        let checkpoint = self.write_checkpoint(&last)?;
        // Before the chains go on.
        let chains = self.last_chains(trainer);
        let model = last.model;
        // First, because drawing samples may take long.
        let curves = self.curves()?;
        let energy_histograms = self.energy_histograms()?;
        let stopped = trainer.steps_done() < self.config.run.steps;
        let (mut samples, mut landscape, mut traces) = (None, None, None);
        let mut last_energies = Energies::new();
        // The summary is written even if these fail. Energies first, before the chains go on.
        let weighed = energies(trainer, &model, self.config).map(|found| last_energies = found);
        let probed = weighed.and_then(|()| match stopped {
            true => Ok(()),
            false => self.probe(trainer),
        });
        let mut compared = None;
        let (chains, pictured) = match chains {
            Ok(chains) => (chains, Ok(())),
            Err(error) => (None, Err(error)),
        };
        let drawn = probed.and(pictured).and_then(|()| {
            traces = self.traces(trainer)?;
            let fresh =
                self.last_pictures(trainer, &model, stopped, &mut samples, &mut landscape)?;
            if !fresh.is_empty() {
                last_energies.insert("fresh", energies_of(trainer, &model, fresh.clone())?);
            }
            if !stopped && self.config.sampler.probe > 0 {
                compared = self.compare(trainer, &model, fresh)?;
            }
            Ok(())
        });
        let agreement = compared.as_ref().map(|compared| match compared {
            Judged::Valid(look) => look.agreement(),
            Judged::NotValid { not_valid } => Agreement::NotCompared(not_valid.clone()),
        });
        let last = self.last_diagnosis.as_ref();
        let summary = Summary {
            folder: self.folder.into(),
            fits: settings::verdict(self.config, last, agreement.as_ref()),
            diagnostics: self.last_diagnosis,
            last_look: compared,
            steps: trainer.steps_done(),
            stopped,
            cut_short: !stopped && (self.stop.load(Ordering::Relaxed) || drawn.is_err()),
            last: self.metrics.rows().last().copied(),
            checkpoint,
            samples,
            pictures: self.pictures.clone(),
            curves,
            energy_histograms,
            landscape,
            animation: None,
            traces,
            memory: trainer.plan().memory(),
            energies: last_energies,
            best: self.best(trainer),
            recoveries: self.recoveries.clone(),
            kernels: self.kernels.clone(),
        };
        Ok(LastFiles {
            summary,
            drawn,
            chains,
        })
    }

    /// Looks at the chains once more, for longer than a pass.
    fn probe(&mut self, trainer: &mut Trainer) -> Result<(), TrainError> {
        let (observer, stop) = (&mut self.observer, self.stop);
        let mut progress = |done: usize, of: usize| {
            observer(Event::Probing { done, of });
            !stop.load(Ordering::Relaxed)
        };
        if let Some(probe) = trainer.probe(self.config.sampler.probe, &mut progress)? {
            self.show(|board| board.diagnostics(&probe));
            self.last_diagnosis = Some(probe);
        }
        Ok(())
    }

    /// Compares chains of different starts, of which `fresh` are states of some; none where it is told to stop.
    fn compare(
        &mut self,
        trainer: &mut Trainer,
        model: &Model,
        fresh: Vec<f32>,
    ) -> Result<Option<Judged<LastLook>>, TrainError> {
        let count = trainer.plan().chains_compared();
        if count == 0 {
            return Ok(Some(too_short()));
        }
        let (observer, stop) = (&mut self.observer, self.stop);
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut progress = |done: usize, of: usize| {
            observer(Event::Comparing { done, of });
            !stop.load(Ordering::Relaxed)
        };
        last_look(trainer, model, count, fresh, &mut progress)
    }

    /// What the last diagnosis was told from.
    fn traces(&mut self, trainer: &Trainer) -> Result<Option<PathBuf>, TrainError> {
        let Some(traces) = trainer.traces().filter(|_| self.config.sampler.traces) else {
            return Ok(None);
        };
        let (values, shape) = traces.judged();
        let bytes = npy(&values, &shape.map(|side| side as u64))?;
        self.write(self.folder.join("traces.npy"), &bytes).map(Some)
    }
}
