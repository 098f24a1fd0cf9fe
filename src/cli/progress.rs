use super::output;
use crate::train::MetricsRow;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// Between two plain lines where stderr is no screen.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// A progress bar on a screen, plain lines elsewhere, nothing when quiet.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    plain: bool,
    last_line: Option<Instant>,
    length: u64,
    /// The first position that was shown, and when: what came before it says nothing of the rate, since a run may go on where
    /// another ended, and the first step compiles kernels.
    start: Option<(u64, Instant)>,
    what: &'static str,
}

impl Progress {
    pub(super) fn new(what: &'static str, length: u64, quiet: bool) -> Self {
        let screen = output::is_screen();
        let bar = (screen && !quiet).then(|| {
            let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
            let template = "{prefix} [{bar:24}] {pos}/{len}  {msg}  {eta} left";
            // The template is a constant that indicatif accepts; the default style would do as well.
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> ");
            bar.set_style(style);
            bar.set_prefix(what);
            bar
        });
        let plain = !screen && !quiet;
        Progress {
            bar,
            plain,
            last_line: None,
            length,
            start: None,
            what,
        }
    }

    /// Shows that `position` steps are done.
    pub(super) fn set(&mut self, position: u64, message: &str) {
        let is_first = self.start.is_none();
        let (start, began) = *self.start.get_or_insert_with(|| (position, Instant::now()));
        if let Some(bar) = &self.bar {
            bar.set_message(message.to_owned());
            bar.set_position(position);
            if is_first {
                bar.reset_eta();
            }
        }
        let last = position >= self.length;
        if self.plain && (last || self.last_line.is_none_or(|at| at.elapsed() >= PLAIN_EVERY)) {
            self.last_line = Some(Instant::now());
            let left = match position.saturating_sub(start) {
                0 => String::new(),
                done => {
                    let rest = self.length.saturating_sub(position) as f64 / done as f64;
                    format!("  {:.0} s left", began.elapsed().as_secs_f64() * rest)
                }
            };
            output::note(format_args!(
                "{} {position}/{}  {message}{left}",
                self.what, self.length
            ));
        }
    }

    /// Prints a line without tearing the bar.
    pub(super) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None if self.plain => output::note(format_args!("{text}")),
            None => {}
        }
    }

    /// Takes the bar off the screen.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The progress of whatever takes long at the moment: one bar at a time, made when its work begins.
pub(super) struct Stages {
    quiet: bool,
    bar: Option<Progress>,
}

impl Stages {
    pub(super) fn new(quiet: bool) -> Self {
        Stages { quiet, bar: None }
    }

    /// Shows that `done` steps `of` so many are done of the work called `what`.
    pub(super) fn show(&mut self, what: &'static str, done: usize, of: usize) {
        let is_this = |bar: &Progress| (bar.what, bar.length) == (what, of as u64);
        if !self.bar.as_ref().is_some_and(is_this) {
            self.clear();
        }
        self.bar
            .get_or_insert_with(|| Progress::new(what, of as u64, self.quiet))
            .set(done as u64, "");
    }

    /// Takes the bar off the screen.
    pub(super) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.clear();
        }
    }
}

/// The metrics of a step on one line.
pub(super) fn describe(row: &MetricsRow) -> String {
    format!(
        "loss {:.3}  E data {:+.2} noise {:+.2}  accuracy {:.2}  spread {:.2}  {:.0} samples/s",
        row.loss,
        row.energy_data,
        row.energy_noise,
        row.nce_accuracy,
        row.log_ratio_spread,
        row.samples_per_second
    )
}
