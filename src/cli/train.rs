mod shown;

use self::shown::Shown;
use super::args::TrainArgs;
use super::error::CliError;
use super::open::CommandLength;
use super::progress::describe;
use super::signals::Stop;
use super::ui::{self, Ui};
use super::watch::Screen;
use super::{open, output};
use crate::config::{self, Resolved};
use crate::gpu::Executor;
use crate::network::{chosen_kernels, tuning_report};
use crate::page::{self, Written};
use crate::train::{
    self, Best, Event, Interrupted, PlannedRun, RunPlace, Summary, TrainError, can_be_shown,
};
use crate::words::Word;
use std::path::Path;
use std::sync::Arc;

/// What is asked for, before anything of it is read.
enum Asked {
    New(Box<Resolved>),
    Resumed(Box<Interrupted>),
}

/// `afterimage train`
pub(super) fn train(arguments: &TrainArgs) -> Result<(), CliError> {
    let asked = match &arguments.resume {
        Some(folder) => Asked::Resumed(Interrupted::open(folder, &arguments.sets)?.into()),
        None => Asked::New(config::resolve(source(arguments), &arguments.sets)?.into()),
    };
    if arguments.ui {
        open::restart_in_time(&arguments.adapter);
    }
    if !arguments.ui || !ui::has_terminal() {
        return train_in_sight(arguments, asked, None, None);
    }
    let stop = Stop::before_a_run(Screen::leave)?;
    let name = match &arguments.resume {
        Some(folder) => folder.display().to_string(),
        None => source(arguments).to_owned(),
    };
    let ui = Ui::open(name, arguments.resume.clone(), stop.clone());
    let outcome = train_in_sight(arguments, asked, ui.as_ref(), Some(stop));
    if let Some(ui) = ui {
        ui.end(&outcome);
    }
    outcome
}

/// Trains what is asked for, in sight of `ui`; what listens to signals already is `stop`.
fn train_in_sight(
    arguments: &TrainArgs,
    asked: Asked,
    ui: Option<&Ui>,
    stop: Option<Arc<Stop>>,
) -> Result<(), CliError> {
    let phase = |phase| {
        if let Some(ui) = ui {
            ui.phase(phase);
        }
    };
    phase("reading the data");
    let kernels = arguments.adapter.kernels;
    let planned = match asked {
        Asked::New(resolved) => PlannedRun::new(*resolved, arguments.seed, kernels)?,
        Asked::Resumed(interrupted) => PlannedRun::resumed(*interrupted, kernels)?,
    };
    if arguments.quiet {
        output::data(planned.data(), true);
    }
    let asked = planned.config().run.kernels;
    phase("opening the device, and choosing kernels for it");
    let executor = open::executor(&arguments.adapter, CommandLength::Long, asked)?;
    if !arguments.quiet {
        describe_plan(&planned, &executor);
    }
    for note in planned.notes(executor.adapter()) {
        output::note(note);
    }
    phase("preparing kernels, measuring where that pays");
    let has_pictures = can_be_shown(planned.data().shape());
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
    let stop = stop.map_or_else(Stop::on_signals, Ok)?;
    stop.begins();
    // Last, so that what cannot begin leaves no folder.
    let place = match &arguments.resume {
        Some(folder) => RunPlace::named(folder.clone(), false),
        None => place(arguments)?,
    };
    let folder = place.path().to_owned();
    if !arguments.quiet {
        output::note(format_args!("run       {}", folder.display()));
    }

    let mut shown = Shown::new(&config, arguments, (&folder, has_pictures), ui);
    let mut observer = |event: Event<'_>| shown.show(event);
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
    shown.clear();
    phase("writing the page");
    if matches!(outcome, Err(TrainError::Diverged { .. })) {
        // What there is to see of it; why it ended says more than that this could not be written.
        let _ = page::write(&folder);
    }
    let summary = outcome?;
    let page = page::write(&folder);
    let goes_on = shown.kept;
    shown.failure?;
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
