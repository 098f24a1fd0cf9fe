mod density;
mod likelihood;
mod samples;

use super::args::{EvaluateArgs, PartArg};
use super::energy::open_data;
use super::error::CliError;
use super::open::CommandLength;
use super::progress::Stages;
use super::{open, output, warnings};
use crate::config::BaseKind;
use crate::evaluation::{
    self, EvaluationOptions, Figures, LikelihoodFigures, LikelihoodOptions, Outcome,
    OutsideFigures, QualityData, QualityFigures, StabilityFigures, Stage,
};
use crate::files::write_atomically;
use crate::gpu::Executor;
use crate::model::{Model, SampleOptions, Weights};
use crate::report::png_bytes;
use image::RgbImage;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

const PICTURE: &str = "evaluation.png";
const NEIGHBOURS: &str = "neighbours.png";
const STABILITY: &str = "stability.png";
const REPORT: &str = "evaluation.json";
/// Samples that are compared with data unless it is said how many: the block of KID.
const COMPARED: usize = 1000;

/// All that was found, in the names of its JSON: what was evaluated, and the parts that were asked for.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    about: About,
    #[serde(skip_serializing_if = "Option::is_none")]
    likelihood: Option<LikelihoodFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_quality: Option<QualityFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stability: Option<StabilityFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outside: Option<Outside>,
    /// What the parts took that do not say so themselves. Times differ from one time to the next.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    seconds: BTreeMap<&'static str, f64>,
}

/// How well the energy tells the data called `source` from the model's own.
#[derive(Serialize)]
struct Outside {
    source: String,
    /// Which of the model's own.
    inside_is: &'static str,
    #[serde(flatten)]
    figures: OutsideFigures,
}

/// What was evaluated. The exact figures say so themselves.
#[derive(Serialize)]
#[serde(untagged)]
enum About {
    Density(Box<Figures>),
    Model {
        source: &'static str,
        data_noise: f32,
        weights: Weights,
        step: u64,
    },
}

/// `afterimage evaluate`
pub(super) fn evaluate(arguments: &EvaluateArgs) -> Result<(), CliError> {
    let picture = picture_path(arguments)?;
    let model = open::model(&arguments.model)?;
    let parts = parts(arguments, &model);
    let mut executor = open::executor(&arguments.adapter, CommandLength::Short)?;
    let mut work = Work {
        arguments,
        model: &model,
        executor: &mut executor,
        shown: Stages::new(arguments.quiet),
    };
    let data = &model.config().data;
    let mut report = Report {
        about: About::Model {
            source: data.source.name,
            data_noise: data.noise,
            weights: model.weights(),
            step: model.step(),
        },
        likelihood: None,
        sample_quality: None,
        stability: None,
        outside: None,
        seconds: BTreeMap::new(),
    };
    for part in parts {
        let began = Instant::now();
        match part {
            PartArg::Density => report.about = About::Density(Box::new(work.density(&picture)?)),
            PartArg::Likelihood => report.likelihood = Some(work.likelihood()?),
            PartArg::Samples => report.sample_quality = Some(work.samples()?),
            PartArg::Stability => report.stability = Some(work.stability()?),
            PartArg::Outside => report.outside = Some(work.outside()?),
        }
        let timed = match part {
            PartArg::Density | PartArg::Likelihood => None,
            PartArg::Samples => Some("samples"),
            PartArg::Stability => Some("stability"),
            PartArg::Outside => Some("outside"),
        };
        report
            .seconds
            .extend(timed.map(|part| (part, began.elapsed().as_secs_f64())));
    }
    if arguments.model.model.is_dir() {
        let path = arguments.model.model.join(REPORT);
        write_atomically(&path, &with_earlier(&path, &report)?)?;
        work.wrote(&path);
    }
    if arguments.json {
        output::json(&report)?;
    }
    Ok(())
}

