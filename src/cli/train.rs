use super::args::TrainArgs;
use super::error::CliError;
use super::open::CommandLength;
use super::progress::{Progress, Stages, describe};
use super::signals::Stop;
use super::{open, output, warnings};
use crate::config::{self, Config, Resolved, SamplerConfig};
use crate::data;
use crate::files::{FileError, create_numbered_folder, remove_unused_run_folder};
use crate::network::{Precision, chosen_kernels, tuning_report};
use crate::page::{self, Written};
use crate::train::{self, Beginning, Best, Event, Interrupted, Summary, TrainError, Trainer};
use crate::words::Word;
use std::path::{Path, PathBuf};

/// `afterimage train`
pub(super) fn train(arguments: &TrainArgs) -> Result<(), CliError> {
    let interrupted = match &arguments.resume {
        Some(folder) => Some(Interrupted::open(folder, &arguments.sets)?),
        None => None,
    };
    let resolved = match &interrupted {
        Some(interrupted) => Resolved {
            config: interrupted.config().clone(),
            derived: Vec::new(),
            ignored: Vec::new(),
        },
        None => config::resolve(source(arguments), &arguments.sets)?,
    };
    let mut config = resolved.config;
    if let Some(seed) = arguments.seed {
        config.run.seed = seed;
    }
    let before = config.run.kernels;
    config.run.kernels = arguments.adapter.kernels.or(before);
    let data = data::open(&config.data.options(), config.run.seed)?;
    if let Some(interrupted) = &interrupted {
        interrupted.check_data(&data)?;
    }
    if arguments.quiet {
        output::data(&data, true);
    }
    let asked = config.run.kernels;
    let executor = open::executor(&arguments.adapter, CommandLength::Long, asked)?;
    if !arguments.quiet {
        let size = match (data.len(), data.held_out().and_then(|kept| kept.len())) {
            (None, _) => "endless".to_owned(),
            (Some(count), None) => format!("{} samples", grouped(count)),
            (Some(count), Some(kept)) => format!(
                "{} samples for training, {} held out",
                grouped(count),
                grouped(kept)
            ),
        };
        output::note(format_args!("adapter   {}", executor.adapter()));
        output::note(format_args!(
            "data      {}, {size}: {}",
            data.name(),
            data.shape()
        ));
        output::data(&data, false);
        let target = train::target(&config);
        output::note(format_args!("fits      {target}"));
        output::note(format_args!("precision {}", config.run.precision.name()));
        for derived in &resolved.derived {
            output::note(format_args!("derived   {derived}"));
        }
    }
    for warning in config.warnings().iter().chain(&resolved.ignored) {
        output::note(format_args!("warning: {warning}"));
    }
    if let Some(interrupted) = &interrupted {
        let other = interrupted.other_adapter(executor.adapter());
        for note in interrupted.notes().iter().chain(&other) {
            output::note(note);
        }
        if let (Some(before), Some(now)) = (before, asked)
            && before != now
        {
            output::note(format_args!(
                "warning: the run was computed by the kernels {} and goes on by {}: its bits are not those of a run by one of them",
                before.name(),
                now.name()
            ));
        }
    }
    let mut trainer = Trainer::new(executor, &config, data)?;
    // With the kernels that it runs, which another device of it is to run as well.
    let config = trainer.config().clone();
    if let Some(chosen) = chosen_kernels(trainer.executor())
        && !arguments.quiet
    {
        output::note(format_args!("kernels   {chosen}"));
    }
    if let Some(report) = tuning_report(trainer.executor())
        && !arguments.quiet
        && report.measured > 0
    {
        output::note(format_args!("kernels   {report}"));
    }
    let stop = Stop::on_signals()?;
    // Last, so that what cannot begin leaves no folder.
    let folder = match &arguments.resume {
        Some(folder) => folder.clone(),
        None => run_folder(arguments)?,
    };
    if !arguments.quiet {
        output::note(format_args!("run       {}", folder.display()));
    }

    let mut screen = Screen::new(&config, arguments);
    let is_new = interrupted.is_none();
    let mut observer = |event: Event<'_>| screen.show(&event);
    let beginning = match interrupted {
        Some(interrupted) => {
            if !arguments.quiet {
                let (done, of) = (interrupted.step(), config.run.steps);
                output::note(format_args!("resuming  after {done} of {of} steps"));
            }
            Beginning::Interrupted(interrupted.into())
        }
        None => Beginning::New {
            config: &config,
            folder: &folder,
            force: arguments.force,
        },
    };
    // What else does not open any longer than the device ends the run by its first error.
    let mut anew = || {
        let data = data::open(&config.data.options(), config.run.seed).ok()?;
        let asked = config.run.kernels;
        match open::executor(&arguments.adapter, CommandLength::Short, asked) {
            Ok(executor) => Some(Trainer::new(executor, &config, data)),
            Err(CliError::Gpu(error)) => Some(Err(error.into())),
            Err(CliError::Kernels(error)) => Some(Err(error.into())),
            Err(_) => None,
        }
    };
    let outcome = train::run_through(trainer, beginning, stop.asked(), &mut observer, &mut anew);
    screen.steps.clear();
    // What another run has filled meanwhile is its own.
    let is_anothers = matches!(
        outcome,
        Err(TrainError::File(FileError::RunFolderNotEmpty { .. }))
    );
    let is_unnamed = is_new && arguments.out.is_none() && !arguments.force;
    if outcome.is_err() && !is_anothers && is_unnamed {
        remove_unused_run_folder(&folder);
    }
    if matches!(outcome, Err(TrainError::Diverged { .. })) {
        // What there is to see of it; why it ended says more than that this could not be written.
        let _ = page::write(&folder);
    }
    let summary = outcome?;
    let page = page::write(&folder);
    let goes_on = screen.kept;
    screen.failure?;
    if !arguments.quiet {
        summarise(&summary, page.as_ref().ok());
    }
    let page = page.map(|page| output::problems(&page));
    match stop.status() {
        // Also where it came after the last step, and cut short what follows.
        Some(status) => {
            // Whoever sent the signal is told of it by the exit status, whatever else failed.
            if let Err(error) = &page {
                output::note(format_args!("warning: {error}"));
            }
            Err(CliError::Stopped {
                steps: summary.steps,
                of: config.run.steps,
                folder,
                goes_on,
                status,
            })
        }
        None => Ok(page?),
    }
}

