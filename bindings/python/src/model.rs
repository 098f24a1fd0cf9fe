use crate::arguments;
use crate::device::{self, Device};
use crate::failure::{Failure, Kind};
use afterimage::model::{self, ModelError, SampleOptions};
use afterimage::shape::Shape;
use afterimage::train::open_model;
use numpy::{
    PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods, ToPyArray,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The samples that a device is asked for at a time: as many as its largest batch has.
const AT_A_TIME: usize = 256;

/// The most samples that are asked for in batches of one size: what is left is a stretch of its own.
const STRETCH: usize = 16_384;

/// How long a device is held before Ctrl-C is looked for, where what it is asked for does not take longer.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(50);

/// A trained model, on a device unless it is only read.
#[pyclass(frozen, module = "afterimage._native")]
pub(crate) struct Model {
    model: Arc<model::Model>,
    device: Option<Arc<Device>>,
}

/// Reads the model of a run folder, or a checkpoint, as the command line does, and opens a device for it. It computes with its live
/// weights, with its averaged ones, or where `live` says neither with those that it was saved with.
#[pyfunction]
pub(crate) fn load(
    py: Python<'_>,
    path: PathBuf,
    config: Option<PathBuf>,
    live: Option<bool>,
    adapter: Option<String>,
) -> PyResult<Model> {
    let Model { model, .. } = &read(py, path, config, live)?;
    Model::on_device(py, model.clone(), adapter)
}

/// Reads the same without a device, to compute with its parameters elsewhere.
#[pyfunction]
pub(crate) fn read(
    py: Python<'_>,
    path: PathBuf,
    config: Option<PathBuf>,
    live: Option<bool>,
) -> PyResult<Model> {
    let (found, notes) = py.detach(|| {
        let mut notes = Vec::new();
        let mut say = |text: &str| notes.push(text.into());
        let found = open_model(&path, config.as_deref(), &mut say).map_err(Failure::of_file);
        let found = found.and_then(|model| {
            let weights = match live {
                Some(true) => model::Weights::Live,
                Some(false) => model::Weights::Averaged,
                None => model.weights(),
            };
            Ok(model.using(weights)?)
        });
        (found, notes)
    });
    device::say(py, notes)?;
    Ok(Model {
        model: Arc::new(found?),
        device: None,
    })
}

impl Model {
    /// `model` on the device that is called `adapter`.
    pub(crate) fn on_device(
        py: Python<'_>,
        model: Arc<model::Model>,
        adapter: Option<String>,
    ) -> PyResult<Self> {
        let (device, notes) = py.detach(|| Device::of(adapter))?;
        device::say(py, notes)?;
        let device = Some(device);
        Ok(Model { model, device })
    }

    fn device(&self) -> Result<&Arc<Device>, Failure> {
        let message = "the model was read without a device: load it to compute with it";
        self.device.as_ref().ok_or_else(|| Failure::value(message))
    }

    fn input(&self) -> Shape {
        self.model.architecture().input()
    }

    /// What `compute` makes of the samples in `x`: so many values for each, if they are finite.
    fn computed(
        &self,
        py: Python<'_>,
        x: &[f32],
        what: &str,
        compute: impl Fn(
            &mut model::Evaluator,
            &mut afterimage::gpu::Executor,
            &[f32],
        ) -> Result<Vec<f32>, ModelError>
        + Sync,
    ) -> PyResult<Vec<f32>> {
        let device = self.device()?;
        let values = self.input().len();
        let (found, lost) = py.detach(|| {
            let mut found = Vec::new();
            for stretch in x.chunks(STRETCH * values) {
                let mut rest = stretch;
                while !rest.is_empty() {
                    let mut state = device.lock()?;
                    let begun = Instant::now();
                    let computed = loop {
                        let (part, after) = rest.split_at(rest.len().min(AT_A_TIME * values));
                        // By what the stretch has, so that no batch has another size for the pauses.
                        let computed = state
                            .evaluator(&self.model, stretch.len() / values)
                            .and_then(|(executor, evaluator)| compute(evaluator, executor, part));
                        rest = after;
                        match computed {
                            Ok(values) => found.extend(values),
                            Err(error) => break Err(error),
                        }
                        if rest.is_empty() || begun.elapsed() >= BETWEEN_SIGNALS {
                            break Ok(());
                        }
                    };
                    // A signal handler may use it.
                    drop(state);
                    computed.map_err(|error| device.give_up(error.into()))?;
                    Python::attach(|py| py.check_signals())?;
                }
            }
            let lost = found.iter().filter(|value: &&f32| !value.is_finite());
            let lost = lost.count();
            Ok::<_, PyErr>((found, lost))
        })?;
        let count = found.len();
        match lost {
            0 => Ok(found),
            _ => Err(Failure::new(
                Kind::Diverged,
                format!(
                    "{lost} of {count} {what} are not finite: the model diverged, or the data lies far outside what it was trained on"
                ),
            )
            .into()),
        }
    }
}

#[pymethods]
impl Model {
    /// Energies of samples, of the axes that x has before those of a sample.
    fn energy<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArrayDyn<'py, f32>,
    ) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let samples = arguments::samples(py, &x, self.input())?;
        let energies =
            self.computed(py, samples.values, "energies", |evaluator, executor, x| {
                evaluator.energies(executor, x)
            })?;
        PyArray1::from_vec(py, energies).reshape(samples.axes)
    }

    /// Gradients of the energy in samples, of the shape of x.
    fn gradient<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArrayDyn<'py, f32>,
    ) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let samples = arguments::samples(py, &x, self.input())?;
        let what = "values of the gradient";
        let gradient = self.computed(py, samples.values, what, |evaluator, executor, x| {
            evaluator.gradients(executor, x)
        })?;
        PyArray1::from_vec(py, gradient).reshape(x.shape())
    }

    /// Draws samples from fresh chains: (count, channels, rows, columns), or (count, values) where a sample has no rows.
    fn sample<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        steps: usize,
        seed: u64,
    ) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let options = SampleOptions {
            count,
            steps,
            seed,
            frames: 0,
        };
        let mut interrupted = None;
        let device = self.device()?;
        let drawn = py.detach(|| {
            let mut state = device.lock()?;
            let drawn = self
                .model
                .sample(&mut state.executor, &options, &mut |_, _| {
                    interrupted = Python::attach(|py| py.check_signals()).err();
                    interrupted.is_none()
                });
            drop(state);
            Ok::<_, PyErr>(drawn.map_err(|error| device.give_up(error.into()))?)
        });
        if let Some(interrupted) = interrupted {
            return Err(interrupted);
        }
        let drawn = drawn?;
        if drawn.lost > 0 {
            let message = format!(
                "{} of {count} chains ran away to values that are not finite: the model diverged, or its sampler.step_size is too large",
                drawn.lost
            );
            return Err(Failure::new(Kind::Diverged, message).into());
        }
        let sampler = &self.model.config().sampler;
        let standstill = sampler.standstill(drawn.acceptance, drawn.step_size);
        device::say(py, standstill.into_iter().collect())?;
        let sides: Vec<usize> = [vec![count], self.shape()].concat();
        PyArray1::from_vec(py, drawn.values).reshape(sides)
    }

    /// The parameters in use, by PyTorch's names: copies.
    fn state_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        for tensor in self.model.architecture().tensors() {
            let values = &self.model.parameters()[tensor.offset..tensor.offset + tensor.len];
            state.set_item(tensor.name, values.to_pyarray(py).reshape(tensor.shape)?)?;
        }
        Ok(state)
    }

    /// The same model with other parameters, by their names.
    fn with_state(&self, state: BTreeMap<String, PyReadonlyArrayDyn<'_, f32>>) -> PyResult<Model> {
        let architecture = self.model.architecture();
        let mut parameters = vec![0.0; architecture.parameter_count()];
        let tensors = architecture.tensors();
        for wanted in &tensors {
            let found = state.get(&wanted.name);
            let wrong = |found: String| {
                Failure::value(ModelError::WrongTensor {
                    name: wanted.name.clone(),
                    wanted: wanted.shape.clone(),
                    found,
                })
            };
            let found = found.ok_or_else(|| wrong("it is missing".into()))?;
            if found.shape() != wanted.shape {
                return Err(wrong(format!("it has {:?}", found.shape())).into());
            }
            let values = arguments::row_by_row(found)
                .ok_or_else(|| wrong(format!("it {}", arguments::NOT_ROW_BY_ROW)))?;
            parameters[wanted.offset..wanted.offset + wanted.len].copy_from_slice(values);
        }
        if let Some(unknown) = state
            .keys()
            .find(|name| !tensors.iter().any(|tensor| tensor.name == **name))
        {
            let message = format!("tensor '{unknown}' is not of this network: leave it out");
            return Err(Failure::value(message).into());
        }
        let model = &self.model;
        let (config, scaling) = (model.config().clone(), model.scaling());
        let made = model::Model::new(config, self.input(), scaling, parameters, model.step());
        let mut made = made
            .map_err(Failure::from)?
            .with_mixture(model.mixture().cloned());
        if let Some(record) = model.data_record() {
            made = made.with_data_record(record.clone());
        }
        if model.step_size() != model.config().sampler.step_size {
            made = made.with_step_size(model.step_size());
        }
        Ok(Model {
            model: Arc::new(made),
            device: self.device.clone(),
        })
    }

    /// Nothing of it changes, so that a copy is the same.
    fn __deepcopy__(model: Py<Self>, _memo: Py<PyAny>) -> Py<Self> {
        model
    }

    /// Writes a checkpoint, whole or not at all, in place of what is at `path`.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let saved = py.detach(|| self.model.save(&path));
        Ok(saved.map_err(Failure::from)?)
    }

    /// The sides of a sample: channels, rows, columns, or of a sample without rows its values.
    #[getter]
    fn shape(&self) -> Vec<usize> {
        let shape = self.input();
        match (shape.height, shape.width) {
            (1, 1) => vec![shape.channels],
            _ => vec![shape.channels, shape.height, shape.width],
        }
    }

    /// The settings, as JSON.
    #[getter]
    fn config(&self) -> PyResult<String> {
        crate::settings::json(self.model.config())
    }

    /// scale, offset, low and high of the data, as JSON.
    #[getter]
    fn scaling(&self) -> PyResult<String> {
        crate::settings::json(&self.model.scaling())
    }

    /// Optimiser steps that it was trained for.
    #[getter]
    fn step(&self) -> u64 {
        self.model.step()
    }

    /// The weights in use: `averaged` or `live`.
    #[getter]
    fn weights(&self) -> &'static str {
        match self.model.weights() {
            model::Weights::Averaged => "averaged",
            model::Weights::Live => "live",
        }
    }

    /// The CRC-32 of the weights in use, in hexadecimal.
    #[getter]
    fn weights_crc32(&self) -> String {
        self.model.weights_crc32()
    }

    /// The adapter, in words.
    #[getter]
    fn adapter(&self) -> PyResult<&str> {
        Ok(self.device()?.adapter())
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // Whoever computes meanwhile has another model there, or will when it is asked for one.
        let device = self.device.as_ref();
        if let Some(mut state) = device.and_then(|device| device.lock_if_free()) {
            state.forget(&self.model);
        }
    }
}
