use crate::arguments;
use crate::device::{Device, afterimage_device};
use crate::status::{afterimage_status, guarded};
use afterimage::model::Model;
use afterimage::shape::Shape;
use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

/// A trained model on a device. It stays as it is: only freeing changes it.
pub struct afterimage_model {
    pub(crate) model: Arc<Model>,
    pub(crate) device: Arc<Device>,
}

/// What a model is made for.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct afterimage_info {
    /// The shape of a sample. A point in the plane has two channels of 1 by 1.
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// Values of a sample: channels * height * width, in this order, the last one running fastest.
    pub values: usize,
    /// A value of the model, which is what all functions take and give, is raw * scale + offset of the data it learned from.
    pub scale: f32,
    pub offset: f32,
    /// The values of the model that are drawn black and white.
    pub low: f32,
    pub high: f32,
    /// Optimiser steps that it was trained for.
    pub step: u64,
    /// Steps that its own training would have chains take for a picture of samples.
    pub sample_steps: usize,
}

impl afterimage_model {
    /// Hands a model to C.
    pub(crate) fn boxed(model: Model, device: &Arc<Device>) -> *mut Self {
        Box::into_raw(Box::new(afterimage_model {
            model: Arc::new(model),
            device: device.clone(),
        }))
    }

    /// The shape of a sample.
    pub(crate) fn shape(&self) -> Shape {
        self.model.architecture().input()
    }
}

/// Reads a checkpoint, such as `runs/digits/checkpoints/005000.safetensors`, to compute with it on `device`. Writes a handle to
/// `*model`, or null if it fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn afterimage_model_load(
    device: *const afterimage_device,
    path: *const c_char,
    model: *mut *mut afterimage_model,
) -> afterimage_status {
    guarded(|| {
        // SAFETY: the header asks for a place for a handle.
        let place = unsafe { arguments::place(model, "model") }?;
        *place = ptr::null_mut();
        // SAFETY: the header asks for a device.
        let device = unsafe { arguments::value(device, "device") }?;
        // SAFETY: the header asks for a text.
        let path = unsafe { arguments::path(path, "path") }?;
        *place = afterimage_model::boxed(Model::load(&path)?, &device.shared);
        Ok(())
    })
}

/// Writes a checkpoint, whole or not at all, in place of what is at `path`. A model that comes from training holds its live weights
/// beside the averaged ones that it computes with: they go into `NAME.live.safetensors` beside `NAME.safetensors`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn afterimage_model_save(
    model: *const afterimage_model,
    path: *const c_char,
) -> afterimage_status {
    guarded(|| {
        // SAFETY: the header asks for a model.
        let model = unsafe { arguments::value(model, "model") }?;
        // SAFETY: the header asks for a text.
        let path = unsafe { arguments::path(path, "path") }?;
        Ok(model.model.save(&path)?)
    })
}

/// Says what a model is made for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn afterimage_model_info(
    model: *const afterimage_model,
    info: *mut afterimage_info,
) -> afterimage_status {
    guarded(|| {
        // SAFETY: the header asks for a model.
        let model = unsafe { &arguments::value(model, "model")?.model };
        // SAFETY: the header asks for a place for it.
        let place = unsafe { arguments::place(info, "info") }?;
        let (shape, scaling) = (model.architecture().input(), model.scaling());
        *place = afterimage_info {
            channels: shape.channels,
            height: shape.height,
            width: shape.width,
            values: shape.len(),
            scale: scaling.scale,
            offset: scaling.offset,
            low: scaling.low,
            high: scaling.high,
            step: model.step(),
            sample_steps: model.config().run.sample_steps,
        };
        Ok(())
    })
}

/// Frees a model, and what it has on its device. Does nothing if it is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn afterimage_model_free(model: *mut afterimage_model) {
    if model.is_null() {
        return;
    }
    // SAFETY: the header asks for a model that was not freed before, and those are boxes.
    let model = unsafe { Box::from_raw(model) };
    // There is nobody left to tell.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // A device that is poisoned keeps what it has until it is freed.
        if let Ok(mut state) = model.device.lock() {
            state.forget(&model.model);
        }
        drop(model);
    }));
}
