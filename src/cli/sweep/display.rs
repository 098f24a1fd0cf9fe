//! One display for the whole sweep.

use super::cell::{Kept, Progress};
use crate::cli::output;
use crate::sweep::{Cell, CellResult};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Between two plain lines where stderr is no screen: a sweep takes hours.
const PLAIN_EVERY: Duration = Duration::from_secs(30);
/// The bar's own unit.
const WHOLE: u64 = 1000;
/// The share of a cell's time that its optimiser steps are taken to have; looks, pictures and figures have the rest.
const STEPS_SHARE: f64 = 0.85;

/// The share of all work from which on it says how long the rest takes: before, what begins a run is most of it.
const TELLING: f64 = 0.01;

/// A bar on a screen, plain lines elsewhere, nothing when quiet.
pub(super) struct Display {
    bar: Option<ProgressBar>,
    plain: bool,
    cells: Vec<Known>,
    /// Cells that are done, also those that were before; and all of them.
    done: usize,
    all: usize,
    /// What running cells are at, by their places.
    running: BTreeMap<usize, (f64, String)>,
    /// The cost of the cells that have ended since the beginning.
    ended: f64,
    began: Instant,
    last_line: Option<Instant>,
}

struct Known {
    title: String,
    cost: f64,
    steps: u64,
}

impl Display {
    /// For `cells`, beside so many that are done already.
    pub(super) fn new(cells: &[&Cell], done: usize, quiet: bool) -> Self {
        let screen = output::is_screen();
        let bar = (screen && !quiet && !cells.is_empty()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(WHOLE), ProgressDrawTarget::stderr());
            // The template is a constant that indicatif accepts; the default style would do as well.
            let style = ProgressStyle::with_template("{prefix} [{bar:24}] {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> ");
            bar.set_style(style);
            bar
        });
        Display {
            bar,
            plain: !screen && !quiet,
            cells: cells
                .iter()
                .map(|cell| Known {
                    title: cell.title(),
                    cost: cell.cost(),
                    steps: cell.config.run.steps,
                })
                .collect(),
            done,
            all: done + cells.len(),
            running: BTreeMap::new(),
            ended: 0.0,
            began: Instant::now(),
            last_line: None,
        }
    }

    /// Shows what the cell at `place` is at.
    pub(super) fn show(&mut self, place: usize, progress: &Progress) {
        let known = &self.cells[place];
        let (share, at) = match progress {
            Progress::Step(step) => (
                STEPS_SHARE * *step as f64 / known.steps.max(1) as f64,
                format!("step {step}/{}", known.steps),
            ),
            Progress::Looking => (STEPS_SHARE, "looking at chains".into()),
            Progress::Evaluating => (0.95, "evaluating".into()),
        };
        self.running.insert(place, (share, at));
        self.draw();
    }

    /// Takes the cell at `place` off.
    pub(super) fn ended(&mut self, place: usize) {
        self.running.remove(&place);
        self.ended += self.cells[place].cost;
    }

    /// Says what came out of a cell.
    pub(super) fn finished(&mut self, cell: &Cell, result: &CellResult, kept: Kept) {
        self.done += 1;
        let title = cell.title();
        if let Some(failure) = &result.failure {
            self.say(&format!("failed    {title}: {failure}"));
        } else {
            let figure = result.headline().unwrap_or_default();
            let word = match kept {
                Kept::Yes => "kept",
                Kept::No => "done",
            };
            let took = result.training.map_or(String::new(), |spent| {
                format!(", trained in {}", long(spent.wall_seconds))
            });
            self.say(&format!("{word:9} {title}: {figure}{took}"));
        }
        self.draw();
    }

    /// Says that another process works on a cell.
    pub(super) fn busy(&mut self, cell: &Cell) {
        self.say(&format!(
            "busy      {}: another process works on it",
            cell.title()
        ));
    }

    /// Takes the bar off the screen.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Prints a line without tearing the bar.
    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None if self.plain => output::note(text),
            None => {}
        }
    }

    fn draw(&mut self) {
        let all: f64 = self.cells.iter().map(|cell| cell.cost).sum();
        let running = self.running.iter();
        let running: f64 = running
            .map(|(place, (share, _))| share * self.cells[*place].cost)
            .sum();
        let share = ((self.ended + running) / all.max(1.0)).min(1.0);
        let left = (share > TELLING && share < 1.0).then(|| {
            let seconds = self.began.elapsed().as_secs_f64() * (1.0 - share) / share;
            format!("{} left  ", long(seconds))
        });
        let left = left.unwrap_or_default();
        let cells = format!("cells {}/{}", self.done, self.all);
        let at = |(place, (_, at)): (&usize, &(f64, String))| {
            format!("{}: {at}", self.cells[*place].title)
        };
        let running: Vec<String> = self.running.iter().map(at).collect();
        let message = format!("{left}{}", running.join(" | "));
        if let Some(bar) = &self.bar {
            bar.set_prefix(cells);
            bar.set_message(message);
            bar.set_position((share * WHOLE as f64) as u64);
        } else if self.plain
            && !running.is_empty()
            && self.last_line.is_none_or(|at| at.elapsed() >= PLAIN_EVERY)
        {
            self.last_line = Some(Instant::now());
            output::note(format_args!("{cells}  {message}"));
        }
    }
}

/// A time in the largest units that say something.
fn long(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s => format!(
            "{:.0} h {:.0} min",
            (s / 3600.0).floor(),
            (s % 3600.0) / 60.0
        ),
    }
}
