use super::error::ModelError;
use super::settings;
use crate::checkpoint::{NamedTensor, OtherTypes, TensorFile, read_metadata};
use crate::config::{self, Config, DataConfig};
use crate::data::{DataRecord, Scaling};
use crate::kernels::{Dynamics, GaussianMixture, Jumps, MixtureSize};
use crate::network::{Architecture, ParameterTensor};
use crate::shape::Shape;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The metadata's key for the adapted step size.
const STEP_SIZE: &str = "sampler_step_size";

/// The metadata's key for the record of the data.
const DATA_RECORD: &str = "data_record";

/// The metadata's key for the weights in a file; those of a file without it are averaged.
const WEIGHTS: &str = "weights";

/// The metadata's key for the least energy distance of a run's chains from data, by which its best weights say that they are these.
const LEAST_DISTANCE: &str = "least_data_distance";

/// What the name of a live tensor began with when live and averaged weights shared a file.
const LIVE_PREFIX: &str = "live.";

/// The metadata's key for the mixture that chains jump to: [`GaussianMixture::parts`] one after the other as little-endian f32, in
/// base 64. No tensors, so that PyTorch loads those of a file as they are.
const MIXTURE: &str = "jumps";

/// How the name of the file with the live weights ends.
const LIVE_ENDING: &str = "live.safetensors";

/// How the name of the file with the chains of a replay buffer ends.
pub(super) const CHAINS_ENDING: &str = "chains.safetensors";

/// Which weights of a run a model computes with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// The moving average of the weights.
    #[default]
    Averaged,
    /// What the optimiser moved last: `NAME.live.safetensors` beside a checkpoint `NAME.safetensors`.
    Live,
}

impl Weights {
    /// As titles of pictures name them.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Weights::Averaged => "averaged weights",
            Weights::Live => "live weights",
        }
    }
}

/// The file that holds the live weights of the checkpoint at `path`.
pub(crate) fn live_path(path: &Path) -> PathBuf {
    path.with_extension(LIVE_ENDING)
}

/// The file that holds the chains of the checkpoint at `path`, of either weights.
pub(super) fn chains_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match name.strip_suffix(&format!(".{LIVE_ENDING}")) {
        Some(stem) => path.with_file_name(format!("{stem}.{CHAINS_ENDING}")),
        None => path.with_extension(CHAINS_ENDING),
    }
}

/// Whether the file at `path` holds the live weights of a checkpoint beside it, by its name.
pub(crate) fn is_live_path(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(&format!(".{LIVE_ENDING}"))
}

/// The configuration of the run whose best weights, averaged or live, the file at `path` holds; none where it does not say so.
pub(crate) fn best_config(path: &Path) -> Option<Config> {
    let metadata = read_metadata(path).ok()?;
    metadata.get(LEAST_DISTANCE)?;
    let text = metadata.get("config")?;
    let stored = config::parse_stored(text, "the checkpoint's configuration").ok()?;
    Some(stored.config)
}

/// All that a checkpoint says besides its tensors.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// The configuration it was trained with.
    pub config: Config,
    /// The shape of a sample.
    pub shape: Shape,
    /// How raw data values map to the network's.
    pub scaling: Scaling,
    /// The optimiser step it was taken after.
    pub step: u64,
    /// The step size that its sampler was adapted to, where it was.
    pub step_size: Option<f32>,
    /// What its data were made of, where its run has recorded it.
    pub data_record: Option<DataRecord>,
    /// What its chains jump to, where they do so to a mixture.
    pub mixture: Option<Arc<GaussianMixture>>,
    /// What of it is not as it was stored, a line each.
    pub notes: Vec<String>,
}

/// Live weights that are not in use.
#[derive(Clone, Debug)]
enum Live {
    Values(Vec<f32>),
    /// In a file, which is read when they are asked for.
    File(PathBuf),
}

/// A model and everything needed to use it: what `sample`, `energy` and `evaluate` read from one checkpoint.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) config: Config,
    /// What of the configuration was about data when it was trained.
    trained_on: DataConfig,
    data_record: Option<DataRecord>,
    pub(super) architecture: Architecture,
    pub(super) scaling: Scaling,
    /// Those in use.
    pub(super) parameters: Vec<f32>,
    pub(super) step: u64,
    pub(super) step_size: Option<f32>,
    /// Where it holds the best weights of a run: the energy distance that they are the best by.
    least_distance: Option<f32>,
    weights: Weights,
    live: Option<Live>,
    /// What its chains jump to, where they do so to a mixture.
    pub(super) mixture: Option<Arc<GaussianMixture>>,
    /// Where the chains that belong to it are kept, if they are.
    pub(super) chains: Option<PathBuf>,
    notes: Vec<String>,
}

