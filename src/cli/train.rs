use super::args::TrainArgs;
use super::error::CliError;
use super::open::CommandLength;
use super::progress::{Progress, Stages, describe};
use super::{open, output};
use crate::config::{self, Config};
use crate::data;
use crate::network::{Precision, tuning_report};
use crate::train::{self, Event, Summary, Trainer};
use crate::words::Word;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// `afterimage train`
pub(super) fn train(arguments: &TrainArgs) -> Result<(), CliError> {
    let mut config = config::load(&arguments.source.source, &arguments.source.sets)?;
    if let Some(seed) = arguments.seed {
        config.run.seed = seed;
    }
    let folder = match &arguments.out {
        Some(folder) => folder.clone(),
        None => free_folder(&arguments.source.source, arguments.force),
    };
    let data = data::open(&config.data.options(), config.run.seed)?;
    if arguments.quiet {
        output::data(&data, true);
    }
    let executor = open::executor(&arguments.adapter, CommandLength::Long)?;
    if !arguments.quiet {
        let size = data
            .len()
            .map_or("endless".to_owned(), |len| format!("{len} samples"));
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
        output::note(format_args!("run       {}", folder.display()));
    }
    let mut trainer = Trainer::new(executor, &config, data)?;
    if let Some(report) = tuning_report(trainer.executor())
        && !arguments.quiet
        && report.measured > 0
    {
        output::note(format_args!("kernels   {report}"));
    }
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_ctrl_c(stop.clone())?;

    let mut screen = Screen::new(&config, arguments);
    let outcome = train::run(
        &mut trainer,
        &config,
        &folder,
        arguments.force,
        &stop,
        &mut |event| {
            screen.show(&event);
        },
    );
    screen.steps.clear();
    let summary = outcome?;
    screen.failure?;
    if !arguments.quiet {
        summarise(&summary);
    }
    if summary.stopped {
        return Err(CliError::Stopped {
            steps: summary.steps,
            folder,
        });
    }
    Ok(())
}

/// The first of runs/NAME, runs/NAME-2, … that does not exist, so that training twice never stops at an old run.
fn free_folder(source: &str, force: bool) -> PathBuf {
    let name = Path::new(source)
        .file_stem()
        .map_or("run".into(), |stem| stem.to_string_lossy());
    let first = Path::new("runs").join(name.as_ref());
    if force {
        return first;
    }
    let numbered = (2..).map(|number| Path::new("runs").join(format!("{name}-{number}")));
    std::iter::once(first.clone())
        .chain(numbered)
        .find(|folder| !folder.exists())
        .unwrap_or(first)
}

/// The first Ctrl-C ends the run after the present step; a second one ends the program at once.
fn stop_on_ctrl_c(stop: Arc<AtomicBool>) -> Result<(), CliError> {
    ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(super::INTERRUPTED));
        }
        output::note(format_args!(
            "\nstopping after this step; press Ctrl-C again to quit at once"
        ));
    })?;
    Ok(())
}

struct Screen {
    steps: Progress,
    /// What comes after the last step.
    last: Stages,
    json: bool,
    mixed: bool,
    failure: Result<(), CliError>,
}

impl Screen {
    fn new(config: &Config, arguments: &TrainArgs) -> Self {
        Screen {
            steps: Progress::new("step", config.run.steps, arguments.quiet),
            last: Stages::new(arguments.quiet),
            json: arguments.json,
            mixed: config.run.precision == Precision::Mixed,
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
                self.steps.set(row.step + 1, &describe(row));
                if self.json && self.failure.is_ok() {
                    self.failure = output::json(row);
                }
            }
            Event::Wrote(path) => tracing::info!("wrote {}", path.display()),
            Event::Lost { chains, of } => output::note(format_args!(
                "warning: {chains} of {of} chains ran away to values that are not finite; lower sampler.step_size or \
                 optimiser.rate{}",
                if self.mixed {
                    ", or try run.precision = \"full\", since f16 ends at 65504"
                } else {
                    ""
                }
            )),
            Event::Probing { done, of } => self.after("looking at the chains, step", *done, *of),
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

fn summarise(summary: &Summary) {
    if let Some(row) = &summary.last {
        output::note(format_args!(
            "last step {}  {}",
            row.step + 1,
            describe(row)
        ));
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
    if let Some(path) = &summary.pictures {
        show(path, "noise samples along the way");
    }
    show(
        &summary.checkpoint,
        "the model: for `afterimage sample` and `energy`, or PyTorch",
    );
}
