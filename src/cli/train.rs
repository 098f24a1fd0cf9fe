use super::args::TrainArgs;
use super::error::CliError;
use super::open::CommandLength;
use super::progress::{Progress, Stages, describe};
use super::signals::Stop;
use super::{open, output};
use crate::config::{self, Config};
use crate::gpu::Executor;
use crate::network::{chosen_kernels, tuning_report};
use crate::page::{self, Written};
use crate::train::{self, Best, Event, Interrupted, PlannedRun, RunPlace, Summary, TrainError};
use crate::words::Word;
use std::path::Path;

/// `afterimage train`
pub(super) fn train(arguments: &TrainArgs) -> Result<(), CliError> {
    let kernels = arguments.adapter.kernels;
    let planned = match &arguments.resume {
        Some(folder) => PlannedRun::resumed(Interrupted::open(folder, &arguments.sets)?, kernels)?,
        None => {
            let resolved = config::resolve(source(arguments), &arguments.sets)?;
            PlannedRun::new(resolved, arguments.seed, kernels)?
        }
    };
    if arguments.quiet {
        output::data(planned.data(), true);
    }
    let asked = planned.config().run.kernels;
    let executor = open::executor(&arguments.adapter, CommandLength::Long, asked)?;
    if !arguments.quiet {
        describe_plan(&planned, &executor);
    }
    for note in planned.notes(executor.adapter()) {
        output::note(note);
    }
    let mut ready = planned.on(executor)?;
    let config = ready.config().clone();
    let executor = ready.executor();
    if let Some(chosen) = chosen_kernels(executor)
        && !arguments.quiet
    {
        output::note(format_args!("kernels   {chosen}"));
    }
    if let Some(report) = tuning_report(executor)
        && !arguments.quiet
        && report.measured > 0
    {
        output::note(format_args!("kernels   {report}"));
    }
    let stop = Stop::on_signals()?;
    // Last, so that what cannot begin leaves no folder.
    let place = match &arguments.resume {
        Some(folder) => RunPlace::named(folder.clone(), false),
        None => place(arguments)?,
    };
    let folder = place.path().to_owned();
    if !arguments.quiet {
        output::note(format_args!("run       {}", folder.display()));
    }

    let mut screen = Screen::new(&config, arguments);
    let mut observer = |event: Event<'_>| screen.show(&event);
    if let Some(done) = ready.steps_before()
        && !arguments.quiet
    {
        let of = config.run.steps;
        output::note(format_args!("resuming  after {done} of {of} steps"));
    }
    let mut again = || {
        let asked = config.run.kernels;
        match open::executor(&arguments.adapter, CommandLength::Short, asked) {
            Ok(executor) => Some(Ok(executor)),
            Err(CliError::Gpu(error)) => Some(Err(error.into())),
            Err(CliError::Kernels(error)) => Some(Err(error.into())),
            Err(_) => None,
        }
    };
    let outcome = ready.run(&place, stop.asked(), &mut observer, &mut again);
    screen.steps.clear();
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

/// What is going to be computed, by what and of what.
fn describe_plan(planned: &PlannedRun, executor: &Executor) {
    let (config, data) = (planned.config(), planned.data());
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
    output::data(data, false);
    let target = train::target(config);
    output::note(format_args!("fits      {target}"));
    output::note(format_args!("precision {}", config.run.precision.name()));
    for derived in planned.derived() {
        output::note(format_args!("derived   {derived}"));
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

/// The folder that `--out` names, else runs/NAME, which --force replaces; without that the next name that is free.
fn place(arguments: &TrainArgs) -> Result<RunPlace, CliError> {
    let (source, force) = (source(arguments), arguments.force);
    Ok(match &arguments.out {
        Some(folder) => RunPlace::named(folder.clone(), force),
        None if force => RunPlace::named(RunPlace::usual(source), force),
        None => RunPlace::numbered(source)?,
    })
}

struct Screen {
    steps: Progress,
    /// What comes after the last step.
    last: Stages,
    json: bool,
    config: Config,
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
            config: config.clone(),
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
            Event::NotKept(_) => self.kept = false,
            Event::WentBack(_) => self.distance = None,
            // Told in words below.
            Event::DeviceFailed { .. }
            | Event::Waits(_)
            | Event::CaughtUp
            | Event::NotShown(_)
            | Event::NoFrame { .. }
            | Event::NoAnimation(_)
            | Event::MovedAside { .. }
            | Event::NoFigures(_)
            | Event::NoChains(_)
            | Event::Lost { .. }
            | Event::Drew { .. } => {}
            Event::Probing { done, of } => self.after("looking at the chains, step", *done, *of),
            Event::Comparing { done, of } => self.after(
                "comparing chains from data, from the buffer and fresh ones, step",
                *done,
                *of,
            ),
            Event::Drawing { done, of } => self.after("drawing samples, step", *done, *of),
        }
        for note in event.notes(&self.config) {
            output::note(note);
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
    if let Some(path) = &summary.energy_histograms {
        show(path, "energies of data and of noise along the way");
    }
    if let Some(path) = &summary.traces {
        show(path, "what R-hat was told from: chain, draw, quantity");
    }
    if let Some(path) = &summary.pictures {
        show(path, "noise samples along the way");
    }
    if let Some(path) = &summary.animation {
        show(path, "how it came about, as an animation");
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
