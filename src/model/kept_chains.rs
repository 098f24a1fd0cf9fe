//! The chains of a run's replay buffer, kept beside a checkpoint.

use super::error::ModelError;
use super::stored::{CHAINS_ENDING, Model, Weights, chains_path, entry, json};
use crate::checkpoint::{NamedTensor, TensorFile};
use crate::config;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The name of the one tensor in it.
const TENSOR: &str = "chains";
/// Chains that are kept at most: as many samples as `evaluate` compares.
pub(crate) const MOST_CHAINS: usize = 1024;
/// Values of all of them at most, which take 16 MiB.
const MOST_VALUES: usize = 1 << 22;
/// The metadata's keys.
const WEIGHTS_CRC32: &str = "weights_crc32";
const LIVE_WEIGHTS_CRC32: &str = "live_weights_crc32";
const CHAINS_IN_BUFFER: &str = "chains_in_buffer";
const CHAINS_LOST: &str = "chains_lost";

/// Chains of a replay buffer as training left them with a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptChains {
    /// (chain, channel, row, column), in the model's scale, all finite; not denoised.
    pub states: Vec<f32>,
    /// Chains in the whole buffer.
    pub of: usize,
    /// Chains left out because a value of theirs is not finite.
    pub lost: usize,
}

/// How many chains of samples of `length` values are kept.
pub(crate) fn most_kept(length: usize) -> usize {
    (MOST_VALUES / length.max(1)).clamp(1, MOST_CHAINS)
}

/// Whether the file at `path` holds the chains of a checkpoint beside it, by its name.
pub(crate) fn is_chains_path(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(&format!(".{CHAINS_ENDING}"))
}

impl KeptChains {
    /// Those of `states`, (chain, channel, row, column), that are finite, of a buffer of `of` chains of `length` values.
    pub(crate) fn finite(states: &[f32], length: usize, of: usize) -> Self {
        let chains = states.chunks(length);
        let all = chains.len();
        let kept: Vec<&[f32]> = chains
            .filter(|chain| chain.iter().all(|value| value.is_finite()))
            .collect();
        KeptChains {
            lost: all - kept.len(),
            states: kept.concat(),
            of,
        }
    }

    /// Writes them beside the checkpoint of `model` at `checkpoint`, as `NAME.chains.safetensors`, whole or not at all; and
    /// says where. Its metadata has the configuration with the sampler, the step, the shape, how many chains the buffer holds,
    /// and the CRC-32 of both kinds of weights that the chains belong to.
    ///
    /// # Errors
    /// When the file cannot be written. Then one that lay there is removed.
    pub(crate) fn save(&self, model: &Model, checkpoint: &Path) -> Result<PathBuf, ModelError> {
        let shape = model.architecture().input();
        let sides = [shape.channels, shape.height, shape.width];
        let mut metadata = BTreeMap::from([
            ("format".to_owned(), "afterimage chains 1".to_owned()),
            ("config".to_owned(), config::to_toml(model.config())),
            ("step".to_owned(), model.step().to_string()),
            ("shape".to_owned(), format!("{sides:?}")),
            (CHAINS_IN_BUFFER.to_owned(), self.of.to_string()),
            (CHAINS_LOST.to_owned(), self.lost.to_string()),
            (WEIGHTS_CRC32.to_owned(), model.weights_crc32()),
        ]);
        if let Some(live) = model.live_crc32() {
            metadata.insert(LIVE_WEIGHTS_CRC32.to_owned(), live);
        }
        let file = TensorFile {
            tensors: vec![NamedTensor {
                name: TENSOR.into(),
                shape: [&[self.states.len() / shape.len()], &sides[..]].concat(),
                values: self.states.clone(),
            }],
            metadata,
        };
        let path = chains_path(checkpoint);
        if let Err(error) = file.save(&path) {
            // One that is there is of other weights. Whether it goes or not, the first failure is the one to tell.
            let _ = fs::remove_file(&path);
            return Err(error.into());
        }
        Ok(path)
    }

