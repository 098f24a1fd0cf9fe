mod asked;
mod beside;
mod data;
mod density;
mod likelihood;
mod places;
mod report;
mod samples;

use super::args::{EvaluateArgs, PartArg};
use super::energy::data_options;
use super::error::CliError;
use super::progress::Stages;
use super::{open, output, warnings};
use crate::config::BaseKind;
use crate::data::PartRecord;
use crate::evaluation::{
    self, BufferFigures, DataIs, EvaluationError, EvaluationOptions, FeatureNetwork, Figures,
    Judged, LikelihoodFigures, LikelihoodOptions, ModelData, Outcome, OutsideFigures, QualityData,
    QualityFigures, StabilityFigures, Stage,
};
use crate::files::write_atomically;
use crate::gpu::Executor;
use crate::model::{Model, SampleOptions};
use crate::report::png_bytes;
use asked::{arguments_of, name_of};
use beside::write_page;
use data::Opened;
use image::RgbImage;
use places::Places;
use report::{Report, json_of};
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Instant;

const PICTURE: &str = "evaluation.png";
const NEIGHBOURS: &str = "neighbours.png";
const STABILITY: &str = "stability.png";
/// Samples that are compared with data unless it is said how many: the block of KID.
const COMPARED: usize = 1000;

/// Whether chains stay with the data that they begin at.
#[derive(Serialize)]
struct Stability {
    data_is: &'static str,
    #[serde(flatten)]
    figures: StabilityFigures,
}

/// Fresh samples, and apart from them the chains of the replay buffer.
#[derive(Serialize)]
struct Sampled {
    #[serde(flatten)]
    fresh: QualityFigures,
    /// Null where none were kept.
    buffer: Option<Judged<BufferFigures>>,
}

/// How well the energy tells the data called `source` from the model's own.
#[derive(Serialize)]
struct Outside {
    source: String,
    /// Which of the model's own.
    inside_is: &'static str,
    /// What the other data were made of when they were read, all of them; null for generated ones.
    record: Option<PartRecord>,
    /// Of the noise that is added to both.
    seed: u64,
    #[serde(flatten)]
    figures: OutsideFigures,
}

/// `afterimage evaluate`
pub(super) fn evaluate(arguments: &EvaluateArgs) -> Result<(), CliError> {
    let places = Places::of(arguments)?;
    let network = feature_network(arguments)?;
    let opened = data::opened(arguments)?;
    let Opened { model, data, .. } = &opened;
    let places = match data.is() {
        DataIs::Named => places.of_other_data(&arguments.model.model, &model.config().data),
        _ => places,
    };
    if let Some(network) = &network {
        let shape = model.architecture().input();
        network.check(shape).map_err(EvaluationError::from)?;
    }
    for note in data.notes() {
        if !arguments.quiet || note.starts_with("warning") {
            output::note(note);
        }
    }
    let mut executor = open::executor_for(&arguments.adapter, model)?;
    let mut report = Report::of(&opened, places.report())?;
    let mut work = Work {
        arguments,
        places: &places,
        network,
        model,
        data,
        executor: &mut executor,
        shown: Stages::new(arguments.quiet),
        pictures: 0,
        picture: None,
    };
    let mut holds = false;
    let mut failure = None;
    for part in parts(arguments, model) {
        let began = Instant::now();
        match work.part(part) {
            Ok(figures) => report.add(part, &figures, began.elapsed().as_secs_f64()),
            Err(Lacking::Verdict(reason)) => work.not_valid(&mut report, part, &reason),
            // Whoever asked for a part wants to know by the exit status that there is none; what nobody asked for by name
            // takes nothing from the others.
            Err(Lacking::Failure(CliError::Evaluation(error)))
                if arguments.only.is_empty()
                    && part != PartArg::Outside
                    && !error.is_of_the_device() =>
            {
                work.not_valid(&mut report, part, &error.to_string());
                report.made(part, arguments_of(arguments, part), None);
                failure.get_or_insert(error.into());
                continue;
            }
            Err(Lacking::Failure(error)) => {
                work.shown.clear();
                return Err(error);
            }
        }
        report.made(part, arguments_of(arguments, part), work.picture.take());
        holds = true;
        report.save()?;
    }
    if let (Some(error), false) = (failure, holds) {
        return Err(error);
    }
    report.save()?;
    if let Some(path) = &report.file {
        work.wrote(path);
    }
    let model = arguments.model.model.as_path();
    let file = report.file.as_deref();
    let page = file.map_or(Ok(None), |file| write_page(model, file, arguments.quiet));
    if let Ok(Some(page)) = &page {
        work.wrote(&page.path);
        output::problems(page);
    }
    if let (Some(path), 0) = (places.named_picture(), work.pictures) {
        output::note(format_args!(
            "note: no part made a picture, so nothing was written to {}",
            path.display()
        ));
    }
    // Whether or not there is a page, there are figures.
    if arguments.json {
        report.print()?;
    }
    page?;
    Ok(())
}

