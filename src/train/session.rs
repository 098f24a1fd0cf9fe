//! A run from its settings to its end, as whoever starts one does it: settings and data first, then a device, then the folder.

use super::devices::{Beginning, run_through};
use super::error::TrainError;
use super::resume::Interrupted;
use super::run::{Event, Summary};
use super::trainer::Trainer;
use crate::config::{Config, Derived, Resolved};
use crate::data::{self, Dataset};
use crate::files::{FileError, create_numbered_folder, remove_unused_run_folder};
use crate::gpu::{AdapterSummary, Executor};
use crate::kernels::KernelFamily;
use crate::words::Word;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// A run that is to begin or to go on, before there is a device: its settings, and its data, which are open.
pub struct PlannedRun {
    config: Config,
    derived: Vec<Derived>,
    ignored: Vec<String>,
    data: Dataset,
    interrupted: Option<Interrupted>,
    /// The kernels that it was computed by before.
    before: Option<KernelFamily>,
}

/// A run that is to begin or to go on, on a device.
pub struct ReadyRun {
    trainer: Trainer,
    /// With the kernels that the trainer runs, which another device of the run is to run as well.
    config: Config,
    interrupted: Option<Interrupted>,
}

/// The folder of a new run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunPlace {
    path: PathBuf,
    /// Whether a run that is there is replaced.
    force: bool,
    /// Whether it was made for this run alone, which has to use it.
    made: bool,
}

impl RunPlace {
    /// The folder at `path`, which must not hold a run, unless one is to be replaced by `force`.
    pub fn named(path: PathBuf, force: bool) -> Self {
        RunPlace {
            path,
            force,
            made: false,
        }
    }

    /// The next one that is free of runs/NAME, runs/NAME-2, …, NAME being that of the preset or file `source`, so that training
    /// twice, or at the same time, never stops at another run. It is made now.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn numbered(source: &str) -> Result<Self, FileError> {
        Ok(RunPlace {
            path: create_numbered_folder(&Self::usual(source))?,
            force: false,
            made: true,
        })
    }

    /// runs/NAME, NAME being that of the preset or file `source`.
    pub fn usual(source: &str) -> PathBuf {
        let name = Path::new(source).file_stem();
        Path::new("runs").join(name.unwrap_or("run".as_ref()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl PlannedRun {
    /// A new run with the settings `resolved`; `seed` and `kernels` are stronger than they.
    ///
    /// # Errors
    /// When the data cannot be opened.
    pub fn new(
        resolved: Resolved,
        seed: Option<u64>,
        kernels: Option<KernelFamily>,
    ) -> Result<Self, TrainError> {
        let Resolved {
            mut config,
            derived,
            ignored,
        } = resolved;
        config.run.seed = seed.unwrap_or(config.run.seed);
        let before = config.run.kernels;
        config.run.kernels = kernels.or(before);
        Ok(PlannedRun {
            data: data::open(&config.data.options(), config.run.seed)?,
            config,
            derived,
            ignored,
            interrupted: None,
            before: None,
        })
    }

    /// The run `interrupted`, which goes on, by `kernels` if others are asked for.
    ///
    /// # Errors
    /// When the data cannot be opened, or are not those that it began with.
    pub fn resumed(
        interrupted: Interrupted,
        kernels: Option<KernelFamily>,
    ) -> Result<Self, TrainError> {
        let mut config = interrupted.config().clone();
        let before = config.run.kernels;
        config.run.kernels = kernels.or(before);
        let data = data::open(&config.data.options(), config.run.seed)?;
        interrupted.check_data(&data)?;
        Ok(PlannedRun {
            config,
            derived: Vec::new(),
            ignored: Vec::new(),
            data,
            interrupted: Some(interrupted),
            before,
        })
    }

    /// Its settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Settings that nobody chose, since they follow from others.
    pub fn derived(&self) -> &[Derived] {
        &self.derived
    }

    /// Its data.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// What is no error and should be known before it runs on `adapter`, a line each that begins with `warning: ` or `note: `.
    pub fn notes(&self, adapter: &AdapterSummary) -> Vec<String> {
        let warnings = self.config.warnings();
        let warnings = warnings.iter().chain(&self.ignored);
        let mut notes: Vec<String> = warnings.map(|text| format!("warning: {text}")).collect();
        let Some(interrupted) = &self.interrupted else {
            return notes;
        };
        notes.extend(interrupted.notes().iter().cloned());
        notes.extend(interrupted.other_adapter(adapter));
        if let (Some(before), Some(now)) = (self.before, self.config.run.kernels)
            && before != now
        {
            notes.push(format!(
                "warning: the run was computed by the kernels {} and goes on by {}: its bits are not those of a run by one of them",
                before.name(),
                now.name()
            ));
        }
        notes
    }

    /// The run on the device of `executor`, with all memory that it takes.
    ///
    /// # Errors
    /// When settings, data and device do not go together, or the GPU fails.
    pub fn on(self, executor: Executor) -> Result<ReadyRun, TrainError> {
        let trainer = Trainer::new(executor, &self.config, self.data)?;
        Ok(ReadyRun {
            config: trainer.config().clone(),
            trainer,
            interrupted: self.interrupted,
        })
    }
}

impl ReadyRun {
    /// Its settings, with the kernels that it runs.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What it computes on.
    pub fn executor(&mut self) -> &mut Executor {
        self.trainer.executor()
    }

    /// What computes it, for whoever trains step by step.
    pub fn into_trainer(self) -> Trainer {
        self.trainer
    }

    /// Steps that were done before; none of a new run.
    pub fn steps_before(&self) -> Option<u64> {
        self.interrupted.as_ref().map(Interrupted::step)
    }

    /// Trains to the end and fills the folder: `place` for a new run, its own for one that goes on. As [`run_through`], where
    /// `open` opens the device anew after it has failed.
    ///
    /// # Errors
    /// As for [`run_through`]. A folder that was made for the run and not used is removed.
    pub fn run(
        self,
        place: &RunPlace,
        stop: &AtomicBool,
        observer: &mut dyn FnMut(Event<'_>),
        open: &mut dyn FnMut() -> Option<Result<Executor, TrainError>>,
    ) -> Result<Summary, TrainError> {
        let config = self.config;
        let is_new = self.interrupted.is_none();
        let beginning = match self.interrupted {
            Some(interrupted) => Beginning::Interrupted(interrupted.into()),
            None => Beginning::New {
                config: &config,
                folder: &place.path,
                force: place.force,
            },
        };
        // What else does not open any longer than the device ends the run by its first error.
        let mut anew = || {
            let data = data::open(&config.data.options(), config.run.seed).ok()?;
            let executor = open()?;
            Some(executor.and_then(|executor| Trainer::new(executor, &config, data)))
        };
        let outcome = run_through(self.trainer, beginning, stop, observer, &mut anew);
        // What another run has filled meanwhile is its own.
        let is_anothers = matches!(
            outcome,
            Err(TrainError::File(FileError::RunFolderNotEmpty { .. }))
        );
        if outcome.is_err() && !is_anothers && is_new && place.made {
            remove_unused_run_folder(&place.path);
        }
        outcome
    }
}