impl Description {
    /// What the checkpoint at `path` says.
    ///
    /// # Errors
    /// When the file is missing or damaged, or does not say all of it.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        Self::of(&TensorFile::load(path)?)
    }

    fn of(file: &TensorFile) -> Result<Self, ModelError> {
        let stored =
            config::parse_stored(entry(file, "config")?, "the checkpoint's configuration")?;
        let notes = stored.derived.iter();
        let notes = notes.map(|derived| format!("a stored setting is refused today: {derived}"));
        let [channels, height, width]: [usize; 3] = json(file, "shape")?;
        let step_size = match file.metadata.contains_key(STEP_SIZE) {
            true => Some(json::<f32>(file, STEP_SIZE)?),
            false => None,
        };
        if step_size.is_some_and(|size| !(size > 0.0 && size.is_finite())) {
            return Err(ModelError::BadMetadata {
                key: STEP_SIZE,
                cause: "a step size is a finite number above 0".into(),
            });
        }
        let shape = Shape::new(channels, height, width);
        let mixture = match mixture_size(&stored.config, shape) {
            Some(size) => mixture(file, size)?.map(Arc::new),
            None => None,
        };
        Ok(Description {
            config: stored.config,
            mixture,
            notes: notes.collect(),
            shape,
            scaling: json(file, "scaling")?,
            step: json(file, "step")?,
            step_size,
            data_record: match file.metadata.contains_key(DATA_RECORD) {
                true => Some(json(file, DATA_RECORD)?),
                false => None,
            },
        })
    }
}

impl Model {
    /// A model from its parts; `parameters` lie as in [`Architecture::tensors`].
    ///
    /// # Errors
    /// When the layers do not fit together, or the parameters are not as many as the network has.
    pub fn new(
        config: Config,
        shape: Shape,
        scaling: Scaling,
        parameters: Vec<f32>,
        step: u64,
    ) -> Result<Self, ModelError> {
        let architecture = settings::architecture(&config, shape)?;
        if parameters.len() != architecture.parameter_count() {
            return Err(ModelError::WrongTensor {
                name: "all parameters".into(),
                wanted: vec![architecture.parameter_count()],
                found: format!("{} values were given", parameters.len()),
            });
        }
        Ok(Model {
            trained_on: config.data.clone(),
            data_record: None,
            config,
            architecture,
            scaling,
            parameters,
            step,
            step_size: None,
            least_distance: None,
            weights: Weights::Averaged,
            live: None,
            mixture: None,
            chains: None,
            notes: Vec::new(),
        })
    }

    /// The same model with the step size that its sampler has been adapted to.
    pub fn with_step_size(mut self, step_size: f32) -> Self {
        self.step_size = Some(step_size);
        self
    }

    /// The same model with the record of the data that it was trained on, by which they are known again.
    pub fn with_data_record(mut self, record: DataRecord) -> Self {
        self.data_record = Some(record);
        self
    }

    /// The same model with what its chains jump to.
    pub fn with_mixture(mut self, mixture: Option<Arc<GaussianMixture>>) -> Self {
        self.mixture = mixture;
        self
    }

    /// What its chains jump to, where they do so to a mixture.
    pub fn mixture(&self) -> Option<&Arc<GaussianMixture>> {
        self.mixture.as_ref()
    }

    /// How large that mixture is by its configuration; none where chains jump to none.
    pub(crate) fn mixture_size(&self) -> Option<MixtureSize> {
        mixture_size(&self.config, self.architecture.input())
    }

    /// How its chains move. Those that have no mixture to jump to do not jump, which [`Self::notes`] say of a file without one.
    pub(crate) fn dynamics(&self) -> Dynamics {
        let mut dynamics = self.config.dynamics();
        if self.mixture_size().is_some() && self.mixture.is_none() {
            dynamics.jumps = Jumps::NONE;
        }
        dynamics
    }

    /// The same model, to be stored as the best of its run, whose chains came as near to data as `distance`.
    pub(crate) fn of_best(mut self, distance: f32) -> Self {
        self.least_distance = Some(distance);
        self
    }

    /// The same model, whose parameters are `weights` of its run.
    pub(crate) fn of_weights(mut self, weights: Weights) -> Self {
        self.weights = weights;
        self
    }