/// A number with commas between its thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The preset or file that is trained; the command line asks for one unless a run goes on.
fn source(arguments: &TrainArgs) -> &str {
    arguments.source.as_deref().unwrap_or_default()
}

/// The folder that `--out` names, else runs/NAME, which --force replaces; without that the next name that is free, so that
/// training twice, or at the same time, never stops at another run.
fn run_folder(arguments: &TrainArgs) -> Result<PathBuf, CliError> {
    if let Some(folder) = &arguments.out {
        return Ok(folder.clone());
    }
    let name = Path::new(source(arguments)).file_stem();
    let folder = Path::new("runs").join(name.unwrap_or("run".as_ref()));
    Ok(match arguments.force {
        true => folder,
        false => create_numbered_folder(&folder)?,
    })
}

struct Screen {
    steps: Progress,
    /// What comes after the last step.
    last: Stages,
    json: bool,
    mixed: bool,
    sampler: SamplerConfig,
    /// The last figure of how far chains are from data, and its step.
    distance: Option<(u64, f32)>,
    /// Whether the newest training state was written.
    kept: bool,
    failure: Result<(), CliError>,
}

impl Screen {
    fn new(config: &Config, arguments: &TrainArgs) -> Self {
        Screen {
            steps: Progress::new("step", config.run.steps, arguments.quiet),
            last: Stages::new(arguments.quiet),
            json: arguments.json,
            mixed: config.run.precision == Precision::Mixed,
            sampler: config.sampler.clone(),
            distance: None,
            kept: arguments.resume.is_some(),
            failure: Ok(()),
        }
    }

