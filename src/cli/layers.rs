//! The table of layers that `afterimage config` prints.

use super::error::CliError;
use crate::config::Config;
use crate::data::{self, DataOptions};
use crate::model::{self, ModelError};
use crate::network::Architecture;
use crate::shape::Shape;

/// The layers of `config`, or why they are not known.
///
/// # Errors
/// When the layers do not fit the data.
pub(super) fn table(config: &Config) -> Result<String, CliError> {
    match shape(config) {
        Ok(shape) => {
            let architecture = model::architecture(config, shape).map_err(ModelError::from)?;
            Ok(rows(&architecture))
        }
        Err(why) => Ok(format!("the layers are not listed: {why}")),
    }
}

/// The shape of the samples, from as little of the data as tells it.
fn shape(config: &Config) -> Result<Shape, String> {
    let data = &config.data;
    if let Some(shape) = data.source.shape {
        return Ok(shape);
    }
    if data.path.is_empty() {
        return Err("the shape of the samples is known once data.path is set".into());
    }
    let options = DataOptions {
        limit: 1,
        ..data.options()
    };
    let data = data::open(&options, config.run.seed).map_err(|error| error.to_string())?;
    Ok(data.shape())
}

/// A header, a row a layer, and their sums.
fn rows(architecture: &Architecture) -> String {
    let (mut flops, mut bytes) = (0, 0);
    let mut text = format!(
        "{:5}  {:14}  {:>12}  {:>12}  {:>14}  {:>14}\n{:5}  {:14}  {:>12}\n",
        "layer",
        "",
        "output",
        "parameters",
        "FLOP a sample",
        "bytes a sample",
        "",
        "samples",
        architecture.input().to_string()
    );
    for (index, block) in architecture.blocks().iter().enumerate() {
        let (block_flops, block_bytes) = (
            architecture.block_flops(index),
            4 * architecture.block_map_len(index),
        );
        flops += block_flops;
        bytes += block_bytes;
        text += &format!(
            "{index:5}  {:14}  {:>12}  {:>12}  {block_flops:>14}  {block_bytes:>14}\n",
            block.spec.to_string(),
            block.output.to_string(),
            architecture.block_parameter_count(index),
        );
    }
    text += &format!(
        "{:5}  {:14}  {:>12}  {:>12}  {flops:>14}  {bytes:>14}\n",
        "",
        "all",
        "",
        architecture.parameter_count(),
    );
    text += "FLOP of the forward pass (the gradient in x takes as many again); bytes of the maps as f32, without borders";
    text
}
