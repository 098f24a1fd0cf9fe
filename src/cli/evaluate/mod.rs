mod density;
mod likelihood;

use super::args::{EvaluateArgs, PartArg};
use super::error::CliError;
use super::open::CommandLength;
use super::progress::Stages;
use super::{open, output, warnings};
use crate::evaluation::{
    self, EvaluationOptions, Figures, LikelihoodFigures, LikelihoodOptions, Outcome, Stage,
};
use crate::files::write_atomically;
use crate::gpu::Executor;
use crate::model::{Model, Weights};
use crate::report::png_bytes;
use serde::Serialize;
use std::path::PathBuf;

const PICTURE: &str = "evaluation.png";
const REPORT: &str = "evaluation.json";

/// All that was found, in the names of its JSON: what was evaluated, and the parts that were asked for.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    about: About,
    #[serde(skip_serializing_if = "Option::is_none")]
    likelihood: Option<LikelihoodFigures>,
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
    };
    for part in parts {
        match part {
            PartArg::Density => report.about = About::Density(Box::new(work.density(&picture)?)),
            PartArg::Likelihood => report.likelihood = Some(work.likelihood()?),
        }
    }
    if arguments.model.model.is_dir() {
        let path = arguments.model.model.join(REPORT);
        let text = serde_json::to_vec_pretty(&report).map_err(std::io::Error::from)?;
        write_atomically(&path, &text)?;
        work.wrote(&path);
    }
    if arguments.json {
        output::json(&report)?;
    }
    Ok(())
}

/// The parts that were asked for, in the order in which they are done; else the exact figures where there are any, and
/// estimates where there are none.
fn parts(arguments: &EvaluateArgs, model: &Model) -> Vec<PartArg> {
    let mut parts = arguments.only.clone();
    parts.sort_unstable();
    parts.dedup();
    match (parts.is_empty(), model.config().data.source.has_density()) {
        (false, _) => parts,
        (true, true) => vec![PartArg::Density],
        (true, false) => vec![PartArg::Likelihood],
    }
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
    fn density(&mut self, picture: &std::path::Path) -> Result<Figures, CliError> {
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

    fn wrote(&self, path: &std::path::Path) {
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