    /// This model with the live weights of its run beside the averaged ones, to be stored with them.
    ///
    /// # Errors
    /// When they are not as many as the network has.
    pub fn with_live(mut self, live: Vec<f32>) -> Result<Self, ModelError> {
        if live.len() != self.parameters.len() {
            return Err(ModelError::WrongTensor {
                name: "all live parameters".into(),
                wanted: vec![self.parameters.len()],
                found: format!("{} values were given", live.len()),
            });
        }
        self.live = Some(Live::Values(live));
        Ok(self)
    }

    /// This model with its data described by `data`: what of it is read anew from now on.
    pub(crate) fn with_data(mut self, data: DataConfig) -> Self {
        self.config.data = data;
        self
    }

    /// This model computing with `weights`, and holding no others.
    ///
    /// # Errors
    /// When it has no such weights, or the file that holds them is not that of this model and step.
    pub fn using(mut self, weights: Weights) -> Result<Self, ModelError> {
        let live = self.live.take();
        if weights == self.weights {
            return Ok(self);
        }
        self.parameters = match live {
            // Live weights that were opened by their own name know of no others.
            _ if weights == Weights::Averaged => return Err(ModelError::NoAveragedWeights),
            None => return Err(ModelError::NoLiveWeights),
            Some(Live::Values(values)) => values,
            Some(Live::File(path)) => {
                let live = match Self::load(&path) {
                    // Saved by another program, as the averaged ones were.
                    Err(ModelError::MissingMetadata { .. }) => {
                        Self::load_described(&path, self.description())?
                    }
                    Ok(live) if (live.weights, live.step) != (Weights::Live, self.step) => {
                        return Err(ModelError::OtherLiveWeights {
                            path,
                            step: self.step,
                        });
                    }
                    live => live?,
                };
                parameters_of(&self.architecture, live)?
            }
        };
        self.weights = weights;
        Ok(self)
    }

