use crate::device::{check_process, open};
use crate::failure::{Failure, Kind};
use crate::model::Model;
use crate::settings::{json, resolved};
use afterimage::low_level::page;
use afterimage::train::{
    Event, Interrupted, MetricsRow, PlannedRun, ReadyRun, RunPlace, Summary, TrainError, in_memory,
};
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A function of Python that is told how a run goes on, by a word and what belongs to it, and says by False that it is to stop.
struct Told {
    tell: Py<PyAny>,
    stop: AtomicBool,
    /// What it has raised first, or a signal; then it is told no more but what [`Told::say`] does.
    raised: Option<PyErr>,
}

impl Told {
    fn new(tell: Py<PyAny>) -> Self {
        Told {
            tell,
            stop: AtomicBool::new(false),
            raised: None,
        }
    }

    /// Lets signals have their way, and calls the function.
    fn call(&mut self, call: impl FnOnce(Python<'_>, &Py<PyAny>) -> PyResult<Py<PyAny>>) {
        if self.raised.is_some() {
            return;
        }
        let asked = Python::attach(|py| {
            py.check_signals()?;
            let answer = call(py, &self.tell)?;
            let answer = answer.into_bound(py);
            // None, which functions that say nothing give, is no False.
            Ok(answer.is_none() || answer.is_truthy()?)
        });
        match asked {
            Ok(true) => {}
            Ok(false) => self.stop.store(true, Ordering::Relaxed),
            Err(raised) => {
                self.raised = Some(raised);
                self.stop.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Tells what is to be known in any case, also of how a run ends after something was raised.
    fn say(&mut self, call: impl FnOnce(Python<'_>, &Py<PyAny>) -> PyResult<Py<PyAny>>) {
        let said = Python::attach(|py| {
            let signals = py.check_signals();
            let said = call(py, &self.tell).map(drop);
            signals.and(said)
        });
        if let Err(raised) = said {
            self.raised.get_or_insert(raised);
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn note(&mut self, note: &str) {
        self.say(|py, tell| tell.call1(py, ("note", note)));
    }

    fn step(&mut self, row: &MetricsRow) {
        self.call(|py, tell| tell.call1(py, ("step", json(row)?)));
    }

    fn stage(&mut self, what: &str, done: usize, of: usize) {
        self.call(|py, tell| tell.call1(py, ("stage", (what, done, of))));
    }

    fn event(&mut self, event: &Event<'_>, config: &afterimage::config::Config) {
        match event {
            Event::Step(row) => self.step(row),
            Event::Probing { done, of } => self.stage("looking at the chains", *done, *of),
            Event::Comparing { done, of } => self.stage("comparing chains", *done, *of),
            Event::Drawing { done, of } => self.stage("drawing samples", *done, *of),
            _ => {}
        }
        for note in event.notes(config) {
            self.note(&note);
        }
    }

    /// What it raised, or else `outcome`.
    fn or_raised<T>(self, py: Python<'_>, outcome: Result<T, Failure>) -> PyResult<T> {
        match (outcome, self.raised) {
            (outcome, None) => Ok(outcome?),
            (Ok(_), Some(raised)) => Err(raised),
            (Err(failure), Some(raised)) => Err(caused(py, raised, failure)),
        }
    }
}

/// What has ended a run, with what failed as it came to its end for the cause, before causes that it has already.
fn caused(py: Python<'_>, raised: PyErr, failure: Failure) -> PyErr {
    let failure = PyErr::from(failure);
    failure.set_cause(py, raised.cause(py));
    raised.set_cause(py, Some(failure));
    raised
}

/// How a run ended: what its summary says, as JSON, where it has one; and what ended it before its last step. Where there is the latter
/// alone, the run did not begin, or the cause of that is why it could not be kept.
type Ended = (Option<String>, Option<PyErr>);

/// Trains as `afterimage train` does. The settings are those of a preset or file called `source`, or where there are some of `sections`,
/// as JSON; after the assignments `sets`.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub(crate) fn train(
    py: Python<'_>,
    source: &str,
    sections: Option<&str>,
    sets: Vec<String>,
    out: Option<PathBuf>,
    force: bool,
    seed: Option<u64>,
    adapter: Option<String>,
    tell: Py<PyAny>,
) -> PyResult<Ended> {
    let mut told = Told::new(tell);
    let ended = py.detach(|| {
        let resolved = resolved(source, sections, &sets)?;
        let planned = PlannedRun::new(resolved, seed, None)?;
        let ready = ready(planned, adapter.as_deref(), &mut told)?;
        let Some(ready) = ready else {
            return Ok(None);
        };
        // Last, so that what cannot begin leaves no folder.
        let place = match out {
            Some(folder) => RunPlace::named(folder, force),
            None if force => RunPlace::named(RunPlace::usual(source), force),
            None => RunPlace::numbered(source)?,
        };
        run(ready, &place, adapter.as_deref(), &mut told).map(Some)
    });
    ended_by(py, told, ended)
}

/// Goes on with a run that was interrupted, as `afterimage train --resume` does.
#[pyfunction]
pub(crate) fn resume(
    py: Python<'_>,
    folder: PathBuf,
    sets: Vec<String>,
    adapter: Option<String>,
    tell: Py<PyAny>,
) -> PyResult<Ended> {
    let mut told = Told::new(tell);
    let ended = py.detach(|| {
        let planned = PlannedRun::resumed(Interrupted::open(&folder, &sets)?, None)?;
        let ready = ready(planned, adapter.as_deref(), &mut told)?;
        let Some(ready) = ready else {
            return Ok(None);
        };
        let place = RunPlace::named(folder, false);
        run(ready, &place, adapter.as_deref(), &mut told).map(Some)
    });
    ended_by(py, told, ended)
}

/// Trains without a folder, and gives the model, on the device that is called `adapter`.
#[pyfunction]
pub(crate) fn fit(
    py: Python<'_>,
    sections: &str,
    sets: Vec<String>,
    seed: Option<u64>,
    adapter: Option<String>,
    tell: Py<PyAny>,
) -> PyResult<Option<Model>> {
    let mut told = Told::new(tell);
    let model = py.detach(|| {
        let resolved = resolved("", Some(sections), &sets)?;
        let planned = PlannedRun::new(resolved, seed, None)?;
        let Some(ready) = ready(planned, adapter.as_deref(), &mut told)? else {
            return Ok(None);
        };
        let mut trainer = ready.into_trainer();
        let model = in_memory(&mut trainer, &mut |row| {
            told.step(row);
            !told.stop.load(Ordering::Relaxed)
        })?;
        Ok(Some(model))
    });
    match told.or_raised(py, model)? {
        Some(model) => Model::on_device(py, Arc::new(model), adapter).map(Some),
        None => Ok(None),
    }
}

/// The run on a device, with what there is to say before it begins; none where it is not to begin any more.
fn ready(
    planned: PlannedRun,
    adapter: Option<&str>,
    told: &mut Told,
) -> Result<Option<ReadyRun>, Failure> {
    for line in planned.data().notes() {
        told.note(line);
    }
    let asked = planned.config().run.kernels;
    check_process()?;
    let mut notes = Vec::new();
    let executor = open(adapter, asked, true, &mut notes);
    for note in notes {
        told.note(&note);
    }
    let executor = executor?;
    for note in planned.notes(executor.adapter()) {
        told.note(&note);
    }
    let ready = planned.on(executor)?;
    let (before, steps) = (ready.steps_before(), ready.config().run.steps);
    let config = serde_json::to_string(ready.config());
    let config = config.map_err(|error| Failure::new(Kind::Broken, error))?;
    told.call(|py, tell| tell.call1(py, ("begin", (config, before.unwrap_or(0), steps))));
    Ok((!told.stop.load(Ordering::Relaxed)).then_some(ready))
}

/// Trains to the end, and writes the page of the run.
fn run(
    ready: ReadyRun,
    place: &RunPlace,
    adapter: Option<&str>,
    told: &mut Told,
) -> Result<Summary, Failure> {
    let folder = place.path();
    let config = ready.config().clone();
    // The run asks for it while its observer is told.
    let stop = AtomicBool::new(told.stop.load(Ordering::Relaxed));
    let mut observer = |event: Event<'_>| {
        if matches!(event, Event::Started { .. }) {
            // Not before: what is in the folder until then may be another run.
            told.say(|py, tell| tell.call1(py, ("folder", folder)));
        }
        told.event(&event, &config);
        stop.store(told.stop.load(Ordering::Relaxed), Ordering::Relaxed);
    };
    let mut again = || {
        // They were said before.
        let mut notes = Vec::new();
        Some(open(adapter, config.run.kernels, false, &mut notes))
    };
    let outcome = ready.run(place, &stop, &mut observer, &mut again);
    if matches!(outcome, Err(TrainError::Diverged { .. })) {
        // Why it ended says more than that this could not be written.
        let _ = page::write(folder);
    }
    let summary = outcome?;
    let page = page::write(folder)?;
    for problem in &page.problems {
        told.note(&format!("warning: {problem}"));
    }
    Ok(summary)
}

fn ended_by(
    py: Python<'_>,
    told: Told,
    ended: Result<Option<Summary>, Failure>,
) -> PyResult<Ended> {
    let (summary, raised) = match (ended, told.raised) {
        (Ok(summary), raised) => (summary.as_ref().map(json).transpose()?, raised),
        // What has ended the run comes first.
        (Err(failure), Some(raised)) => (None, Some(caused(py, raised, failure))),
        (Err(failure), None) => return Err(failure.into()),
    };
    // Ctrl-C since then must not take the place of all this in the interpreter; a second one says nothing new.
    let signal = py.check_signals().err();
    Ok((summary, raised.or(signal)))
}
