use crate::device::Device;
use crate::rows::{FIELDS, numbers};
use crate::told;
use afterimage::config;
use afterimage::data;
use afterimage::gpu::{AdapterChoice, AdapterKind, Executor, ExecutorOptions, Mark};
use afterimage::model::{Evaluator, Model, RunningChains, test_kernels_async};
use afterimage::train::{Arrival, MetricsRow, TrainError, Trainer};
use std::mem;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use web_time::Instant;

/// The most work in one submission: about two frames, so that the page stays smooth where it shares the GPU with training.
const SUBMISSION: Duration = Duration::from_millis(30);
/// Samples whose energies are computed at a time: points of a landscape, or a few images.
const POINTS: usize = 4096;
const IMAGES: usize = 64;

/// Trains models and computes with them. There is one model in use at a time: one that was loaded, or that of the run at the time it was
/// last asked for.
#[wasm_bindgen]
pub struct Engine {
    device: Device,
    adapter: String,
    view: Option<View>,
}

/// The model in use, and what there is of it on the GPU.
struct View {
    model: Model,
    /// Before all that is named for it.
    mark: Mark,
    evaluator: Option<Evaluator>,
    chains: Option<RunningChains>,
}

#[wasm_bindgen]
impl Engine {
    /// Opens the adapter that the browser offers, and finds out which kernels compute right there.
    pub async fn open() -> Result<Engine, JsError> {
        let executor = open().await?;
        let summary = executor.adapter();
        // Not every browser tells the name.
        let adapter = match (summary.kind, summary.name.as_str()) {
            (AdapterKind::Cpu, _) => {
                "a software adapter, which is slow: this browser offers no GPU".to_owned()
            }
            (AdapterKind::Gpu, "") => "the GPU".to_owned(),
            (AdapterKind::Gpu, name) => name.to_owned(),
        };
        Ok(Engine {
            device: Device::Idle(executor.into()),
            adapter,
            view: None,
        })
    }

    /// The adapter, in words.
    #[wasm_bindgen(getter)]
    pub fn adapter(&self) -> String {
        self.adapter.clone()
    }

    /// Begins to train a preset with some settings, such as `run.steps=200`, in place of whatever was trained before. The model in use
    /// goes with that. A device on which that fails, since the browser took it away for instance, is opened anew.
    pub async fn train(&mut self, preset: &str, settings: Vec<String>) -> Result<(), JsError> {
        let config = config::load(preset, &settings).map_err(told)?;
        let data = || data::open(&config.data.options(), config.run.seed).map_err(told);
        let first = data()?;
        self.forget();
        let device = mem::replace(&mut self.device, Device::Gone);
        let on_the_same = device
            .free()
            .and_then(|executor| Trainer::new(executor, &config, first).ok());
        let trainer = match on_the_same {
            Some(trainer) => trainer,
            None => Trainer::new(open().await?, &config, data()?).map_err(told)?,
        };
        self.device = Device::Training(trainer.into());
        Ok(())
    }

    /// The steps that the run is to do; 0 where there is none.
    pub fn steps(&mut self) -> u32 {
        let trainer = self.device.trainer();
        trainer.map_or(0, |trainer| trainer.config().run.steps as u32)
    }

    /// Hands steps to the GPU for so many milliseconds, unless it is busy, and gives the metrics of the steps that have come back
    /// since the last call: [`Self::fields`] numbers each. Where that fails the run is over.
    pub fn advance(&mut self, milliseconds: f64) -> Result<Vec<f32>, JsError> {
        let Some(trainer) = self.device.trainer() else {
            return Ok(Vec::new());
        };
        let rows = match steps(trainer, milliseconds) {
            Ok(rows) => rows,
            Err(error) => {
                // What is left on this device is not to be trusted: the next run opens another.
                self.view = None;
                self.device = Device::Gone;
                return Err(told(error));
            }
        };
        let mut found = Vec::new();
        for (row, lost) in rows {
            found.extend(numbers(&row));
            if let Some(what) = row.not_finite(lost) {
                let step = row.step;
                return Err(JsError::new(&format!(
                    "the run diverged at step {step}: {what} is not finite; train with another seed or a lower rate"
                )));
            }
        }
        Ok(found)
    }

    /// What the numbers of [`Self::advance`] are called.
    pub fn fields() -> Vec<String> {
        FIELDS.map(str::to_owned).into()
    }

    /// The samples that the last step took for noise, in the model's scale.
    pub async fn noise(&mut self) -> Result<Vec<f32>, JsError> {
        match self.device.trainer() {
            Some(trainer) => trainer.noise_samples_async().await.map_err(told),
            None => Ok(Vec::new()),
        }
    }

    /// Puts the model of the run as it is now into use, with averaged weights.
    pub async fn take(&mut self) -> Result<(), JsError> {
        let Some(trainer) = self.device.trainer() else {
            return Err(JsError::new("nothing is being trained: begin a run"));
        };
        let model = trainer.model_async().await.map_err(told)?;
        self.show(model)
    }

    /// Puts the model of a checkpoint into use.
    pub fn load(&mut self, name: &str, bytes: &[u8]) -> Result<(), JsError> {
        let model = Model::from_bytes(name, bytes).map_err(told)?;
        self.show(model)
    }