    /// Reads a checkpoint, with the averaged weights in use where it holds them.
    ///
    /// # Errors
    /// When the file is missing or damaged, lacks what this program writes beside the tensors (then see
    /// [`Model::load_described`]), or holds other tensors than its architecture has.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let (file, others) = TensorFile::read(path)?;
        let description = Description::of(&file)?;
        Self::from_file(path, &file, &others, description)
    }

    /// Reads a checkpoint whose bytes are at hand, as where there are no files. `name` is what errors call it.
    ///
    /// # Errors
    /// As for [`Model::load`].
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, ModelError> {
        let path = Path::new(name);
        let (file, others) = TensorFile::read_from(path, bytes, bytes.len() as u64)?;
        let description = Description::of(&file)?;
        Self::from_file(path, &file, &others, description)
    }

    /// Reads the tensors of a file that says nothing about them, such as PyTorch saves, as those of the model that
    /// `description` describes.
    ///
    /// # Errors
    /// When the file is missing or damaged, or holds other tensors than the architecture has.
    pub fn load_described(path: &Path, description: Description) -> Result<Self, ModelError> {
        let (file, others) = TensorFile::read(path)?;
        Self::from_file(path, &file, &others, description)
    }

    fn description(&self) -> Description {
        Description {
            config: self.config.clone(),
            shape: self.architecture.input(),
            scaling: self.scaling,
            step: self.step,
            step_size: self.step_size,
            data_record: self.data_record.clone(),
            mixture: self.mixture.clone(),
            notes: Vec::new(),
        }
    }

    fn from_file(
        path: &Path,
        file: &TensorFile,
        others: &OtherTypes,
        description: Description,
    ) -> Result<Self, ModelError> {
        let Description {
            config,
            shape,
            scaling,
            step,
            step_size,
            data_record,
            mixture,
            notes: mut all_notes,
        } = description;
        let architecture = settings::architecture(&config, shape)?;
        let parameters = parameters(file, others, &architecture, "")?;
        let weights = match file.metadata.contains_key(WEIGHTS) {
            true => word(file, WEIGHTS)?,
            false => Weights::Averaged,
        };
        let shares_file = file
            .tensors
            .iter()
            .any(|tensor| tensor.name.starts_with(LIVE_PREFIX));
        let beside = live_path(path);
        let live = if weights == Weights::Live {
            None
        } else if shares_file {
            let live = self::parameters(file, others, &architecture, LIVE_PREFIX)?;
            Some(Live::Values(live))
        } else {
            beside.is_file().then_some(Live::File(beside))
        };
        all_notes.extend(notes(file, others, &architecture));
        if mixture.is_none() && mixture_size(&config, shape).is_some() {
            all_notes.push(format!(
                "it does not say what its chains jump to ('{MIXTURE}' in the metadata), so they do not (sampler.jumps)"
            ));
        }
        Ok(Model {
            trained_on: config.data.clone(),
            data_record,
            config,
            architecture,
            scaling,
            parameters,
            step,
            step_size,
            // Whoever saves it again makes no best of a run.
            least_distance: None,
            weights,
            live,
            mixture,
            chains: Some(chains_path(path)).filter(|path| path.is_file()),
            notes: all_notes,
        })
    }

    /// Writes a checkpoint, whole or not at all: tensors under PyTorch's names and layouts, the configuration, the
    /// sample's shape, the data's scaling and record, the step and where there is one the adapted step size in the metadata. Live
    /// weights that the model holds beside averaged ones go into a file of their own before: `NAME.live.safetensors`.
    ///
    /// # Errors
    /// When a file cannot be written or the parameters are not finite.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        match &self.live {
            None => {}
            Some(Live::Values(live)) => self.file(live, Weights::Live).save(&live_path(path))?,
            Some(Live::File(_)) => self.clone().using(Weights::Live)?.save(&live_path(path))?,
        }
        Ok(self.file(&self.parameters, self.weights).save(path)?)
    }

    fn file(&self, parameters: &[f32], weights: Weights) -> TensorFile {
        let tensor = |t: ParameterTensor| NamedTensor {
            values: parameters[t.offset..t.offset + t.len].to_vec(),
            name: t.name,
            shape: t.shape,
        };
        let tensors = self
            .architecture
            .tensors()
            .into_iter()
            .map(tensor)
            .collect();
        let shape = self.architecture.input();
        let mut metadata = BTreeMap::from([
            ("format".to_owned(), "afterimage 1".to_owned()),
            ("config".to_owned(), config::to_toml(&self.config)),
            (
                "shape".to_owned(),
                format!("[{}, {}, {}]", shape.channels, shape.height, shape.width),
            ),
            (
                "scaling".to_owned(),
                serde_json::json!(self.scaling).to_string(),
            ),
            ("step".to_owned(), self.step.to_string()),
        ]);
        if let Some(step_size) = self.step_size {
            metadata.insert(STEP_SIZE.to_owned(), step_size.to_string());
        }
        if let Some(distance) = self.least_distance {
            metadata.insert(LEAST_DISTANCE.to_owned(), distance.to_string());
        }
        if let Some(record) = &self.data_record {
            let record = serde_json::json!(record).to_string();
            metadata.insert(DATA_RECORD.to_owned(), record);
        }
        if let Some(mixture) = &self.mixture {
            let (law, directions) = mixture.parts();
            let values = law.iter().chain(directions);
            let bytes: Vec<u8> = values.flat_map(|value| value.to_le_bytes()).collect();
            metadata.insert(MIXTURE.to_owned(), BASE64_STANDARD.encode(bytes));
        }
        if weights == Weights::Live {
            metadata.insert(WEIGHTS.to_owned(), "live".to_owned());
        }
        TensorFile { tensors, metadata }
    }

    /// The configuration it was trained with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where the data that it was trained on came from, whatever its configuration names now.
    pub(crate) fn trained_on(&self) -> &DataConfig {
        &self.trained_on
    }

    /// What these data were made of, where its run has recorded it.
    pub fn data_record(&self) -> Option<&DataRecord> {
        self.data_record.as_ref()
    }

    /// Its network.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// How raw data values map to the network's.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// The optimiser step it was taken after.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The step size that its sampler was adapted to, else that of the configuration.
    pub fn step_size(&self) -> f32 {
        self.step_size.unwrap_or(self.config.sampler.step_size)
    }

    /// The weights in use.
    pub fn weights(&self) -> Weights {
        self.weights
    }

    /// What of its file was not read as it stood, a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The CRC-32 of the weights in use, as little-endian f32, in hexadecimal.
    pub fn weights_crc32(&self) -> String {
        crc32(&self.parameters)
    }

    /// The same of the live weights that it holds beside those in use; none where it holds none, or only a file of them.
    pub(super) fn live_crc32(&self) -> Option<String> {
        match &self.live {
            Some(Live::Values(live)) => Some(crc32(live)),
            Some(Live::File(_)) | None => None,
        }
    }

    /// All parameters in use, as in [`Architecture::tensors`].
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }
}

fn crc32(values: &[f32]) -> String {
    let mut hasher = crc32fast::Hasher::new();
    for value in values {
        hasher.update(&value.to_le_bytes());
    }
    format!("{:08x}", hasher.finalize())
}