/// Why a part has no figures.
enum Lacking {
    /// They would say nothing: that is what was found.
    Verdict(String),
    /// They could not be had.
    Failure(CliError),
}

impl<E: Into<CliError>> From<E> for Lacking {
    fn from(error: E) -> Self {
        Lacking::Failure(error.into())
    }
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
    places: &'a Places,
    /// What samples are compared by, where it was named.
    network: Option<FeatureNetwork>,
    model: &'a Model,
    data: &'a ModelData,
    executor: &'a mut Executor,
    shown: Stages,
    /// Pictures that were written.
    pictures: usize,
    /// The one of the part at hand.
    picture: Option<PathBuf>,
}

impl Work<'_> {
    fn part(&mut self, part: PartArg) -> Result<Value, Lacking> {
        let figures = match part {
            PartArg::Density => json_of(&self.density()?),
            PartArg::Likelihood => json_of(&self.likelihood()?),
            PartArg::Samples => json_of(&self.samples()?),
            PartArg::Stability => match self.stability() {
                Err(CliError::Evaluation(EvaluationError::Quality(reason))) => {
                    return Err(Lacking::Verdict(reason.to_string()));
                }
                found => json_of(&found?),
            },
            PartArg::Outside => json_of(&self.outside()?),
        };
        Ok(figures?)
    }

    /// Says that `part` has no figures, and why.
    fn not_valid(&mut self, report: &mut Report, part: PartArg, reason: &str) {
        self.shown.clear();
        let name = name_of(part);
        output::note(format_args!("warning: {name} is not valid: {reason}"));
        report.add_reason(part, reason);
    }

    /// Exact figures, with their picture.
    fn density(&mut self) -> Result<Figures, CliError> {
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
        if !self.arguments.quiet {
            density::table(&figures);
        }
        self.picture(PICTURE, Some(image))?;
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
        let kept = open::kept_snapshots(&self.arguments.model, self.model);
        let shown = &mut self.shown;
        let figures = evaluation::log_likelihood_of(
            self.executor,
            self.model,
            self.data,
            &kept,
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

    /// The quality of fresh samples, with a picture of those nearest to training samples, and that of kept chains.
    fn samples(&mut self) -> Result<Sampled, CliError> {
        let run = &self.model.config().run;
        let count = self.arguments.count.map(usize::try_from);
        let options = SampleOptions {
            count: count.map_or(COMPARED, |count| count.unwrap_or(usize::MAX)),
            steps: run.sample_steps,
            seed: self.arguments.seed.unwrap_or(run.seed),
            frames: 0,
        };
        let training = self.data.training_samples(self.model)?;
        let others_are = self.data.is();
        let others = match others_are {
            DataIs::Training => Vec::new(),
            _ => self.data.judged_samples(self.model)?,
        };
        let data = QualityData {
            training: &training,
            others: &others,
            others_are,
        };
        let shown = &mut self.shown;
        let outcome = evaluation::sample_quality(
            self.executor,
            self.model,
            data,
            self.network.as_ref(),
            &options,
            &mut |done, of| shown.show(name(Stage::Samples), done, of),
        );
        self.shown.clear();
        let outcome = outcome?;
        let buffer = evaluation::buffer_quality(
            self.executor,
            self.model,
            data,
            self.network.as_ref(),
            options.seed,
        )?;
        let figures = &outcome.figures;
        warnings::standstill(&figures.sampler, figures.acceptance, figures.step_size);
        if !self.arguments.quiet {
            samples::table(figures, buffer.as_ref());
        }
        self.picture(NEIGHBOURS, outcome.picture)?;
        Ok(Sampled {
            fresh: outcome.figures,
            buffer,
        })
    }

    /// Whether chains from data stay with them, with a picture of some.
    fn stability(&mut self) -> Result<Stability, CliError> {
        let (data, data_is) = data::starts(self.data, self.model)?;
        let seed = self.arguments.seed.unwrap_or(self.model.config().run.seed);
        let shown = &mut self.shown;
        let outcome = evaluation::stability(
            self.executor,
            self.model,
            &data,
            self.network.as_ref(),
            seed,
            &mut |stage, done, of| shown.show(name(stage), done, of),
        );
        self.shown.clear();
        let outcome = outcome?;
        if !self.arguments.quiet {
            samples::stability_table(&outcome.figures, data_is);
        }
        self.picture(STABILITY, outcome.picture)?;
        Ok(Stability {
            data_is,
            figures: outcome.figures,
        })
    }

    /// Writes a picture, where there is one and a place for it.
    fn picture(&mut self, name: &str, image: Option<RgbImage>) -> Result<(), CliError> {
        let Some((image, path)) = image.zip(self.places.picture(name)) else {
            return Ok(());
        };
        write_atomically(&path, &png_bytes(&image)?)?;
        self.pictures += 1;
        self.wrote(&path);
        self.picture = Some(path);
        Ok(())
    }

    /// How well the energy tells other data apart.
    fn outside(&mut self) -> Result<Outside, CliError> {
        let against = self.arguments.against.as_ref();
        let against = against.ok_or(CliError::NothingAgainst)?;
        let options = data_options(self.model, against, &[])?;
        let other = crate::data::open(&options, self.model.config().run.seed)?;
        if evaluation::are_own(self.model, &options) && !self.arguments.quiet {
            output::note(format_args!(
                "note: {against} is what the run was trained on: outside tells the model's own data from themselves"
            ));
        }
        let inside = self.data.judged_samples(self.model)?;
        let outside = evaluation::samples_of(self.model, &other)?;
        let seed = self.arguments.seed.unwrap_or(self.model.config().run.seed);
        let figures =
            evaluation::out_of_distribution(self.executor, self.model, &inside, &outside, seed)?;
        let inside_is = self.data.is().name();
        if !self.arguments.quiet {
            samples::outside_table(&figures, against, inside_is);
        }
        Ok(Outside {
            source: against.clone(),
            inside_is,
            // Of what is read whole nothing is in the other part.
            record: other.record().map(|record| record.training.clone()),
            seed,
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
        Stage::Telescope => "along the run's snapshots, thousandths",
        Stage::Data => "energies of data",
        Stage::Passes => "chains from data, pass",
    }
}

/// The feature network that --features names.
fn feature_network(arguments: &EvaluateArgs) -> Result<Option<FeatureNetwork>, CliError> {
    let Some(path) = &arguments.features else {
        return Ok(None);
    };
    let range = arguments.features_range.unwrap_or([0.0, 1.0]);
    let network = FeatureNetwork::load(path, range).map_err(EvaluationError::from)?;
    Ok(Some(network))
}
