//! What `train` tells while it goes on.

use crate::cli::args::TrainArgs;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::progress::{Progress, Stages, describe};
use crate::cli::ui::Ui;
use crate::config::Config;
use crate::train::Event;
use std::path::Path;

/// Lines and bars on stderr, lines of JSON on stdout, or a view of the run.
pub(super) struct Shown<'a> {
    /// In place of bars and lines of progress.
    ui: Option<&'a Ui>,
    folder: &'a Path,
    has_pictures: bool,
    steps: Progress,
    /// What comes after the last step.
    last: Stages,
    /// Whether a step has come to its end.
    trains: bool,
    json: bool,
    config: Config,
    /// The last figure of how far chains are from data, and its step.
    distance: Option<(u64, f32)>,
    /// Whether the newest training state was written.
    pub(super) kept: bool,
    pub(super) failure: Result<(), CliError>,
}

impl<'a> Shown<'a> {
    /// Of a run in `folder`, of samples that can be shown or not.
    pub(super) fn new(
        config: &Config,
        arguments: &TrainArgs,
        (folder, has_pictures): (&'a Path, bool),
        ui: Option<&'a Ui>,
    ) -> Self {
        let quiet = arguments.quiet || ui.is_some();
        Shown {
            ui,
            folder,
            has_pictures,
            steps: Progress::new("step", config.run.steps, quiet),
            last: Stages::new(quiet),
            trains: false,
            json: arguments.json,
            config: config.clone(),
            distance: None,
            kept: arguments.resume.is_some(),
            failure: Ok(()),
        }
    }

    pub(super) fn show(&mut self, event: Event<'_>) {
        for note in event.notes(&self.config) {
            output::note(note);
        }
        match event {
            Event::Started {
                memory,
                parameters,
                flops_per_gradient,
                steps,
            } => {
                let mega = flops_per_gradient as f64 / 1e6;
                self.say(&format!(
                    "network   {parameters} parameters, {mega:.2} MFLOP an energy gradient, {steps} optimiser steps"
                ));
                self.say(&format!("memory    {memory}"));
                if let Some(ui) = self.ui {
                    ui.begins(self.folder, self.has_pictures);
                    ui.phase("compiling the kernels of the first steps");
                }
            }
            Event::Between { steps, wishes } => {
                if let Some(ui) = self.ui {
                    ui.tell(wishes, steps >= self.config.run.steps);
                }
            }
            Event::Step(row) => {
                if !std::mem::replace(&mut self.trains, true)
                    && let Some(ui) = self.ui
                {
                    ui.phase("training");
                }
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
            Event::Wrote(path) => {
                tracing::info!("wrote {}", path.display());
                if let Some(ui) = self.ui {
                    ui.wrote(path);
                }
            }
            Event::Kept(path) => {
                self.kept = true;
                tracing::info!("wrote {}", path.display());
            }
            Event::NotKept(_) => self.kept = false,
            Event::WentBack(_) => self.distance = None,
            // Told in words above.
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
            Event::Probing { done, of } => self.after("looking at the chains, step", done, of),
            Event::Comparing { done, of } => self.after(
                "comparing chains from data, from the buffer and fresh ones, step",
                done,
                of,
            ),
            Event::Drawing { done, of } => self.after("drawing samples, step", done, of),
        }
    }

    /// Tells a line without tearing what is drawn.
    fn say(&self, line: &str) {
        match self.ui {
            Some(_) => output::note(line),
            None => self.steps.say(line),
        }
    }

    /// Takes bars off the screen.
    pub(super) fn clear(&self) {
        self.steps.clear();
    }

    /// Progress of what comes after the last optimiser step.
    fn after(&mut self, what: &'static str, done: usize, of: usize) {
        if let Some(ui) = self.ui {
            ui.part(what, done, of);
        }
        self.steps.clear();
        self.last.show(what, done, of);
        if done == of {
            self.last.clear();
        }
    }
}
