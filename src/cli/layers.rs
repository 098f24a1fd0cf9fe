//! The table of layers that `afterimage config` prints.

use super::error::CliError;
use crate::config::Config;
use crate::data::{self, DataOptions};
use crate::model::{self, ModelError};
use crate::network::Architecture;
use crate::shape::Shape;
use std::fmt::Display;

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

/// A shape in the width of a column; below the table stands what its numbers are.
fn compact(shape: Shape) -> String {
    format!("{}×{}×{}", shape.channels, shape.height, shape.width)
}

/// A header, a row a layer, and their sums.
fn rows(architecture: &Architecture) -> String {
    let row = |[layer, form, output, parameters, flops, bytes]: [&dyn Display; 6]| {
        format!("{layer:5}  {form:14}  {output:>12}  {parameters:>12}  {flops:>14}  {bytes:>14}\n")
    };
    let (flops, bytes) = ("FLOP a sample", "bytes a sample");
    let mut text = row([&"layer", &"", &"output", &"parameters", &flops, &bytes]);
    let input = compact(architecture.input());
    text += &format!("{:5}  {:14}  {input:>12}\n", "", "samples");
    let (mut all_flops, mut all_bytes) = (0, 0);
    for (index, block) in architecture.blocks().iter().enumerate() {
        let (form, output) = (block.spec.to_string(), compact(block.output));
        let parameters = architecture.block_parameter_count(index);
        let flops = architecture.block_flops(index);
        let bytes = 4 * architecture.block_map_len(index);
        text += &row([&index, &form, &output, &parameters, &flops, &bytes]);
        all_flops += flops;
        all_bytes += bytes;
    }
    let parameters = architecture.parameter_count();
    text += &row([&"", &"all", &"", &parameters, &all_flops, &all_bytes]);
    text += "outputs are channels × height × width; FLOP of the forward pass (the gradient in x takes as many again); bytes of the maps as f32, without borders";
    text
}
