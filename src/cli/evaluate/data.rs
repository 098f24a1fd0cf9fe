//! Which data a model is evaluated on.

use crate::cli::args::EvaluateArgs;
use crate::cli::energy::open_data;
use crate::cli::error::CliError;
use crate::cli::{open, output};
use crate::config::DataConfig;
use crate::data::Source;
use crate::evaluation::{DataIs, ModelData, are_others};
use crate::model::Model;
use crate::words::Word;
use std::fs;

/// Held-out data that chains of stability begin at at least: one for each of them.
const FEWEST_STARTS: usize = 128;

/// The model that was asked for, and the data that it is evaluated on.
pub(super) fn opened(arguments: &EvaluateArgs) -> Result<(Model, ModelData), CliError> {
    let model = open::model(&arguments.model)?;
    let Some(name) = &arguments.data else {
        let data = ModelData::of(&model)?;
        return Ok((model, data));
    };
    let named = open_data(&model, name, &arguments.model.sets)?;
    output::data(&named, arguments.quiet);
    let source = Source::named(named.name()).unwrap_or(Source::DIGITS);
    let path = match source.needs_path() {
        true => fs::canonicalize(name).map_or_else(|_| name.clone(), |p| p.display().to_string()),
        false => String::new(),
    };
    let config = DataConfig {
        source,
        path,
        ..model.config().data.clone()
    };
    if !are_others(&config, model.trained_on()) {
        output::note(format_args!(
            "note: {name} is what the run was trained on: what it has held out of it is evaluated, as without --data"
        ));
        let data = ModelData::of(&model)?;
        return Ok((model, data));
    }
    let model = model.with_data(config);
    let data = ModelData::named(&model, named)?;
    Ok((model, data))
}

/// The data that chains begin at, and what they are: of held-out ones as many as there are chains, or those of training.
pub(super) fn starts(
    data: &ModelData,
    model: &Model,
) -> Result<(Vec<f32>, &'static str), CliError> {
    let is = data.is();
    let are_few = data.judged().len().is_some_and(|len| len < FEWEST_STARTS);
    if is == DataIs::HeldOut && are_few {
        let training = data.training_samples(model)?;
        return Ok((training, DataIs::Training.name()));
    }
    Ok((data.judged_samples(model)?, is.name()))
}
