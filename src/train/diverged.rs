//! What a run that diverged leaves in `summary.json`.

use super::best::Best;
use super::metrics::MetricsRow;
use super::recovery::Recovery;
use super::settings;
use crate::config::Config;
use crate::files;
use crate::network::ChosenKernels;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Why a run ended.
#[derive(Serialize)]
struct Divergence<'a> {
    /// The first step of `metrics.jsonl` that shows it.
    step: u64,
    what: String,
    /// Which settings to change.
    advice: &'a str,
}

/// As [`super::Summary`], as far as there is anything to say.
#[derive(Serialize)]
struct DivergedSummary<'a> {
    #[serde(serialize_with = "files::path_as_text")]
    folder: &'a Path,
    diverged: Divergence<'a>,
    /// Null: it fits nothing.
    fits: Option<&'static str>,
    /// What it was to fit.
    was_to_fit: String,
    steps: u64,
    stopped: bool,
    cut_short: bool,
    last: Option<MetricsRow>,
    #[serde(serialize_with = "files::maybe_path_as_text")]
    checkpoint: Option<PathBuf>,
    #[serde(serialize_with = "files::maybe_path_as_text")]
    pictures: Option<PathBuf>,
    #[serde(serialize_with = "files::maybe_path_as_text")]
    curves: Option<PathBuf>,
    #[serde(serialize_with = "files::maybe_path_as_text")]
    energy_histograms: Option<PathBuf>,
    #[serde(serialize_with = "files::maybe_path_as_text")]
    animation: Option<PathBuf>,
    best: Option<Best>,
    recoveries: Vec<Recovery>,
    kernels: Option<ChosenKernels>,
}

/// What is left of a run.
pub(super) struct Remains {
    pub(super) last: Option<MetricsRow>,
    pub(super) checkpoint: Option<PathBuf>,
    pub(super) pictures: Option<PathBuf>,
    pub(super) curves: Option<PathBuf>,
    pub(super) energy_histograms: Option<PathBuf>,
    pub(super) animation: Option<PathBuf>,
    pub(super) best: Option<Best>,
    pub(super) recoveries: Vec<Recovery>,
    pub(super) kernels: Option<ChosenKernels>,
}

/// The text of the summary of a run into `folder` that shows from `step` on that it diverged, after `steps` steps.
pub(super) fn summary(
    config: &Config,
    folder: &Path,
    (step, what, advice): (u64, String, &str),
    steps: u64,
    remains: Remains,
) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&DivergedSummary {
        folder,
        diverged: Divergence { step, what, advice },
        fits: None,
        was_to_fit: settings::target(config),
        steps,
        stopped: false,
        cut_short: false,
        last: remains.last,
        checkpoint: remains.checkpoint,
        pictures: remains.pictures,
        curves: remains.curves,
        energy_histograms: remains.energy_histograms,
        animation: remains.animation,
        best: remains.best,
        recoveries: remains.recoveries,
        kernels: remains.kernels,
    })
}
