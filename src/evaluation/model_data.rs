//! Which data a model is evaluated on, and whether training has seen them.

use super::error::EvaluationError;
use crate::config::DataConfig;
use crate::data::{self, DataOptions, DataRecord, Dataset};
use crate::model::Model;
use std::fs;
use std::path::PathBuf;

/// Values of a data set that are held at once at most.
const MOST_VALUES: usize = 1 << 26;
/// Points that are drawn of a generated set.
const DRAWN: usize = 5000;

/// What is the matter with training data.
const CHANGED: &str = "have changed since the run";
const ENDLESS: &str = "are drawn without end";

/// What data are to the model that is evaluated on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataIs {
    /// Kept from its training, as its run has recorded and a checksum confirms.
    HeldOut,
    /// What it was trained on, or what it was most likely trained on where its run has recorded nothing.
    Training,
    /// Read from where its training data were, but not what its run has recorded: which of them it has seen is not known.
    Changed,
    /// Named by the user.
    Named,
    /// Drawn by the formula that its training data were drawn by: no points that it was trained on.
    Fresh,
}

impl DataIs {
    /// What outputs call them.
    pub fn name(self) -> &'static str {
        match self {
            DataIs::HeldOut => "held-out data",
            DataIs::Training => "training data",
            DataIs::Changed => "changed data",
            DataIs::Named => "named data",
            DataIs::Fresh => "fresh draws",
        }
    }

    /// Whether training has not seen them, as far as can be known.
    pub fn is_unseen(self) -> bool {
        match self {
            DataIs::HeldOut | DataIs::Named | DataIs::Fresh => true,
            DataIs::Training | DataIs::Changed => false,
        }
    }
}

/// The data that a model is evaluated on.
pub struct ModelData {
    judged: Dataset,
    is: DataIs,
    /// The finite data that the model was trained on, or what is the matter with them.
    training: Result<Dataset, String>,
    notes: Vec<String>,
}

impl ModelData {
    /// What the configuration of `model` names: of what it was trained on the part that its run has held out, if it has; of a
    /// generated set draws that it was not trained on; all of others.
    ///
    /// # Errors
    /// When the data cannot be read or have another shape than the model's.
    pub fn of(model: &Model) -> Result<Self, EvaluationError> {
        let (named, own) = (&model.config().data, model.trained_on());
        if !are_own(model, &named.options()) {
            let options = DataOptions {
                held_out: 0.0,
                ..named.options()
            };
            let named = data::open(&options, model.config().run.seed)?;
            return Self::named(model, named);
        }
        if own.source.is_generated() {
            let (training, note) = training(model);
            // Without end, whatever limit training had.
            let options = DataOptions {
                limit: 0,
                ..named.options()
            };
            let judged = data::open_after(&options, model.config().run.seed, own.limit)?;
            check_shape(model, &judged)?;
            return Ok(ModelData {
                judged,
                is: DataIs::Fresh,
                training,
                notes: note.into_iter().collect(),
            });
        }
        let Own { data, is, note } = Own::read(model, named)?;
        let (judged, training) = match is {
            // The record says that there are some, or they would not be called so.
            DataIs::HeldOut => (data.held_out().unwrap_or_else(|| data.whole()), Ok(data)),
            DataIs::Training => (data.whole(), Ok(data.whole())),
            DataIs::Changed | DataIs::Named | DataIs::Fresh => (data, Err(CHANGED.into())),
        };
        let notes = note.into_iter().collect();
        Ok(ModelData {
            judged,
            is,
            training,
            notes,
        })
    }

    /// All of `named`, data that the user has named.
    ///
    /// # Errors
    /// When they have another shape than the model's.
    pub fn named(model: &Model, named: Dataset) -> Result<Self, EvaluationError> {
        check_shape(model, &named)?;
        let (training, note) = training(model);
        Ok(ModelData {
            judged: named,
            is: DataIs::Named,
            training,
            notes: note.into_iter().collect(),
        })
    }