    fn show(&mut self, event: &Event<'_>) {
        match event {
            Event::Started {
                memory,
                parameters,
                flops_per_gradient,
                steps,
            } => {
                let mega = *flops_per_gradient as f64 / 1e6;
                self.steps.say(&format!(
                    "network   {parameters} parameters, {mega:.2} MFLOP an energy gradient, {steps} optimiser steps"
                ));
                self.steps.say(&format!("memory    {memory}"));
            }
            Event::Step(row) => {
                self.distance = row
                    .data_distance
                    .map(|distance| (row.step, distance))
                    .or(self.distance);
                let distance = self.distance.map_or(String::new(), |(step, distance)| {
                    format!("  distance {distance:.3} at step {step}")
                });
                self.steps.set(row.step + 1, &(describe(row) + &distance));
                if self.json && self.failure.is_ok() {
                    self.failure = output::json(row);
                }
            }
            Event::Wrote(path) => tracing::info!("wrote {}", path.display()),
            Event::Kept(path) => {
                self.kept = true;
                tracing::info!("wrote {}", path.display());
            }
            Event::NotKept(error) => {
                self.kept = false;
                output::note(format_args!(
                    "warning: the training state could not be written, and the run goes on without it until the next one is due: {error}"
                ));
            }
            Event::DeviceFailed { error, step, notes } => {
                output::note(format_args!(
                    "warning: {error}. The run goes on from step {step} on a device that is opened anew"
                ));
                for note in *notes {
                    output::note(note);
                }
            }
            Event::WentBack(recovery) => {
                self.distance = None;
                output::note(format_args!(
                    "warning: the run diverged at step {}: {}. It goes back to its state after {} steps, and on from there with {} of the \
                 learning rate and other random numbers; what it gave up is in metrics.given-up-*.jsonl",
                    recovery.step, recovery.what, recovery.back_to, recovery.rate_share
                ));
            }
            Event::Waits(error) => output::note(format_args!(
                "warning: {error}. The run goes on, keeps in memory what it could not write, and tries again"
            )),
            Event::CaughtUp => {
                output::note("note: what could not be written before is written now")
            }
            Event::NotShown(why) => output::note(format_args!("warning: {why}")),
            Event::MovedAside { from, to } => output::note(format_args!(
                "warning: `{}` is not of this run, which writes there: it is `{}` now",
                from.display(),
                to.display()
            )),
            Event::NoFigures(why) => output::note(format_args!(
                "warning: no distance of the chains from data is computed, and no best weights are kept: {why}"
            )),
            Event::NoChains(error) => output::note(format_args!(
                "warning: the chains of the replay buffer are not kept beside the checkpoint, which is whole: {error}"
            )),
            Event::Lost { chains, of } => output::note(format_args!(
                "warning: {chains} of {of} chains ran away to values that are not finite; lower sampler.step_size or \
                 optimiser.rate{}",
                if self.mixed {
                    ", or try run.precision = \"full\", since f16 ends at 65504"
                } else {
                    ""
                }
            )),
            Event::Drew {
                acceptance,
                step_size,
            } => warnings::standstill(&self.sampler, *acceptance, *step_size),
            Event::Probing { done, of } => self.after("looking at the chains, step", *done, *of),
            Event::Comparing { done, of } => self.after(
                "comparing chains from data, from the buffer and fresh ones, step",
                *done,
                *of,
            ),
            Event::Drawing { done, of } => self.after("drawing samples, step", *done, *of),
        }
    }

    /// Progress of what comes after the last optimiser step.
    fn after(&mut self, what: &'static str, done: usize, of: usize) {
        self.steps.clear();
        self.last.show(what, done, of);
        if done == of {
            self.last.clear();
        }
    }
}

/// Chains below which the figure of a step says more of their draw than of the step.
const FEW_CHAINS: usize = 16;

/// The best figure of a run, in words.
fn told(best: &Best) -> String {
    let floor = match (best.floor, best.floor_deviation) {
        (Some(floor), Some(deviation)) => {
            format!(", where data themselves have {floor:.3} ± {deviation:.3}")
        }
        _ => String::new(),
    };
    let luck = match best.chains < FEW_CHAINS {
        true => "; of so few chains that is luck more than anything",
        false => "",
    };
    format!(
        "step {}: energy distance {:.3} of {} chains from {} of the {}, the least of {}{floor}{luck}",
        best.step, best.data_distance, best.chains, best.data, best.data_is, best.figures
    )
}

fn summarise(summary: &Summary, page: Option<&Written>) {
    if let Some(row) = &summary.last {
        output::note(format_args!(
            "last step {}  {}",
            row.step + 1,
            describe(row)
        ));
    }
    if let Some(best) = &summary.best {
        output::note(format_args!("best      {}", told(best)));
    }
    output::note(format_args!("fits      {}", summary.fits));
    output::note(format_args!("\nLook at:"));
    // The text follows two spaces behind even a long path.
    let show = |path: &Path, what: &str| {
        output::note(format_args!("  {:42}  {what}", path.display().to_string()));
    };
    let drawn = match summary.stopped {
        false => "samples drawn from fresh chains",
        true => "noise samples of the last step",
    };
    match (&summary.landscape, &summary.samples) {
        (Some(path), _) => show(path, &format!("energy landscape, data, and {drawn}")),
        (None, Some(path)) => show(path, drawn),
        (None, None) => {}
    }
    if let Some(path) = &summary.curves {
        show(path, "how training went");
    }
    if let Some(path) = &summary.traces {
        show(path, "what R-hat was told from: chain, draw, quantity");
    }
    if let Some(path) = &summary.pictures {
        show(path, "noise samples along the way");
    }
    if let Some(page) = page {
        show(&page.path, "all of it on one page, for any browser");
    }
    show(
        &summary.checkpoint,
        "the model: for `afterimage sample` and `energy`, or PyTorch",
    );
    if let Some(best) = &summary.best {
        show(
            &best.checkpoint,
            "likewise, of the step whose chains were nearest to data",
        );
    }
}
