//! Runs that go on: from where they were interrupted, and from before they diverged.

use super::{Event, Run, Summary};
use crate::config::{self, Config};
use crate::files::{
    ENERGIES, FileError, MOST_ROLLBACKS, RECOVERIES, RunLock, SNAPSHOTS, given_up, mend_run_folder,
    number_of, write_atomically,
};
use crate::network::{ChosenKernels, chosen_kernels};
use crate::train::best_files;
use crate::train::divergence::{Divergence, Watch};
use crate::train::error::TrainError;
use crate::train::keep::KeptSnapshots;
use crate::train::keeper::StateKeeper;
use crate::train::lines::Lines;
use crate::train::recovery::{Recovery, trusted};
use crate::train::resume::{Interrupted, Whole, clean, whole};
use crate::train::states::{is_waymark, numbered_manifests, remove_after};
use crate::train::trainer::Trainer;
use crate::train::waiting::{Unwritten, Waiting};
use serde::Serialize;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// A state from before a divergence, and how the run goes on from there.
pub(super) struct WayBack {
    whole: Whole,
    recovery: Recovery,
}

/// What a run has beside its place.
struct Circumstances<'a> {
    config: &'a Config,
    folder: &'a Path,
    lock: RunLock,
    waiting: Waiting,
    stop: &'a AtomicBool,
    observer: &'a mut dyn FnMut(Event<'_>),
}

