use super::args::EnergyArgs;
use super::error::CliError;
use super::open::CommandLength;
use super::{open, output};
use crate::data::{self, DataOptions, Dataset, Source};
use crate::files::write_atomically;
use crate::model::Model;
use crate::words::Word;
use serde::Serialize;
use std::path::Path;

/// Samples scored at a time.
const BATCH: usize = 256;
/// Samples of an endless source.
const DRAWN: usize = 10_000;

/// The energies of a data set in a few numbers.
#[derive(Serialize)]
struct Summary {
    count: usize,
    mean: f64,
    std: f64,
    min: f32,
    median: f32,
    max: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

/// `afterimage energy`
pub(super) fn energy(arguments: &EnergyArgs) -> Result<(), CliError> {
    let out = arguments.out.as_deref();
    let endings = [("npy", Ending::Npy), ("csv", Ending::Csv)];
    let ending = out.map(|path| output::ending(path, &endings)).transpose()?;
    let model = open::model(&arguments.model)?;
    let data = open_data(&model, &arguments.data)?;
    let wanted = model.architecture().input();
    if data.shape() != wanted {
        return Err(CliError::WrongShape {
            found: data.shape(),
            wanted,
        });
    }
    let mut executor = open::executor(&arguments.adapter, CommandLength::Short)?;
    let count = data.len().unwrap_or(DRAWN);
    let mut evaluator = model.evaluator(&mut executor, BATCH.min(count))?;
    let mut energies = Vec::with_capacity(count);
    for start in (0..count).step_by(BATCH) {
        let samples = data.samples(start..(start + BATCH).min(count));
        energies.extend(evaluator.energies(&mut executor, &samples)?);
    }
    let lost = energies.iter().filter(|energy| !energy.is_finite()).count();
    if lost > 0 {
        return Err(CliError::NotFinite { lost, count });
    }
    if let Some((path, ending)) = out.zip(ending) {
        let bytes = match ending {
            Ending::Npy => output::npy(&energies, &[count as u64])?,
            Ending::Csv => csv(&energies),
        };
        write_atomically(path, &bytes)?;
    }
    let of = summarise(&energies, out);
    if arguments.json {
        return output::json(&of);
    }
    output::note(format_args!(
        "{count} samples: energy {:.4} ± {:.4}, from {:.4} to {:.4}, median {:.4}",
        of.mean, of.std, of.min, of.max, of.median
    ));
    if let Some(file) = of.file {
        output::note(format_args!("wrote {file}"));
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Ending {
    Npy,
    Csv,
}

fn csv(energies: &[f32]) -> Vec<u8> {
    let mut text = String::from("index,energy\n");
    for (index, energy) in energies.iter().enumerate() {
        text.push_str(&format!("{index},{energy}\n"));
    }
    text.into_bytes()
}

/// The data that `name` means: a source that needs no file, or a file of a kind told by its name, else of the kind
/// the model was trained on.
pub(super) fn open_data(model: &Model, name: &str) -> Result<Dataset, CliError> {
    let config = &model.config().data;
    let options = |source: &Source, path: &str| DataOptions {
        source: source.name.into(),
        path: path.into(),
        ..config.options()
    };
    let (from_files, others): (Vec<&Source>, Vec<&Source>) =
        Source::all().iter().partition(|source| source.needs_path());
    let options = if let Some(source) = others.iter().find(|source| source.name == name) {
        options(source, "")
    } else if let Some(source) = from_files
        .iter()
        .find(|source| source.has_files_named(name))
    {
        options(source, name)
    } else if config.source.needs_path() {
        options(&config.source, name)
    } else if Path::new(name).is_dir() {
        options(&Source::IMAGES, name)
    } else {
        let known: Vec<_> = others.iter().map(|source| source.name).collect();
        return Err(CliError::UnknownData {
            name: name.into(),
            known: known.join(", "),
        });
    };
    Ok(data::open(&options, model.config().run.seed)?)
}

fn summarise(energies: &[f32], file: Option<&Path>) -> Summary {
    let count = energies.len();
    let mean = energies.iter().map(|&e| f64::from(e)).sum::<f64>() / count as f64;
    let variance = energies
        .iter()
        .map(|&e| (f64::from(e) - mean).powi(2))
        .sum::<f64>()
        / count as f64;
    let mut sorted = energies.to_vec();
    sorted.sort_by(f32::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f32::NAN);
    Summary {
        count,
        mean,
        std: variance.sqrt(),
        min: at(0),
        median: at(count / 2),
        max: at(count.saturating_sub(1)),
        file: file.map(|path| path.display().to_string()),
    }
}