/// The parameters of `model`, whose network must be `architecture`.
fn parameters_of(architecture: &Architecture, model: Model) -> Result<Vec<f32>, ModelError> {
    let (wanted, found) = (architecture.parameter_count(), model.parameters.len());
    if wanted != found {
        return Err(ModelError::WrongTensor {
            name: "all live parameters".into(),
            wanted: vec![wanted],
            found: format!("there are {found} values"),
        });
    }
    Ok(model.parameters)
}

/// The parameters whose tensors' names in `file` start with `prefix`.
fn parameters(
    file: &TensorFile,
    others: &OtherTypes,
    architecture: &Architecture,
    prefix: &str,
) -> Result<Vec<f32>, ModelError> {
    let mut parameters = vec![0.0; architecture.parameter_count()];
    for wanted in architecture.tensors() {
        let name = format!("{prefix}{}", wanted.name);
        let tensor = file.tensors.iter().find(|tensor| tensor.name == name);
        let wrong = |found: String| ModelError::WrongTensor {
            name: name.clone(),
            wanted: wanted.shape.clone(),
            found,
        };
        let tensor = tensor.ok_or_else(|| {
            wrong(match others.left_out.get(&name) {
                Some(other) => format!("it has type {other}, which holds no weights"),
                None => "it is missing".into(),
            })
        })?;
        if tensor.shape != wanted.shape {
            return Err(wrong(format!("it has {:?}", tensor.shape)));
        }
        parameters[wanted.offset..wanted.offset + wanted.len].copy_from_slice(&tensor.values);
    }
    Ok(parameters)
}

/// How large a mixture chains jump to by `config`; none where they do not.
fn mixture_size(config: &Config, shape: Shape) -> Option<MixtureSize> {
    let components = config.dynamics().jumps.components()?;
    Some(MixtureSize {
        components,
        length: shape.len(),
    })
}

/// The mixture in the metadata of `file`, if it holds one.
fn mixture(file: &TensorFile, size: MixtureSize) -> Result<Option<GaussianMixture>, ModelError> {
    let Some(text) = file.metadata.get(MIXTURE) else {
        return Ok(None);
    };
    let bytes = BASE64_STANDARD.decode(text).unwrap_or_default();
    let values: Vec<f32> = bytes
        .chunks_exact(4)
        .map(|value| f32::from_le_bytes([value[0], value[1], value[2], value[3]]))
        .collect();
    let mixture = GaussianMixture::from_values(size, &values);
    mixture.map(Some).ok_or(ModelError::BadMetadata {
        key: MIXTURE,
        cause: format!("it is no mixture of {} Gaussians", size.components),
    })
}

/// What of a file's tensors a user should know.
fn notes(file: &TensorFile, others: &OtherTypes, architecture: &Architecture) -> Vec<String> {
    let mut notes: Vec<String> = others
        .converted
        .iter()
        .map(|(name, count)| format!("{count} tensors of type {name} were converted to F32"))
        .collect();
    let known: Vec<String> = architecture.tensors().into_iter().map(|t| t.name).collect();
    let unknown = file.tensors.iter().map(|tensor| tensor.name.as_str());
    let unknown = unknown.filter(|name| {
        let name = name.strip_prefix(LIVE_PREFIX).unwrap_or(name);
        !known.iter().any(|known| known == name)
    });
    let left_out: Vec<&str> = others
        .left_out
        .keys()
        .map(String::as_str)
        .chain(unknown)
        .collect();
    if let [first, ..] = left_out[..] {
        let others = match left_out.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        notes.push(format!(
            "tensor '{first}'{others} left out: not of this network"
        ));
    }
    notes
}

/// A word in the metadata.
fn word<T: serde::de::DeserializeOwned>(
    file: &TensorFile,
    key: &'static str,
) -> Result<T, ModelError> {
    serde_json::from_value(entry(file, key)?.into()).map_err(|error| ModelError::BadMetadata {
        key,
        cause: error.to_string(),
    })
}

pub(super) fn entry<'a>(file: &'a TensorFile, key: &'static str) -> Result<&'a str, ModelError> {
    file.metadata
        .get(key)
        .map(String::as_str)
        .ok_or(ModelError::MissingMetadata { key })
}

pub(super) fn json<T: serde::de::DeserializeOwned>(
    file: &TensorFile,
    key: &'static str,
) -> Result<T, ModelError> {
    serde_json::from_str(entry(file, key)?).map_err(|error| ModelError::BadMetadata {
        key,
        cause: error.to_string(),
    })
}
