use super::args::SampleArgs;
use super::error::CliError;
use super::progress::Stages;
use super::{open, output, warnings};
use crate::files::write_atomically;
use crate::model::{Model, SampleOptions, Samples};
use crate::report::{gif, png_bytes, sample_grid, scatter};
use image::RgbImage;
use std::path::PathBuf;

/// States of the chains in an animation, and how long each is shown.
const FRAMES: usize = 40;
const FRAME_MS: u32 = 80;

/// `afterimage sample`
pub(super) fn sample(arguments: &SampleArgs) -> Result<(), CliError> {
    let path = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("samples.png"));
    let endings = [
        ("png", Ending::Png),
        ("npy", Ending::Npy),
        ("gif", Ending::Gif),
    ];
    let ending = output::ending(&path, &endings)?;
    // The noise that is taken off, and the box that chains start or stay in.
    open::only_reads(
        &["data.noise", "data.low", "data.high"],
        &arguments.model.sets,
    )?;
    let model = open::model(&arguments.model)?;
    let run = &model.config().run;
    let options = SampleOptions {
        count: arguments.count.map_or(run.samples, |count| count as usize),
        steps: arguments
            .steps
            .map_or(run.sample_steps, |steps| steps as usize),
        seed: arguments.seed.unwrap_or(run.seed),
        frames: if ending == Ending::Gif { FRAMES } else { 0 },
    };
    let mut executor = open::executor_for(&arguments.adapter, &model)?;
    let mut bar = Stages::new(arguments.quiet);
    let samples = model.sample(&mut executor, &options, &mut |done, of| {
        bar.show("step", done, of);
        true
    })?;
    bar.clear();
    if samples.lost > 0 {
        return Err(CliError::Lost {
            lost: samples.lost,
            count: options.count,
        });
    }
    let sampler = &model.config().sampler;
    warnings::standstill(sampler, samples.acceptance, samples.step_size);
    write_atomically(&path, &encode(&model, &samples, options.count, ending)?)?;
    if !arguments.quiet {
        output::note(format_args!(
            "wrote {} samples to {}",
            options.count,
            path.display()
        ));
    }
    if arguments.json {
        let energies = model
            .evaluator(&mut executor, options.count.min(256))?
            .energies(&mut executor, &samples.values)?;
        output::json(&serde_json::json!({
            "file": path.display().to_string(), "count": options.count, "steps": options.steps, "seed": options.seed,
            "energies": energies, "gradient_evaluations": samples.gradient_evaluations,
            "step_size": samples.step_size, "acceptance": samples.acceptance,
        }))?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Png,
    Npy,
    Gif,
}

fn encode(
    model: &Model,
    samples: &Samples,
    count: usize,
    ending: Ending,
) -> Result<Vec<u8>, CliError> {
    match ending {
        Ending::Png => Ok(png_bytes(&picture(model, &samples.values, count)?)?),
        Ending::Gif => {
            let mut states = samples.frames.clone();
            // The denoised samples, shown for as long as a few states.
            states.extend(std::iter::repeat_n(samples.values.clone(), FRAMES / 4));
            let frames = states
                .iter()
                .map(|state| picture(model, state, count))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(gif(&frames, FRAME_MS)?)
        }
        Ending::Npy => {
            let shape = model.architecture().input();
            let shape = match shape.is_planar() {
                true => vec![count, 2],
                false => vec![count, shape.channels, shape.height, shape.width],
            };
            let shape: Vec<u64> = shape.into_iter().map(|side| side as u64).collect();
            Ok(output::npy(&samples.values, &shape)?)
        }
    }
}

fn picture(model: &Model, values: &[f32], count: usize) -> Result<RgbImage, CliError> {
    let shape = model.architecture().input();
    if shape.is_planar() {
        let points: Vec<[f32; 2]> = values
            .chunks_exact(2)
            .map(|point| [point[0], point[1]])
            .collect();
        return Ok(scatter("model samples", 4.0, &points)?);
    }
    let scaling = model.scaling();
    let columns = (count as f64).sqrt().ceil() as usize;
    Ok(sample_grid(
        values,
        shape,
        |value| scaling.brightness(value),
        columns,
    )?)
}