/// `report` as JSON, with the parts beside its own that an earlier evaluation of the same weights and data left at `path`.
fn with_earlier(path: &Path, report: &Report) -> Result<Vec<u8>, CliError> {
    let failed = |error| CliError::from(std::io::Error::from(error));
    let text = serde_json::to_vec_pretty(report).map_err(failed)?;
    let object = |text: &[u8]| serde_json::from_slice::<Map<String, Value>>(text).ok();
    let earlier = fs::read(path).ok().and_then(|text| object(&text));
    let (Some(mut new), Some(earlier)) = (object(&text), earlier) else {
        return Ok(text);
    };
    let about = ["source", "data_noise", "weights", "step"];
    if about.iter().any(|key| earlier.get(*key) != new.get(*key)) {
        return Ok(text);
    }
    for (key, value) in earlier {
        new.entry(key).or_insert(value);
    }
    serde_json::to_vec_pretty(&new).map_err(failed)
}

/// The parts that were asked for, in the order in which they are done; else the exact figures where there are any, and
/// where there are none samples, with estimates of the likelihood where the model has what they begin at.
fn parts(arguments: &EvaluateArgs, model: &Model) -> Vec<PartArg> {
    let mut parts = arguments.only.clone();
    if parts.is_empty() {
        let config = model.config();
        if config.data.source.has_density() {
            parts.push(PartArg::Density);
        } else {
            parts.extend([PartArg::Samples, PartArg::Stability]);
            if config.network.base == BaseKind::Gaussian {
                parts.push(PartArg::Likelihood);
            }
        }
        parts.extend(arguments.against.as_ref().map(|_| PartArg::Outside));
    }
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// What the parts share.
struct Work<'a> {
    arguments: &'a EvaluateArgs,
    model: &'a Model,
    executor: &'a mut Executor,
    shown: Stages,
}

