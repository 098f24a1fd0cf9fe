use super::args::SampleArgs;
use super::error::CliError;
use super::progress::Stages;
use super::sample_pictures::{Asked, draw, energies, picture};
use super::{open, output, warnings};
use crate::files::write_atomically;
use crate::model::{Model, SampleOptions, Samples};
use crate::report::{gif, png_bytes};
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
    let asked = Asked::of(arguments, ending != Ending::Npy, ending == Ending::Png)?;
    // The noise that is taken off, and the box that chains start or stay in.
    open::only_reads(
        &["data.noise", "data.low", "data.high"],
        &arguments.model.sets,
    )?;
    let model = open::model(&arguments.model)?;
    let run = &model.config().run;
    let steps = arguments
        .steps
        .map_or(run.sample_steps, |steps| steps as usize);
    asked.check(&model, steps)?;
    let rows = arguments
        .count
        .map_or_else(|| run.samples.min(asked.rows()), |count| count as usize);
    let options = SampleOptions {
        count: asked.samples(rows),
        steps,
        seed: arguments.seed.unwrap_or(run.seed),
        frames: if ending == Ending::Gif {
            FRAMES
        } else {
            asked.frames()
        },
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
    let bytes = match ending {
        Ending::Png => {
            let drawn = draw(
                &asked,
                &model,
                arguments.model.weights.into(),
                &mut executor,
                &samples,
                &options,
            )?;
            png_bytes(&drawn)?
        }
        Ending::Gif => animation(&model, &samples, options.count)?,
        Ending::Npy => values(&model, &samples, options.count)?,
    };
    write_atomically(&path, &bytes)?;
    if !arguments.quiet {
        output::note(format_args!(
            "wrote {} samples to {}",
            options.count,
            path.display()
        ));
    }
    if arguments.json {
        let energies = energies(&model, &mut executor, &samples.values)?;
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

fn animation(model: &Model, samples: &Samples, count: usize) -> Result<Vec<u8>, CliError> {
    let mut states = samples.frames.clone();
    // The denoised samples, shown for as long as a few states.
    states.extend(std::iter::repeat_n(samples.values.clone(), FRAMES / 4));
    let frames = states
        .iter()
        .map(|state| picture(model, state, count))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(gif(&frames, FRAME_MS)?)
}

fn values(model: &Model, samples: &Samples, count: usize) -> Result<Vec<u8>, CliError> {
    let shape = model.architecture().input();
    let shape = match shape.is_planar() {
        true => vec![count, 2],
        false => vec![count, shape.channels, shape.height, shape.width],
    };
    let shape: Vec<u64> = shape.into_iter().map(|side| side as u64).collect();
    Ok(output::npy(&samples.values, &shape)?)
}