    /// Those in the file at `path`, which must belong to the weights that `model` computes with.
    fn load(path: &Path, model: &Model) -> Result<Self, ModelError> {
        let file = TensorFile::load(path)?;
        let key = match model.weights() {
            Weights::Averaged => WEIGHTS_CRC32,
            Weights::Live => LIVE_WEIGHTS_CRC32,
        };
        if entry(&file, key)? != model.weights_crc32() {
            return Err(ModelError::OtherChains { path: path.into() });
        }
        let shape = model.architecture().input();
        let wanted = [shape.channels, shape.height, shape.width];
        let mut tensors = file.tensors.iter();
        let Some(tensor) = tensors.find(|tensor| tensor.name == TENSOR) else {
            return Err(ModelError::NoChains { path: path.into() });
        };
        if tensor.shape.get(1..) != Some(&wanted) {
            return Err(ModelError::ChainsShape {
                path: path.into(),
                found: tensor.shape.clone(),
                wanted,
            });
        }
        if tensor.values.is_empty() {
            return Err(ModelError::NoChains { path: path.into() });
        }
        Ok(KeptChains {
            states: tensor.values.clone(),
            of: json(&file, CHAINS_IN_BUFFER)?,
            lost: json(&file, CHAINS_LOST)?,
        })
    }
}

impl Model {
    /// The chains of its run's replay buffer, where it was loaded from a file beside which they are kept.
    ///
    /// # Errors
    /// When their file is damaged or holds none, or is of other weights or samples than those in use.
    pub fn kept_chains(&self) -> Option<Result<KeptChains, ModelError>> {
        let path = self.chains.as_ref()?;
        Some(KeptChains::load(path, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Scaling;
    use crate::shape::Shape;

    #[test]
    fn chains_lie_beside_either_weights() {
        for name in ["run/000007.safetensors", "run/000007.live.safetensors"] {
            let path = chains_path(Path::new(name));
            assert_eq!(path, Path::new("run/000007.chains.safetensors"));
            assert!(is_chains_path(&path) && !is_chains_path(Path::new(name)));
        }
    }

    #[test]
    fn few_of_large_samples_are_kept() {
        assert_eq!(most_kept(64), 1024);
        assert_eq!(most_kept(3 * 32 * 32), 1024);
        assert_eq!(most_kept(3 * 256 * 256), 21);
        assert_eq!(most_kept(1 << 30), 1);
    }

    #[test]
    fn chains_of_other_weights_do_not_stay_where_new_ones_cannot_be_written() {
        let layers = "network.layers=[{dense=1}]".to_owned();
        let config = config::load("digits-langevin", &[layers]).expect("is valid");
        let (shape, scaling) = (
            Shape::new(1, 8, 8),
            Scaling::between([0.0, 16.0], [-1.0, 1.0]),
        );
        let model = Model::new(config, shape, scaling, vec![0.0; 65], 7).expect("fits");
        let folder = tempfile::tempdir().expect("a folder");
        let checkpoint = folder.path().join("000007.safetensors");
        let save = |value| {
            let states = vec![value; 64];
            let (of, lost) = (1, 0);
            KeptChains { states, of, lost }.save(&model, &checkpoint)
        };
        let path = save(0.5).expect("is saved");
        assert!(path.is_file());
        // No file of tensors holds such values.
        save(f32::NAN).expect_err("is refused");
        assert!(!path.exists());
    }

    #[test]
    fn chains_that_ran_away_are_left_out() {
        let kept = KeptChains::finite(&[1.0, 2.0, f32::NAN, 0.0, 3.0, 4.0], 2, 9);
        assert_eq!(kept.states, [1.0, 2.0, 3.0, 4.0]);
        assert_eq!((kept.lost, kept.of), (1, 9));
    }
}
