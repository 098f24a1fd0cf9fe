use crate::arguments;
use crate::device::{Device, afterimage_device};
use crate::failure::Failure;
use crate::model::afterimage_model;
use crate::status::{afterimage_status, guarded};
use afterimage::config::{self, Config};
use afterimage::data;
use afterimage::low_level::page;
use afterimage::model::Model;
use afterimage::train::{self, Beginning, Event, MetricsRow, TrainError, Trainer};
use std::ffi::{c_char, c_int, c_void};
use std::path::Path;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a run stands after an optimiser step.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct afterimage_progress {
    /// Steps done, counting this one. It falls where a run that diverged goes back.
    pub steps_done: u64,
    /// All that the run is to do.
    pub steps: u64,
    /// The training loss.
    pub loss: f32,
    /// Mean energies of the data and of the noise, in nats.
    pub energy_data: f32,
    pub energy_noise: f32,
    /// Share of data and noise that the model tells apart rightly.
    pub accuracy: f32,
    /// Norm of the gradient of the loss.
    pub gradient_norm: f32,
    /// Data samples a second, over the last few steps; 0 until it is known.
    pub samples_per_second: f32,
}

/// Is told how a run stands, and gives 0 for it to go on and anything else for it to stop. It runs on the thread that called
/// afterimage_train, may call any other function of this library, and must come back: no exception and no longjmp may leave it.
pub type afterimage_on_step = Option<
    unsafe extern "C" fn(progress: *const afterimage_progress, user_data: *mut c_void) -> c_int,
>;

/// A callback of C, and what it was last told.
struct Told {
    on_step: afterimage_on_step,
    user_data: *mut c_void,
    progress: afterimage_progress,
}

impl Told {
    /// Tells of a step; whether to go on.
    fn step(&mut self, row: &MetricsRow) -> bool {
        self.progress = afterimage_progress {
            steps_done: row.step + 1,
            steps: self.progress.steps,
            loss: row.loss,
            energy_data: row.energy_data,
            energy_noise: row.energy_noise,
            accuracy: row.nce_accuracy,
            gradient_norm: row.gradient_norm,
            samples_per_second: row.samples_per_second,
        };
        self.again()
    }

    /// Tells the same again; whether to go on.
    fn again(&self) -> bool {
        // SAFETY: the header asks for a function that may be called so, and the pointer is its own.
        let told = self
            .on_step
            .map(|on_step| unsafe { on_step(&raw const self.progress, self.user_data) });
        told.unwrap_or(0) == 0
    }
}

/// Trains a model and writes a handle to it to `*model`, to compute with it on `device`; null if it fails.
///
/// `preset` is the name of a preset, or a .toml file. `settings` are `settings_count` texts such as "run.steps=200", as behind --set on
/// the command line; null if there are none. What can be set is what `afterimage config digits` prints. What is no error, such as
/// a setting that cannot take effect, is not told here: `afterimage train` warns of it.
///
/// Where `out` is null, nothing is written. Else it is the folder of the run, which must not hold one, and is left as
/// `afterimage train` leaves it; the model is that of its last checkpoint.
///
/// `on_step` is called after every step with `user_data`, and where `out` is not null again with the same figures while the
/// last samples are drawn and looked at; it may be null. Where it stops the run, steps that the device was handed already are done, and
/// the model is that of the steps so far, which is no failure.
///
/// Training computes on the adapter of `device`, but apart from it: models on `device` can be used meanwhile, and a device that fails is
/// not `device`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn afterimage_train(
    device: *const afterimage_device,
    preset: *const c_char,
    settings: *const *const c_char,
    settings_count: usize,
    out: *const c_char,
    on_step: afterimage_on_step,
    user_data: *mut c_void,
    model: *mut *mut afterimage_model,
) -> afterimage_status {
    guarded(|| {
        // SAFETY: the header asks for a place for a handle.
        let place = unsafe { arguments::place(model, "model") }?;
        *place = ptr::null_mut();
        // Held by itself, since the callback may free the handle.
        // SAFETY: the header asks for a device.
        let device = &unsafe { arguments::value(device, "device") }?
            .shared
            .clone();
        // SAFETY: the header asks for a text.
        let preset = unsafe { arguments::text(preset, "preset") }?;
        // SAFETY: the header asks for as many texts.
        let settings = unsafe { arguments::texts(settings, settings_count, "settings") }?;
        let out = match out.is_null() {
            true => None,
            // SAFETY: the header asks for a text.
            false => Some(unsafe { arguments::path(out, "out") }?),
        };
        let config = config::load(preset, &settings)?;
        let mut told = Told {
            on_step,
            user_data,
            progress: afterimage_progress {
                steps: config.run.steps,
                ..Default::default()
            },
        };
        let model = match out {
            None => in_memory(device, &config, &mut told),
            Some(folder) => in_folder(device, &config, &folder, &mut told),
        }?;
        *place = afterimage_model::boxed(model, device);
        Ok(())
    })
}

fn trainer(device: &Arc<Device>, config: &Config) -> Result<Trainer, Failure> {
    let data = data::open(&config.data.options(), config.run.seed)?;
    Ok(Trainer::new(device.another()?, config, data)?)
}

fn in_memory(device: &Arc<Device>, config: &Config, told: &mut Told) -> Result<Model, Failure> {
    let mut trainer = trainer(device, config)?;
    Ok(train::in_memory(&mut trainer, &mut |row| told.step(row))?)
}

/// As `afterimage train` does it.
fn in_folder(
    device: &Arc<Device>,
    config: &Config,
    folder: &Path,
    told: &mut Told,
) -> Result<Model, Failure> {
    let present = trainer(device, config)?;
    // With the kernels that it runs, which another device of it is to run as well.
    let config = present.config().clone();
    let stop = AtomicBool::new(false);
    let mut observer = |event: Event<'_>| {
        let go_on = match event {
            Event::Step(row) => told.step(row),
            Event::Probing { .. } | Event::Comparing { .. } | Event::Drawing { .. } => told.again(),
            _ => true,
        };
        if !go_on {
            stop.store(true, Ordering::Relaxed);
        }
    };
    // What opened once and does no longer ends the run by its first error.
    let mut anew = || {
        let data = data::open(&config.data.options(), config.run.seed).ok()?;
        Some(Trainer::new(device.another().ok()?, &config, data))
    };
    let beginning = Beginning::New {
        config: &config,
        folder,
        force: false,
    };
    let outcome = train::run_through(present, beginning, &stop, &mut observer, &mut anew);
    if matches!(outcome, Err(TrainError::Diverged { .. })) {
        // Why it ended says more than that this could not be written.
        let _ = page::write(folder);
    }
    let summary = outcome?;
    page::write(folder)?;
    Ok(Model::load(&summary.checkpoint)?)
}
