use super::error::ModelError;
use super::settings;
use crate::checkpoint::{NamedTensor, TensorFile};
use crate::config::{self, Config};
use crate::data::Scaling;
use crate::network::Architecture;
use crate::shape::Shape;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The metadata's key for the adapted step size.
const STEP_SIZE: &str = "sampler_step_size";

/// What a live tensor's name starts with; the rest is the name of the averaged one.
const LIVE: &str = "live.";

/// Which weights of a run a model computes with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// The moving average of the weights, under PyTorch's names in a checkpoint.
    #[default]
    Averaged,
    /// What the optimiser moved last, as `live.NAME`.
    Live,
}

/// A model and everything needed to use it: what `sample`, `energy` and `evaluate` read from one checkpoint.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) config: Config,
    pub(super) architecture: Architecture,
    pub(super) scaling: Scaling,
    /// Those in use.
    pub(super) parameters: Vec<f32>,
    pub(super) step: u64,
    pub(super) step_size: Option<f32>,
    weights: Weights,
    live: Option<Vec<f32>>,
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
            config,
            architecture,
            scaling,
            parameters,
            step,
            step_size: None,
            weights: Weights::Averaged,
            live: None,
        })
    }

    /// The same model with the step size that its sampler has been adapted to.
    pub fn with_step_size(mut self, step_size: f32) -> Self {
        self.step_size = Some(step_size);
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
        self.live = Some(live);
        Ok(self)
    }

    /// This model computing with `weights`, and holding no others.
    ///
    /// # Errors
    /// When it has no such weights: older checkpoints have no live ones.
    pub fn using(mut self, weights: Weights) -> Result<Self, ModelError> {
        let live = self.live.take();
        if weights != self.weights {
            self.parameters = live.ok_or(ModelError::NoLiveWeights)?;
            self.weights = weights;
        }
        Ok(self)
    }

    /// Reads a checkpoint, with the averaged weights in use.
    ///
    /// # Errors
    /// When the file is missing or damaged, was not written by this program, or holds other tensors than its
    /// architecture has.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let file = TensorFile::load(path)?;
        let config =
            config::parse_stored(entry(&file, "config")?, "the checkpoint's configuration")?;
        let [channels, height, width]: [usize; 3] = json(&file, "shape")?;
        let scaling: Scaling = json(&file, "scaling")?;
        let step: u64 = json(&file, "step")?;
        let step_size = match file.metadata.contains_key(STEP_SIZE) {
            true => Some(json::<f32>(&file, STEP_SIZE)?),
            false => None,
        };
        if step_size.is_some_and(|size| !(size > 0.0 && size.is_finite())) {
            return Err(ModelError::BadMetadata {
                key: STEP_SIZE,
                cause: "a step size is a finite number above 0".into(),
            });
        }
        let architecture = settings::architecture(&config, Shape::new(channels, height, width))?;
        let parameters = parameters(&file, &architecture, "")?;
        let has_live = file.tensors.iter().any(|t| t.name.starts_with(LIVE));
        let live = has_live
            .then(|| self::parameters(&file, &architecture, LIVE))
            .transpose()?;
        Ok(Model {
            config,
            architecture,
            scaling,
            parameters,
            step,
            step_size,
            weights: Weights::Averaged,
            live,
        })
    }

    /// Writes a checkpoint, whole or not at all: tensors under PyTorch's names and layouts, the configuration, the
    /// sample's shape, the data's scaling, the step and where there is one the adapted step size in the metadata. Live
    /// weights, where the model has them, follow as `live.NAME`.
    ///
    /// # Errors
    /// When the file cannot be written or the parameters are not finite.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let stored = [("", Some(&self.parameters)), (LIVE, self.live.as_ref())];
        let tensors = stored
            .into_iter()
            .filter_map(|(prefix, parameters)| Some((prefix, parameters?)))
            .flat_map(|(prefix, parameters)| {
                let tensors = self.architecture.tensors().into_iter();
                tensors.map(move |t| NamedTensor {
                    values: parameters[t.offset..t.offset + t.len].to_vec(),
                    name: format!("{prefix}{}", t.name),
                    shape: t.shape,
                })
            })
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
        Ok(TensorFile { tensors, metadata }.save(path)?)
    }

    /// The configuration it was trained with.
    pub fn config(&self) -> &Config {
        &self.config
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

    /// All parameters in use, as in [`Architecture::tensors`].
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }
}

/// The parameters whose tensors' names in `file` start with `prefix`.
fn parameters(
    file: &TensorFile,
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
        let tensor = tensor.ok_or_else(|| wrong("it is missing".into()))?;
        if tensor.shape != wanted.shape {
            return Err(wrong(format!("it has {:?}", tensor.shape)));
        }
        parameters[wanted.offset..wanted.offset + wanted.len].copy_from_slice(&tensor.values);
    }
    Ok(parameters)
}

fn entry<'a>(file: &'a TensorFile, key: &'static str) -> Result<&'a str, ModelError> {
    file.metadata
        .get(key)
        .map(String::as_str)
        .ok_or(ModelError::MissingMetadata { key })
}

fn json<T: serde::de::DeserializeOwned>(
    file: &TensorFile,
    key: &'static str,
) -> Result<T, ModelError> {
    serde_json::from_str(entry(file, key)?).map_err(|error| ModelError::BadMetadata {
        key,
        cause: error.to_string(),
    })
}