impl Work<'_> {
    /// Exact figures, with their picture.
    fn density(&mut self, picture: &Path) -> Result<Figures, CliError> {
        let mut options = EvaluationOptions::of(self.model);
        options.tolerance = self.arguments.tolerance;
        if let Some(count) = self.arguments.count {
            options.count = usize::try_from(count).unwrap_or(usize::MAX);
        }
        options.seed = self.arguments.seed.unwrap_or(options.seed);
        let shown = &mut self.shown;
        let outcome = evaluation::evaluate(
            self.executor,
            self.model,
            &options,
            &mut |stage, done, of| {
                shown.show(name(stage), done, of);
            },
        );
        self.shown.clear();
        let Outcome {
            figures,
            picture: image,
            ..
        } = outcome?;
        if let Some(samples) = &figures.samples {
            warnings::standstill(&samples.sampler, samples.acceptance, samples.step_size);
        }
        write_atomically(picture, &png_bytes(&image)?)?;
        if !self.arguments.quiet {
            density::table(&figures);
        }
        self.wrote(picture);
        Ok(figures)
    }

    /// log Z and likelihoods by estimates.
    fn likelihood(&mut self) -> Result<LikelihoodFigures, CliError> {
        let mut options = LikelihoodOptions::of(self.model);
        options.evaluations = self.arguments.evaluations.unwrap_or(options.evaluations);
        if let Some(chains) = self.arguments.chains {
            options.chains = usize::try_from(chains).unwrap_or(usize::MAX);
        }
        options.seed = self.arguments.seed.unwrap_or(options.seed);
        options.other_data = !self.arguments.model.sets.is_empty();
        let shown = &mut self.shown;
        let figures = evaluation::log_likelihood(
            self.executor,
            self.model,
            &options,
            &mut |stage, done, of| shown.show(name(stage), done, of),
        );
        self.shown.clear();
        let figures = figures?;
        if !self.arguments.quiet {
            likelihood::table(&figures);
        }
        Ok(figures)
    }

    /// The quality of fresh samples, with a picture of those nearest to training samples.
    fn samples(&mut self) -> Result<QualityFigures, CliError> {
        let run = &self.model.config().run;
        let count = self.arguments.count.map(usize::try_from);
        let options = SampleOptions {
            count: count.map_or(COMPARED, |count| count.unwrap_or(usize::MAX)),
            steps: run.sample_steps,
            seed: self.arguments.seed.unwrap_or(run.seed),
            frames: 0,
        };
        let data = evaluation::data_of(self.model)?;
        // Data that were named for the evaluation are none that the model has learned from.
        let data = match self.arguments.model.sets.is_empty() {
            true => QualityData {
                training: &data,
                held_out: &[],
            },
            false => QualityData {
                training: &[],
                held_out: &data,
            },
        };
        let shown = &mut self.shown;
        let outcome = evaluation::sample_quality(
            self.executor,
            self.model,
            data,
            &options,
            &mut |done, of| shown.show(name(Stage::Samples), done, of),
        );
        self.shown.clear();
        let outcome = outcome?;
        let figures = &outcome.figures;
        warnings::standstill(&figures.sampler, figures.acceptance, figures.step_size);
        if !self.arguments.quiet {
            samples::table(figures);
        }
        self.picture(NEIGHBOURS, outcome.picture)?;
        Ok(outcome.figures)
    }

    /// Whether chains from data stay with them, with a picture of some.
    fn stability(&mut self) -> Result<StabilityFigures, CliError> {
        let data = evaluation::data_of(self.model)?;
        let seed = self.arguments.seed.unwrap_or(self.model.config().run.seed);
        let shown = &mut self.shown;
        let outcome = evaluation::stability(
            self.executor,
            self.model,
            &data,
            seed,
            &mut |stage, done, of| shown.show(name(stage), done, of),
        );
        self.shown.clear();
        let outcome = outcome?;
        if !self.arguments.quiet {
            samples::stability_table(&outcome.figures);
        }
        self.picture(STABILITY, outcome.picture)?;
        Ok(outcome.figures)
    }

    /// Writes a picture, where there is one, into the run folder, or into the current one where a checkpoint is named.
    fn picture(&self, name: &str, image: Option<RgbImage>) -> Result<(), CliError> {
        let Some(image) = image else {
            return Ok(());
        };
        let model = &self.arguments.model.model;
        let path = match model.is_dir() {
            true => model.join(name),
            false => name.into(),
        };
        write_atomically(&path, &png_bytes(&image)?)?;
        self.wrote(&path);
        Ok(())
    }

    /// How well the energy tells other data apart.
    fn outside(&mut self) -> Result<Outside, CliError> {
        let against = self.arguments.against.as_ref();
        let against = against.ok_or(CliError::NothingAgainst)?;
        let other = open_data(self.model, against, &[])?;
        let inside = evaluation::data_of(self.model)?;
        let outside = evaluation::samples_of(self.model, &other)?;
        let seed = self.arguments.seed.unwrap_or(self.model.config().run.seed);
        let figures =
            evaluation::out_of_distribution(self.executor, self.model, &inside, &outside, seed)?;
        let inside_is = match self.arguments.model.sets.is_empty() {
            true => "training data",
            false => "named data",
        };
        if !self.arguments.quiet {
            samples::outside_table(&figures, against, inside_is);
        }
        Ok(Outside {
            source: against.clone(),
            inside_is,
            figures,
        })
    }

    fn wrote(&self, path: &Path) {
        if !self.arguments.quiet {
            output::note(format_args!("wrote {}", path.display()));
        }
    }
}

/// What is shown of a stage.
fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Grid => "energies",
        Stage::Samples => "drawing samples, step",
        Stage::Pilot => "a pilot from base to model, thousandths",
        Stage::Equilibration => "chains from data forget it, step",
        Stage::There => "from base to model, temperature",
        Stage::Back => "from model to base, temperature",
        Stage::Data => "energies of data",
        Stage::Passes => "chains from data, pass",
    }
}

/// Where the picture goes.
fn picture_path(arguments: &EvaluateArgs) -> Result<PathBuf, CliError> {
    match &arguments.out {
        Some(path) => output::ending(path, &[("png", ())]).map(|()| path.clone()),
        None if arguments.model.model.is_dir() => Ok(arguments.model.model.join(PICTURE)),
        None => Ok(PICTURE.into()),
    }
}