/// Goes on with a run that was interrupted, and ends as [`run`](super::run) does: with the bits of one that was not, where the adapter
/// is the same and no setting was changed. `trainer` is new, with the settings and the data of `interrupted`.
///
/// # Errors
/// As for [`run`](super::run), and when the trainer is another one than the run had.
pub fn resume(
    trainer: &mut Trainer,
    interrupted: Interrupted,
    stop: &AtomicBool,
    observer: &mut dyn FnMut(Event<'_>),
) -> Result<Summary, TrainError> {
    interrupted.check_data(trainer.data())?;
    let config = trainer.with_kernels(interrupted.config());
    // Else there is no state yet that would go on with these.
    let is_unchanged = interrupted.is_of(&config);
    let Interrupted {
        folder,
        whole,
        lock,
        ..
    } = interrupted;
    let circumstances = Circumstances {
        config: &config,
        folder: &folder,
        lock,
        waiting: Waiting::new(),
        stop,
        observer,
    };
    let recoveries = whole.manifest.recoveries.clone();
    let step = whole.state.step();
    let run = Run::at(trainer, whole, recoveries, is_unchanged, circumstances)?;
    if !is_unchanged {
        // They are of another course, and nothing need be drawn in their place. Without a change they come again as they are.
        remove_numbered(&folder.join("samples"), step + 1);
    }
    write_config(&config, &folder)?;
    write_recoveries(&run.recoveries, &folder)?;
    run.through(trainer)
}

impl<'a> Run<'a> {
    /// The run at a state of it, with all that came after it undone; `is_kept` where the state need not be written again.
    fn at(
        trainer: &mut Trainer,
        whole: Whole,
        recoveries: Vec<Recovery>,
        is_kept: bool,
        circumstances: Circumstances<'a>,
    ) -> Result<Self, TrainError> {
        let Whole {
            state,
            manifest,
            rows,
            diagnoses,
            energies,
            best,
        } = whole;
        let Circumstances {
            config,
            folder,
            mut lock,
            waiting,
            stop,
            observer,
        } = circumstances;
        trainer.recover(recoveries.len())?;
        trainer.restore(&state)?;
        let step = state.step();
        drop(state);
        // Why they were chosen when it began says more than that it has to keep them.
        let now = chosen_kernels(trainer.executor());
        let began_by = manifest.kernels.filter(|before| {
            let is_same = |now: &ChosenKernels| now.family == before.family;
            now.as_ref().is_some_and(is_same)
        });
        clean(folder, &mut lock);
        remove_after(folder, step);
        // Whoever copies folders may leave out empty ones.
        mend_run_folder(folder)?;
        let diagnostics = match &manifest.diagnostics {
            Some(mark) => {
                let path = folder.join("diagnostics.jsonl");
                Some(Lines::cut_back(&path, mark, diagnoses)?)
            }
            None => None,
        };
        let path = folder.join(ENERGIES);
        let energies = match (&manifest.energies, energies) {
            (Some(mark), Some(energies)) => Some(Lines::cut_back(&path, mark, energies)?),
            // It drew nothing so far, is of a program that did not write these, or they cannot be used.
            _ if config.run.sample_every > 0 => Some(Lines::create(&path)?),
            _ => {
                best_files::remove(&[path])?;
                None
            }
        };
        let mut watch = watch_over(trainer, config);
        for row in &rows {
            // A step that lost samples would have ended the run.
            watch.see(row, 0.0);
        }
        let metrics = Lines::cut_back(&folder.join("metrics.jsonl"), &manifest.metrics, rows)?;
        let board = super::board(config, folder, metrics.rows());
        let mut kept = KeptSnapshots::new(config, folder);
        kept.go_on(manifest.last_snapshot);
        let mut run = Run {
            metrics,
            diagnostics,
            energies,
            board,
            last_diagnosis: manifest.last_diagnosis,
            best,
            best_is_behind: true,
            waiting,
            lock,
            watch,
            diverged: None,
            config,
            folder,
            observer,
            pictures: manifest.pictures.then(|| folder.join("samples")),
            kept,
            states: StateKeeper::new(&config.run, folder, is_kept.then_some(step)),
            recoveries,
            kernels: began_by.or(now),
            back: None,
            stop,
        };
        // What is there may be of steps that are still to come, or that were given up.
        run.write_best(trainer)?;
        Ok(run)
    }

    /// Trains to the end, and where the run diverges goes back as often as it may.
    pub(super) fn through(mut self, trainer: &mut Trainer) -> Result<Summary, TrainError> {
        let architecture = trainer.plan().architecture();
        (self.observer)(Event::Started {
            memory: trainer.plan().memory(),
            parameters: architecture.parameter_count(),
            flops_per_gradient: architecture.flops_per_gradient(),
            steps: self.config.run.steps,
        });
        let every = self.config.run.figure_every;
        let is_asked_for = every > 0 && every <= self.config.run.steps;
        if let Some(why) = trainer.lacks_to_judge().filter(|_| is_asked_for) {
            (self.observer)(Event::NoFigures(why));
        }
        loop {
            let outcome = self.train(trainer);
            match self.back.take() {
                Some(way) => self = self.go_back(trainer, way)?,
                None => return outcome,
            }
        }
    }

    /// Where the run goes on that shows at `step` that it has diverged; none where it may not, or there is no state from before.
    pub(super) fn way_back(&mut self, step: u64, what: Divergence) -> Option<WayBack> {
        let before = self.recoveries.len();
        if before >= self.config.run.rollbacks {
            return None;
        }
        self.report_states(true);
        let last = trusted(self.watch.sound());
        let whole = numbered_manifests(self.folder)
            .into_iter()
            .filter(|(after, manifest)| *after <= last && is_waymark(manifest))
            .find_map(|(_, manifest)| whole(self.folder, &manifest).ok())?;
        let back_to = whole.state.step();
        let recovery = Recovery::new(step, what.to_string(), back_to, before);
        Some(WayBack { whole, recovery })
    }

    fn go_back(self, trainer: &mut Trainer, way: WayBack) -> Result<Self, TrainError> {
        let WayBack { whole, recovery } = way;
        (self.observer)(Event::WentBack(&recovery));
        // The device was handed steps ahead of the one that showed it, as many as the clock would have it.
        let steps = recovery.back_to as usize..=recovery.step as usize;
        let given_up_rows = json_lines(&self.metrics.rows()[steps])?;
        let Run {
            mut recoveries,
            config,
            folder,
            observer,
            lock,
            mut waiting,
            stop,
            ..
        } = self;
        // First, for a full disk has room then.
        remove_later(folder, recovery.back_to);
        remove_after(folder, recovery.back_to);
        waiting.clear();
        recoveries.push(recovery);
        let files = [
            (given_up(folder, recoveries.len()), given_up_rows),
            (folder.join(RECOVERIES), json_lines(&recoveries)?),
        ];
        let circumstances = Circumstances {
            config,
            folder,
            lock,
            waiting,
            stop,
            observer,
        };
        // The state there is to know of this.
        let mut run = Run::at(trainer, whole, recoveries, false, circumstances)?;
        for (path, text) in files {
            let bytes = text.into_bytes();
            run.deliver(trainer, Unwritten::File { path, bytes })?;
        }
        Ok(run)
    }
}

pub(in crate::train) fn watch_over(trainer: &Trainer, config: &Config) -> Watch {
    Watch::new(
        trainer.data().shape().len(),
        config.run.batch * config.objective.noise_ratio,
    )
}

pub(super) fn write_config(config: &Config, folder: &Path) -> Result<(), FileError> {
    let text = config::to_toml(config);
    write_atomically(&folder.join("config.toml"), text.as_bytes())
}

/// Removes what was written of the steps after the first `steps`: it is of another course.
fn remove_later(folder: &Path, steps: u64) {
    // Snapshots are numbered by the step whose noise they give, from 0; all else by the steps before it.
    for (inner, first) in [
        ("samples", steps + 1),
        ("checkpoints", steps + 1),
        (SNAPSHOTS, steps),
    ] {
        remove_numbered(&folder.join(inner), first);
    }
}

/// Removes what has the number `first` or a greater one in its name from a folder in that of a run.
fn remove_numbered(folder: &Path, first: u64) {
    let entries = fs::read_dir(folder).into_iter().flatten();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(number_of);
        if number.is_some_and(|number| number >= first) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes down how the run went on, and removes what is left of later times.
fn write_recoveries(recoveries: &[Recovery], folder: &Path) -> Result<(), TrainError> {
    let path = folder.join(RECOVERIES);
    for later in recoveries.len() + 1..=MOST_ROLLBACKS {
        let _ = fs::remove_file(given_up(folder, later));
    }
    match recoveries.is_empty() {
        true => drop(fs::remove_file(path)),
        false => write_atomically(&path, json_lines(recoveries)?.as_bytes())?,
    }
    Ok(())
}

fn json_lines<T: Serialize>(rows: &[T]) -> Result<String, TrainError> {
    let lines: Result<Vec<String>, _> = rows.iter().map(serde_json::to_string).collect();
    let mut text = lines.map_err(TrainError::Summary)?.join("\n");
    text.push('\n');
    Ok(text)
}
