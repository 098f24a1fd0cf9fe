use super::args::EnergyArgs;
use super::error::CliError;
use super::{energy_picture, open, output};
use crate::data::{
    self, DataOptions, Dataset, Layout, RawRange, SampleFile, Source, TrainedScaling,
};
use crate::files::write_atomically;
use crate::model::Model;
use crate::report::png_bytes;
use crate::words::Word;
use serde::Serialize;
use std::path::Path;

/// Samples scored at a time.
const BATCH: usize = 256;
/// Samples of an endless source.
const DRAWN: usize = 10_000;

/// The energies of a data set in a few numbers, and how its values were read.
#[derive(Serialize)]
struct Summary<'a> {
    source: &'a str,
    count: usize,
    mean: f64,
    std: f64,
    min: f32,
    median: f64,
    max: f32,
    /// The raw values of data.low and data.high; null where values were taken as they are.
    range: Option<[f32; 2]>,
    values: &'a str,
    notes: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

/// `afterimage energy`
pub(super) fn energy(arguments: &EnergyArgs) -> Result<(), CliError> {
    let out = arguments.out.as_deref();
    let endings = [
        ("npy", Ending::Npy),
        ("csv", Ending::Csv),
        ("png", Ending::Png),
    ];
    let ending = out.map(|path| output::ending(path, &endings)).transpose()?;
    let model = open::model(&arguments.model)?;
    if let Some(Ending::Png) = ending {
        energy_picture::check(&model)?;
    }
    let data = open_data(&model, &arguments.data, &arguments.model.sets)?;
    let mut executor = open::executor_for(&arguments.adapter, &model)?;
    output::data(&data, false);
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
            Ending::Csv => csv(&energies, &data)?,
            Ending::Png => {
                let weights = arguments.model.weights.into();
                png_bytes(&energy_picture::draw(&model, weights, &data, &energies)?)?
            }
        };
        write_atomically(path, &bytes)?;
    }
    let of = summarise(&energies, &data, out);
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
    Png,
}

/// A line a sample: index, energy, and where samples have files of their own, file and class.
fn csv(energies: &[f32], data: &Dataset) -> Result<Vec<u8>, CliError> {
    let files: Vec<Option<&SampleFile>> =
        (0..energies.len()).map(|index| data.file(index)).collect();
    let with_files = files.iter().any(Option::is_some);
    let with_classes = files.iter().flatten().any(|file| file.class.is_some());
    let columns = ["index", "energy", "file", "class"];
    let columns = &columns[..2 + usize::from(with_files) + usize::from(with_classes)];
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns)?;
    for (index, (energy, file)) in energies.iter().zip(files).enumerate() {
        let path = file.map_or_else(String::new, |file| file.path.display().to_string());
        let class = file.and_then(|file| file.class.clone()).unwrap_or_default();
        let fields = [index.to_string(), energy.to_string(), path, class];
        writer.write_record(&fields[..columns.len()])?;
    }
    writer
        .into_inner()
        .map_err(|error| CliError::Csv(error.into_error().into()))
}

/// The data that `name` means, as this model scores it where `sets` are set.
pub(super) fn open_data(model: &Model, name: &str, sets: &[String]) -> Result<Dataset, CliError> {
    let options = data_options(model, name, sets)?;
    Ok(data::open(&options, model.config().run.seed)?)
}

/// How [`open_data`] reads them.
pub(super) fn data_options(
    model: &Model,
    name: &str,
    sets: &[String],
) -> Result<DataOptions, CliError> {
    let config = &model.config().data;
    // How the run's own data was read says nothing of other data, unless somebody says so.
    let was_set = |key: &str| {
        let keys = sets.iter().filter_map(|set| set.split_once('='));
        keys.map(|(key, _)| key.trim()).any(|set| set == key)
    };
    if was_set("data.path") {
        return Err(CliError::PathOfEnergy { name: name.into() });
    }
    let source = match was_set("data.source") {
        true => config.source,
        false => data::source_of(name)?,
    };
    if !source.needs_path() && Source::named(name) != Some(source) {
        return Err(CliError::OtherData {
            name: name.into(),
            wanted: source.name,
        });
    }
    let path = if source.needs_path() { name } else { "" };
    if path.is_empty() && Path::new(name).exists() {
        output::note(format_args!(
            "note: `{name}` is the data source; for the file or folder of this name say ./{name}"
        ));
    }
    let is_own = source == config.source && is_same(path, &config.path);
    let mut options = DataOptions {
        source: source.name.into(),
        path: path.into(),
        scored_by: Some(model.architecture().input()),
        trained: Some(TrainedScaling {
            scaling: model.scaling(),
            range: match is_own || source.is_pictures() && config.source.is_pictures() {
                true => config.range,
                false => RawRange::Auto,
            },
        }),
        ..config.options()
    };
    if !was_set("data.range") {
        options.range = RawRange::Auto;
    }
    if !was_set("data.layout") && !is_own {
        options.layout = Layout::Auto;
    }
    // What is named is scored whole, whatever a run has kept from its training.
    options.held_out = 0.0;
    if !was_set("data.limit") {
        options.limit = 0;
    }
    Ok(options)
}

/// Whether two paths lead to one file or folder.
fn is_same(path: &str, other: &str) -> bool {
    let whole = |path| std::fs::canonicalize(path).ok();
    path == other || whole(path).is_some_and(|path| Some(path) == whole(other))
}

fn summarise<'a>(energies: &[f32], data: &'a Dataset, file: Option<&Path>) -> Summary<'a> {
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
        source: data.name(),
        count,
        mean,
        std: variance.sqrt(),
        min: at(0),
        median: f64::midpoint(at(count.saturating_sub(1) / 2).into(), at(count / 2).into()),
        max: at(count.saturating_sub(1)),
        range: data.scaling().raw,
        values: data.meaning(),
        notes: data.notes().iter().map(String::as_str).collect(),
        file: file.map(|path| path.display().to_string()),
    }
}
