//! Which data a model is evaluated on.

use crate::cli::args::EvaluateArgs;
use crate::cli::energy::data_options;
use crate::cli::error::CliError;
use crate::cli::{open, output};
use crate::config::DataConfig;
use crate::data::{self, DataOptions, Source};
use crate::evaluation::{DataIs, ModelData, are_in_its_place, are_own, share_pictures};
use crate::model::Model;
use crate::words::Word;
use serde::Serialize;
use std::fs;

/// Held-out data that chains of stability begin at at least: one for each of them.
const FEWEST_STARTS: usize = 128;

/// A model, and what it is evaluated on.
pub(super) struct Opened {
    /// Its configuration says how the data were read.
    pub(super) model: Model,
    pub(super) data: ModelData,
    /// Of other data than the run's own that --data names.
    pub(super) named: Option<Named>,
}

/// What a report says of data that --data names, beside how they were read.
#[derive(Serialize)]
pub(super) struct Named {
    /// The raw values of data.low and data.high; null where values were taken as they are.
    pub(super) range: Option<[f32; 2]>,
}

/// The model that was asked for, and the data that it is evaluated on.
pub(super) fn opened(arguments: &EvaluateArgs) -> Result<Opened, CliError> {
    let model = open::model(&arguments.model)?;
    let Some(name) = &arguments.data else {
        let data = ModelData::of(&model)?;
        let mut config = model.config().data.clone();
        if data.is() != DataIs::Named {
            let named = None;
            return Ok(Opened { model, data, named });
        }
        refuse_shared(&model, &config.options(), &config.path)?;
        // Others are read whole, whatever share the run has kept of its own.
        config.held_out = 0.0;
        return Ok(Opened {
            model: model.with_data(config),
            data,
            named: None,
        });
    };
    let options = data_options(&model, name, &arguments.model.sets)?;
    let named = data::open(&options, model.config().run.seed)?;
    output::data(&named, arguments.quiet);
    let config = config_of(&model, &options);
    if are_own(&model, &options) {
        let (model, data) = own(model, config)?;
        if !arguments.quiet {
            output::note(format_args!(
                "note: {name} is what the run was trained on, so that, as without --data, {} of it are evaluated",
                data.is().name()
            ));
        }
        let named = None;
        return Ok(Opened { model, data, named });
    }
    refuse_shared(&model, &options, name)?;
    let range = named.scaling().raw;
    let model = model.with_data(config);
    Ok(Opened {
        data: ModelData::named(&model, named)?,
        model,
        named: Some(Named { range }),
    })
}

/// The configuration by which data are read as `options` say.
fn config_of(model: &Model, options: &DataOptions) -> DataConfig {
    let source = Source::named(&options.source).unwrap_or(Source::DIGITS);
    let path = fs::canonicalize(&options.path).ok();
    let path = path.filter(|_| source.needs_path());
    DataConfig {
        source,
        path: path.map_or_else(|| options.path.clone(), |path| path.display().to_string()),
        range: options.range,
        layout: options.layout,
        limit: options.limit,
        held_out: options.held_out,
        ..model.config().data.clone()
    }
}

/// The run's own data where the run has read them; where they are not any more what it has read, those at `found`, which are.
fn own(model: Model, found: DataConfig) -> Result<(Model, ModelData), CliError> {
    let own = ModelData::of(&model);
    let is_lost = own
        .as_ref()
        .map_or(true, |data| data.is() == DataIs::Changed);
    if !is_lost || are_in_its_place(&model, &found.options()) {
        return Ok((model, own?));
    }
    let config = DataConfig {
        source: found.source,
        path: found.path,
        noise: found.noise,
        ..model.trained_on().clone()
    };
    let model = model.with_data(config);
    let data = ModelData::of(&model)?;
    Ok((model, data))
}

/// Refuses pictures some of which training has seen.
fn refuse_shared(model: &Model, options: &DataOptions, name: &str) -> Result<(), CliError> {
    match share_pictures(model, options) {
        true => Err(CliError::SharedPictures { name: name.into() }),
        false => Ok(()),
    }
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