    /// The data by which the model is judged.
    pub fn judged(&self) -> &Dataset {
        &self.judged
    }

    /// What they are.
    pub fn is(&self) -> DataIs {
        self.is
    }

    /// The finite data that the model was trained on; none where they are endless, or not known any more.
    pub fn training(&self) -> Option<&Dataset> {
        self.training.as_ref().ok()
    }

    /// Why there are none, as what is said of training data.
    pub(super) fn no_training(&self) -> Option<&str> {
        self.training.as_ref().err().map(String::as_str)
    }

    /// What a user should know of the choice, a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The record of the data as they are now; none of generated ones.
    pub fn record(&self) -> Option<&DataRecord> {
        self.judged.record()
    }

    /// The samples to judge by, in the model's scale and without noise: see [`samples_of`].
    ///
    /// # Errors
    /// None that [`ModelData::of`] has not found.
    pub fn judged_samples(&self, model: &Model) -> Result<Vec<f32>, EvaluationError> {
        samples_of(model, &self.judged)
    }

    /// The training samples likewise; none where they are not known.
    ///
    /// # Errors
    /// None that [`ModelData::of`] has not found.
    pub fn training_samples(&self, model: &Model) -> Result<Vec<f32>, EvaluationError> {
        let training = self.training();
        training.map_or(Ok(Vec::new()), |training| samples_of(model, training))
    }
}

/// The samples of `data` in the model's scale and without noise: all of a finite set, but evenly spaced ones of more than 2²⁶
/// values, and 5,000 points of a generated one.
///
/// # Errors
/// When they have another shape.
pub fn samples_of(model: &Model, data: &Dataset) -> Result<Vec<f32>, EvaluationError> {
    check_shape(model, data)?;
    let Some(count) = data.len() else {
        return Ok(data.first(DRAWN));
    };
    let every = (count * data.shape().len()).div_ceil(MOST_VALUES);
    if every == 1 {
        return Ok(data.first(count));
    }
    let places = (0..count).step_by(every);
    Ok(places
        .flat_map(|place| data.samples(place..place + 1))
        .collect())
}

/// The finite data that a model was trained on, or what is the matter with them; with what a user should know of that.
fn training(model: &Model) -> (Result<Dataset, String>, Option<String>) {
    let why = match Own::read(model, model.trained_on()) {
        Ok(Own { data, is, .. }) => match is {
            DataIs::Training => return (Ok(data.whole()), None),
            DataIs::HeldOut => return (Ok(data), None),
            DataIs::Fresh | DataIs::Named => return (Err(ENDLESS.into()), None),
            DataIs::Changed => CHANGED.to_owned(),
        },
        Err(error) => format!("cannot be read: {error}"),
    };
    let note = format!("note: nothing is compared with the training data, which {why}");
    (Err(why), Some(note))
}

/// The data that a model was trained on, as they are now.
struct Own {
    data: Dataset,
    is: DataIs,
    note: Option<String>,
}

impl Own {
    /// Reads them as `config` says, and compares them with the model's record.
    fn read(model: &Model, config: &DataConfig) -> Result<Self, EvaluationError> {
        let data = data::open(&config.options(), model.config().run.seed)?;
        check_shape(model, &data)?;
        let of = |data, is| Own {
            data,
            is,
            note: None,
        };
        let (Some(found), recorded) = (data.record().cloned(), model.data_record()) else {
            let is = match data.len() {
                Some(_) => DataIs::Training,
                None => DataIs::Fresh,
            };
            return Ok(of(data, is));
        };
        let Some(recorded) = recorded else {
            let mut own = of(data.whole(), DataIs::Training);
            if found.held_out.count > 0 {
                own.note = Some(
                    "note: the checkpoint does not say which data were held out, so that all of them count as training data"
                        .into(),
                );
            }
            return Ok(own);
        };
        if found == *recorded {
            let is = match found.held_out.count {
                0 => DataIs::Training,
                _ => DataIs::HeldOut,
            };
            return Ok(of(data, is));
        }
        let mut own = of(data.whole(), DataIs::Changed);
        own.note = Some(format!(
            "warning: {} is not what the run has recorded of its data ({}, now {}), so that nothing of it counts as held out: \
             restore it, or leave data.limit, data.held_out and how it is read as they were",
            match config.path.is_empty() {
                true => config.source.name,
                false => &config.path,
            },
            in_words(recorded),
            in_words(&found),
        ));
        Ok(own)
    }
}