    /// What there is to know of the model in use, as JSON; null where there is none.
    pub fn about(&self) -> String {
        let Some(view) = &self.view else {
            return "null".into();
        };
        let model = &view.model;
        let shape = model.architecture().input();
        let scaling = model.scaling();
        serde_json::json!({
            "channels": shape.channels,
            "height": shape.height,
            "width": shape.width,
            "step": model.step(),
            "low": scaling.low,
            "high": scaling.high,
            "source": model.config().data.source.name,
            "parameters": model.architecture().parameter_count(),
            "notes": model.notes(),
        })
        .to_string()
    }

    /// Energies under the model in use of samples in its own scale.
    pub async fn energies(&mut self, samples: Vec<f32>) -> Result<Vec<f32>, JsError> {
        let (view, executor) = in_use(&mut self.view, &mut self.device)?;
        let evaluator = match &mut view.evaluator {
            Some(evaluator) => evaluator,
            empty => {
                let batch = match view.model.architecture().input().len() {
                    ..=2 => POINTS,
                    _ => IMAGES,
                };
                empty.insert(view.model.evaluator(executor, batch).map_err(told)?)
            }
        };
        let energies = evaluator.energies_async(executor, &samples).await;
        energies.map_err(told)
    }

    /// Starts `count` chains of the model in use afresh.
    pub fn start(&mut self, count: usize, seed: u32) -> Result<(), JsError> {
        let (view, executor) = in_use(&mut self.view, &mut self.device)?;
        view.drop_computed(executor);
        let chains = view.model.running_chains(executor, count, seed.into());
        view.chains = Some(chains.map_err(told)?);
        Ok(())
    }

    /// Starts `count` chains that fill in the values of `sample` that are not `known`.
    pub fn fill(
        &mut self,
        count: usize,
        seed: u32,
        sample: &[f32],
        known: &[u8],
    ) -> Result<(), JsError> {
        let (view, executor) = in_use(&mut self.view, &mut self.device)?;
        view.drop_computed(executor);
        let known: Vec<bool> = known.iter().map(|&known| known != 0).collect();
        let model = &view.model;
        let chains = model.filling_chains(executor, count, seed.into(), sample, &known);
        view.chains = Some(chains.map_err(told)?);
        Ok(())
    }

    /// Carries the chains on by so many steps, and gives their states, in the model's scale.
    pub async fn walk(&mut self, steps: u32) -> Result<Vec<f32>, JsError> {
        let (view, executor) = in_use(&mut self.view, &mut self.device)?;
        let Some(chains) = &mut view.chains else {
            return Err(JsError::new("there are no chains: start some"));
        };
        chains.run(executor, steps).map_err(told)?;
        chains.look_async(executor).await.map_err(told)
    }

    /// The first samples of the data that the model in use was trained on, in its scale.
    pub fn data(&self, count: usize) -> Result<Vec<f32>, JsError> {
        let Some(view) = &self.view else {
            return Err(no_model());
        };
        let config = view.model.config();
        let data = data::open(&config.data.options(), config.run.seed).map_err(told)?;
        Ok(data.first(count))
    }

    fn show(&mut self, model: Model) -> Result<(), JsError> {
        self.forget();
        let executor = self.device.executor().ok_or_else(gone)?;
        self.view = Some(View {
            model,
            mark: executor.mark(),
            evaluator: None,
            chains: None,
        });
        Ok(())
    }

    fn forget(&mut self) {
        if let (Some(view), Some(executor)) = (self.view.take(), self.device.executor()) {
            executor.release_since(view.mark);
        }
    }
}

impl View {
    /// Frees what computes the model, chains among it, which is prepared anew where it is asked for.
    fn drop_computed(&mut self, executor: &mut Executor) {
        self.chains = None;
        self.evaluator = None;
        executor.release_since(self.mark);
        self.mark = executor.mark();
    }
}

/// Hands steps over for so many milliseconds, and gives the metrics that have come back, each with the chains that were lost.
fn steps(trainer: &mut Trainer, milliseconds: f64) -> Result<Vec<(MetricsRow, f32)>, TrainError> {
    let began = Instant::now();
    let time = Duration::from_secs_f64(milliseconds.max(0.0) / 1e3);
    let all = trainer.config().run.steps;
    while trainer.steps_done() < all && began.elapsed() < time && !trainer.executor().is_busy() {
        trainer.step()?;
    }
    trainer.executor().flush()?;
    let rows = trainer.arrived(false)?.into_iter();
    Ok(rows
        .filter_map(|arrival| match arrival {
            Arrival::Metrics { row, lost } => Some((row, lost)),
            _ => None,
        })
        .collect())
}

/// Opens the device that the browser offers, and finds out which kernels compute right there.
async fn open() -> Result<Executor, JsError> {
    let options = ExecutorOptions {
        submission: SUBMISSION,
        ..Default::default()
    };
    let opened = Executor::open_async(&AdapterChoice::Best, options).await;
    let mut executor = opened.map_err(told)?;
    test_kernels_async(&mut executor).await.map_err(told)?;
    Ok(executor)
}

/// The model in use, and the device.
fn in_use<'a>(
    view: &'a mut Option<View>,
    device: &'a mut Device,
) -> Result<(&'a mut View, &'a mut Executor), JsError> {
    let view = view.as_mut().ok_or_else(no_model)?;
    Ok((view, device.executor().ok_or_else(gone)?))
}

fn no_model() -> JsError {
    JsError::new("there is no model: train one, or drop a checkpoint on the page")
}

fn gone() -> JsError {
    JsError::new("the GPU device is gone: train a model, for which another is opened")
}