/// A record as people read it.
fn in_words(record: &DataRecord) -> String {
    let DataRecord { training, held_out } = record;
    format!(
        "{} samples for training with checksum {}, {} held out with {}",
        training.count, training.crc32, held_out.count, held_out.crc32
    )
}

/// Whether `data` are what `model` was trained on: in the same place, however they are read or noised; or in another one, but
/// what its run has recorded once they are cut and split as the run did.
pub(crate) fn are_own(model: &Model, data: &DataOptions) -> bool {
    let own = model.trained_on();
    if are_in_its_place(model, data) {
        return true;
    }
    let Some(recorded) = model.data_record() else {
        return false;
    };
    let split = DataOptions {
        limit: own.limit,
        held_out: own.held_out,
        ..data.clone()
    };
    let as_recorded = |options: &DataOptions| {
        // What cannot be read so is not what the run has read.
        data::open(options, model.config().run.seed).is_ok_and(|d| d.record() == Some(recorded))
    };
    let in_its_layout = DataOptions {
        layout: own.layout,
        ..split.clone()
    };
    as_recorded(&split) || in_its_layout != split && as_recorded(&in_its_layout)
}

/// Whether `data` are where those were that `model` was trained on.
pub(crate) fn are_in_its_place(model: &Model, data: &DataOptions) -> bool {
    let own = model.trained_on();
    data.source == own.source.name && real(&data.path) == real(&own.path)
}

/// Whether `data` are a folder of pictures of which `model` was trained on some, or some of those in the folder that it was trained on.
pub(crate) fn share_pictures(model: &Model, data: &DataOptions) -> bool {
    let own = model.trained_on();
    let pictures = "images";
    let (named, own_path) = (real(&data.path), real(&own.path));
    data.source == pictures
        && own.source.name == pictures
        && (named.starts_with(&own_path) || own_path.starts_with(&named))
}

fn real(path: &str) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.into())
}

fn check_shape(model: &Model, data: &Dataset) -> Result<(), EvaluationError> {
    let (found, wanted) = (data.shape(), model.architecture().input());
    match found == wanted {
        true => Ok(()),
        false => Err(EvaluationError::WrongShape { found, wanted }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::data::Scaling;
    use crate::shape::Shape;

    /// Whatever limit is set now: what training has seen its own limit says.
    #[test]
    fn fresh_draws_are_no_training_points() {
        let sets = ["data.limit=40", "network.layers=[{dense=1}]"].map(String::from);
        let model = || {
            let config = config::load("moons", &sets).unwrap();
            let scaling = Scaling::unscaled(-4.0, 4.0);
            Model::new(config, Shape::new(2, 1, 1), scaling, vec![0.0; 3], 7).unwrap()
        };
        for limit in [0, 10, 40] {
            let named = DataConfig {
                limit,
                ..model().config().data.clone()
            };
            let model = model().with_data(named);
            let data = ModelData::of(&model).unwrap();
            assert_eq!(data.is(), DataIs::Fresh);
            let training = data.training_samples(&model).unwrap();
            let judged = data.judged_samples(&model).unwrap();
            assert_eq!((training.len(), judged.len()), (2 * 40, 2 * DRAWN));
            let are_seen = |point: &[f32]| training.chunks(2).any(|seen| seen == point);
            assert!(!judged.chunks(2).any(are_seen), "limit {limit}");
        }
    }
}
