//! The functions as C calls them, but from here, where the crate behind them can be asked for the same.

use crate::compute::*;
use crate::device::*;
use crate::model::*;
use crate::status::afterimage_status::{self, *};
use crate::status::*;
use crate::train::*;
use afterimage::data::DataError;
use afterimage::model::{Model, ModelError, SampleOptions};
use afterimage::train::TrainError;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::{mem, ptr};

#[path = "../../../tests/common/checkpoint.rs"]
mod checkpoint;
use checkpoint::{IMAGE_LAYERS, POINT_LAYERS, untrained};

/// What the last failure on this thread said.
fn last() -> String {
    // SAFETY: it is a text that lives until the next failure.
    let text = unsafe { CStr::from_ptr(afterimage_last_error()) };
    text.to_str().expect("is UTF-8").into()
}

#[track_caller]
fn ok(status: afterimage_status) {
    assert_eq!(status, AFTERIMAGE_OK, "{}", last());
}

/// Fails if the call did not fail in these words.
#[track_caller]
fn refused(status: afterimage_status, wanted: afterimage_status, words: &str) {
    assert_eq!(status, wanted, "{}", last());
    let said = last();
    assert!(said.contains(words), "no '{words}' in '{said}'");
    assert!(!said.contains('\n'), "{said}");
}

struct Handles {
    device: *mut afterimage_device,
    model: *mut afterimage_model,
    folder: tempfile::TempDir,
}

impl Drop for Handles {
    fn drop(&mut self) {
        // SAFETY: they are handles or null.
        unsafe {
            afterimage_model_free(self.model);
            afterimage_device_free(self.device);
        }
    }
}

fn c(text: &str) -> CString {
    CString::new(text).expect("has no zeros")
}

fn device() -> *mut afterimage_device {
    let mut device = ptr::null_mut();
    // SAFETY: null stands for any adapter, and there is a place for the handle.
    ok(unsafe { afterimage_device_open(ptr::null(), &raw mut device) });
    device
}

fn load(device: *const afterimage_device, path: &Path) -> *mut afterimage_model {
    let path = c(path.to_str().expect("is text"));
    let mut model = ptr::null_mut();
    // SAFETY: all are what the header asks for.
    ok(unsafe { afterimage_model_load(device, path.as_ptr(), &raw mut model) });
    model
}

/// An untrained model of `preset`, through a file.
fn handles(preset: &str, layers: &str) -> Handles {
    let folder = tempfile::tempdir().expect("can be made");
    let path = folder.path().join("model.safetensors");
    untrained(preset, layers).save(&path).expect("can be saved");
    let device = device();
    Handles {
        device,
        model: load(device, &path),
        folder,
    }
}

/// Values as those of samples.
fn values(count: usize) -> Vec<f32> {
    (0..count).map(|i| (0.7 * i as f32).sin()).collect()
}

fn energies(model: *const afterimage_model, x: &[f32], out: &mut [f32]) -> afterimage_status {
    // SAFETY: the lengths are those of the slices.
    unsafe { afterimage_model_energies(model, x.as_ptr(), x.len(), out.as_mut_ptr(), out.len()) }
}

fn gradient(model: *const afterimage_model, x: &[f32], out: &mut [f32]) -> afterimage_status {
    // SAFETY: the lengths are those of the slices.
    unsafe { afterimage_model_gradient(model, x.as_ptr(), x.len(), out.as_mut_ptr(), out.len()) }
}

fn sample(
    model: *const afterimage_model,
    (count, steps): (usize, usize),
    out: &mut [f32],
) -> afterimage_status {
    // SAFETY: the length is that of the slice.
    unsafe { afterimage_model_sample(model, count, steps, 5, out.as_mut_ptr(), out.len()) }
}

/// Of one sample, of a batch that is filled, and of more than are computed at a time.
#[test]
fn what_is_computed_has_the_bits_of_the_engine() {
    for (preset, layers) in [("digits", IMAGE_LAYERS), ("moons", POINT_LAYERS)] {
        let handles = handles(preset, layers);
        // SAFETY: it is a handle.
        let (model, device) = unsafe { (&*handles.model, &*handles.device) };
        let length = model.shape().len();
        for count in [1, 128, 300] {
            let x = values(count * length);
            let (mut found, mut slopes) = (vec![0.0; count], vec![0.0; count * length]);
            ok(energies(handles.model, &x, &mut found));
            ok(gradient(handles.model, &x, &mut slopes));
            // The same device, hence the same kernels, whatever has chosen them.
            let mut state = device.shared.lock().expect("is sound");
            let executor = &mut state.executor;
            let batch = count.min(256);
            let mut evaluator = model.model.evaluator(executor, batch).expect("fits");
            let wanted = evaluator.energies(executor, &x).expect("computes");
            assert_eq!(bits(&found), bits(&wanted), "{preset}, {count}");
            let wanted = evaluator.gradients(executor, &x).expect("computes");
            assert_eq!(bits(&slopes), bits(&wanted), "{preset}, {count}");
        }
        let (count, steps) = (3, 4);
        let mut drawn = vec![0.0; count * length];
        ok(sample(handles.model, (count, steps), &mut drawn));
        let options = SampleOptions {
            count,
            steps,
            seed: 5,
            frames: 0,
        };
        let mut state = device.shared.lock().expect("is sound");
        let executor = &mut state.executor;
        let wanted = model.model.sample(executor, &options, &mut |_, _| true);
        assert_eq!(bits(&drawn), bits(&wanted.expect("computes").values));
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn models_on_one_device_take_turns_and_leave_nothing_behind() {
    let handles = handles("moons", POINT_LAYERS);
    let other_path = handles.folder.path().join("other.safetensors");
    untrained("digits", IMAGE_LAYERS)
        .save(&other_path)
        .expect("can be saved");
    let other = load(handles.device, &other_path);
    let (x, digits) = (values(2), values(64));
    let allocated = || {
        // SAFETY: it is a handle.
        let state = unsafe { (*handles.device).shared.lock().expect("is sound") };
        state.executor.allocated_bytes()
    };
    let before = allocated();
    let (mut first, mut found) = ([0.0], [0.0]);
    ok(energies(handles.model, &x, &mut first));
    let one = allocated();
    for _ in 0..3 {
        ok(energies(other, &digits, &mut found));
        ok(energies(handles.model, &x, &mut found));
        assert_eq!(found, first);
        assert_eq!(allocated(), one);
    }
    // SAFETY: it is a handle, and not used again.
    unsafe { afterimage_model_free(other) };
    assert_eq!(allocated(), one);
    let mut twin = load(
        handles.device,
        &handles.folder.path().join("model.safetensors"),
    );
    ok(energies(twin, &x, &mut found));
    // SAFETY: it is a handle, and not used again.
    unsafe { afterimage_model_free(twin) };
    assert_eq!(allocated(), before);
    // Also when its device was freed before.
    let lent = device();
    twin = load(lent, &handles.folder.path().join("model.safetensors"));
    // SAFETY: each is a handle, and not used again.
    unsafe { afterimage_device_free(lent) };
    ok(energies(twin, &x, &mut found));
    assert_eq!(found, first);
    // SAFETY: as above.
    unsafe { afterimage_model_free(twin) };
}

#[test]
fn what_cannot_be_computed_is_refused_in_the_words_of_the_engine() {
    let handles = handles("digits", IMAGE_LAYERS);
    let model = handles.model;
    let x = values(2 * 64);
    let mut out = [7.0; 2];
    // Wrong lengths.
    // SAFETY: it is a handle.
    let shape = unsafe { (*model).shape() };
    let wrong = ModelError::WrongLength { given: 65, shape }.to_string();
    refused(
        energies(model, &x[..65], &mut out),
        AFTERIMAGE_INVALID_ARGUMENT,
        &wrong,
    );
    for length in [0, 1] {
        refused(
            energies(model, &x, &mut out[..length]),
            AFTERIMAGE_INVALID_ARGUMENT,
            "and 2 are to be written",
        );
    }
    refused(
        gradient(model, &x, &mut out),
        AFTERIMAGE_INVALID_ARGUMENT,
        "gradient has room for 2 values, and 128 are to be written",
    );
    // Values that are none.
    for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut x = x.clone();
        x[64] = wrong;
        let words = DataError::NonFinite {
            path: "x".into(),
            sample: 1,
        };
        refused(
            energies(model, &x, &mut out),
            AFTERIMAGE_INVALID_ARGUMENT,
            &words.to_string(),
        );
        let mut slopes = vec![0.0; x.len()];
        refused(
            gradient(model, &x, &mut slopes),
            AFTERIMAGE_INVALID_ARGUMENT,
            &words.to_string(),
        );
    }
    // Numbers that are out of range.
    refused(
        sample(model, (0, 1), &mut []),
        AFTERIMAGE_INVALID_ARGUMENT,
        "a sample count of 0 is out of range",
    );
    refused(
        sample(model, (1, usize::MAX), &mut [0.0; 64]),
        AFTERIMAGE_INVALID_ARGUMENT,
        "a number of steps of",
    );
    refused(
        sample(model, (usize::MAX, 1), &mut [0.0; 64]),
        AFTERIMAGE_INVALID_ARGUMENT,
        "samples has room for 64 values",
    );
    // SAFETY: what is wrong is seen before anything is read or written.
    unsafe {
        let odd = x.as_ptr().cast::<u8>().add(1).cast();
        refused(
            afterimage_model_energies(model, odd, 64, out.as_mut_ptr(), 1),
            AFTERIMAGE_INVALID_ARGUMENT,
            "no multiple of 4",
        );
        let far = usize::MAX / 64 * 64;
        refused(
            afterimage_model_energies(model, x.as_ptr(), far, out.as_mut_ptr(), far / 64),
            AFTERIMAGE_INVALID_ARGUMENT,
            "check its length",
        );
    }
    assert_eq!(out, [7.0; 2], "what fails writes nothing");
    // The handle is as good as before, and none are computed of none.
    ok(energies(model, &x, &mut out));
    ok(energies(model, &[], &mut []));
    ok(gradient(model, &[], &mut []));
    // SAFETY: no value is read or written.
    ok(unsafe { afterimage_model_energies(model, ptr::null(), 0, ptr::null_mut(), 0) });
}

#[test]
fn energies_that_are_not_finite_are_refused() {
    let handles = handles("moons", POINT_LAYERS);
    let mut out = [7.0; 2];
    // Finite, but its square is not.
    refused(
        energies(handles.model, &[f32::MAX, f32::MAX, 0.0, 0.0], &mut out),
        AFTERIMAGE_DIVERGED,
        "1 of 2 energies are not finite",
    );
    assert_eq!(out, [7.0; 2]);
}

/// Every pointer of every function, but for those that may be null.
#[test]
fn null_pointers_are_refused() {
    let handles = handles("moons", POINT_LAYERS);
    let (device, model) = (handles.device, handles.model);
    let (nodevice, nomodel) = (ptr::null::<afterimage_device>(), ptr::null());
    let path = c("model.safetensors");
    let (x, mut out) = (values(2), [0.0; 2]);
    let mut made = ptr::null_mut();
    let mut info = afterimage_info {
        channels: 0,
        height: 0,
        width: 0,
        values: 0,
        scale: 0.0,
        offset: 0.0,
        low: 0.0,
        high: 0.0,
        step: 0,
        sample_steps: 0,
    };
    let (preset, setting) = (c("moons"), c("run.steps=1"));
    let settings = [setting.as_ptr(), ptr::null()];
    // SAFETY: all are what the header asks for, but for the one that is null.
    let calls: Vec<(&str, afterimage_status, String)> = unsafe {
        let train = |device, preset: *const c_char, settings, count, model| {
            afterimage_train(
                device,
                preset,
                settings,
                count,
                ptr::null(),
                None,
                ptr::null_mut(),
                model,
            )
        };
        let (x, x_length, to) = (x.as_ptr(), x.len(), out.as_mut_ptr());
        let nowhere = ptr::null_mut();
        let mut calls = Vec::new();
        let mut call = |name, status| calls.push((name, status, last()));
        call(
            "device",
            afterimage_device_open(ptr::null(), ptr::null_mut()),
        );
        call(
            "device",
            afterimage_model_load(nodevice, path.as_ptr(), &raw mut made),
        );
        call(
            "path",
            afterimage_model_load(device, ptr::null(), &raw mut made),
        );
        call(
            "model",
            afterimage_model_load(device, path.as_ptr(), ptr::null_mut()),
        );
        call("model", afterimage_model_save(nomodel, path.as_ptr()));
        call("path", afterimage_model_save(model, ptr::null()));
        call("model", afterimage_model_info(nomodel, &raw mut info));
        call("info", afterimage_model_info(model, ptr::null_mut()));
        call(
            "model",
            afterimage_model_energies(nomodel, x, x_length, to, 1),
        );
        call(
            "x",
            afterimage_model_energies(model, ptr::null(), x_length, to, 1),
        );
        call(
            "energies",
            afterimage_model_energies(model, x, x_length, nowhere, 1),
        );
        call(
            "model",
            afterimage_model_gradient(nomodel, x, x_length, to, 2),
        );
        call(
            "x",
            afterimage_model_gradient(model, ptr::null(), x_length, to, 2),
        );
        call(
            "gradient",
            afterimage_model_gradient(model, x, x_length, nowhere, 2),
        );
        call("model", afterimage_model_sample(nomodel, 1, 1, 1, to, 2));
        call(
            "samples",
            afterimage_model_sample(model, 1, 1, 1, nowhere, 2),
        );
        let (preset, settings) = (preset.as_ptr(), settings.as_ptr());
        call(
            "device",
            train(nodevice, preset, settings, 1, &raw mut made),
        );
        call(
            "preset",
            train(device, ptr::null(), settings, 1, &raw mut made),
        );
        call(
            "settings",
            train(device, preset, ptr::null(), 1, &raw mut made),
        );
        call(
            "settings[1]",
            train(device, preset, settings, 2, &raw mut made),
        );
        call("model", train(device, preset, settings, 1, ptr::null_mut()));
        assert!(afterimage_device_name(nodevice).is_null());
        afterimage_device_free(ptr::null_mut());
        afterimage_model_free(ptr::null_mut());
        calls
    };
    for (name, status, said) in calls {
        assert_eq!(status, AFTERIMAGE_INVALID_ARGUMENT, "{name}: {said}");
        assert!(
            said.starts_with(&format!("{name} is a null pointer")),
            "{name}: {said}"
        );
    }
    assert!(made.is_null());
}

/// Writes over a pointer that was no handle.
#[test]
fn what_cannot_be_opened_is_refused_and_gives_null() {
    let handles = handles("moons", POINT_LAYERS);
    let garbage = ptr::dangling_mut();
    let mut made: *mut afterimage_model = garbage;
    let missing = handles.folder.path().join("missing.safetensors");
    let missing = c(missing.to_str().expect("is text"));
    // SAFETY: all are what the header asks for.
    unsafe {
        refused(
            afterimage_model_load(handles.device, missing.as_ptr(), &raw mut made),
            AFTERIMAGE_FILE_ERROR,
            "does not exist: check the path",
        );
        assert!(made.is_null());
        let mut opened: *mut afterimage_device = ptr::dangling_mut();
        refused(
            afterimage_device_open(c"no such adapter".as_ptr(), &raw mut opened),
            AFTERIMAGE_DEVICE_ERROR,
            "no such adapter",
        );
        assert!(opened.is_null());
        refused(
            afterimage_device_open(c"\xff".as_ptr(), &raw mut opened),
            AFTERIMAGE_INVALID_ARGUMENT,
            "adapter is not UTF-8",
        );
        refused(
            afterimage_model_save(handles.model, c"/nowhere/at/all.safetensors".as_ptr()),
            AFTERIMAGE_FILE_ERROR,
            "/nowhere/at",
        );
    }
}

#[test]
fn a_model_says_what_it_is_for() {
    let handles = handles("digits", IMAGE_LAYERS);
    let mut info = std::mem::MaybeUninit::uninit();
    // SAFETY: it is a handle, and all of the place is written.
    let info = unsafe {
        ok(afterimage_model_info(handles.model, info.as_mut_ptr()));
        info.assume_init()
    };
    // SAFETY: it is a handle.
    let model = unsafe { &(*handles.model).model };
    let scaling = model.scaling();
    assert_eq!((info.channels, info.height, info.width), (1, 8, 8));
    assert_eq!((info.values, info.step), (64, 7));
    assert_eq!((info.low, info.high), (scaling.low, scaling.high));
    assert_eq!(info.sample_steps, model.config().run.sample_steps);
    for raw in [0.0, 3.0, 16.0] {
        let value: f32 = raw * info.scale + info.offset;
        assert!((value - scaling.model_value(raw)).abs() < 1e-6);
    }
    // SAFETY: it is a handle, and each is a text.
    unsafe {
        assert!(!CStr::from_ptr(afterimage_device_name(handles.device)).is_empty());
        let version = CStr::from_ptr(afterimage_version());
        assert_eq!(version.to_str(), Ok(env!("CARGO_PKG_VERSION")));
    }
}

const SMALL: &[&str] = &[
    POINT_LAYERS,
    "run.batch=32",
    "run.figure_every=0",
    "run.sample_every=0",
    "run.samples=4",
    "run.sample_steps=2",
    "sampler.steps=4",
    "sampler.diagnose=0",
    "sampler.probe=0",
];

/// What a callback of C is told, and after how many steps it stops.
struct Callback {
    seen: Vec<afterimage_progress>,
    stop_at: u64,
    /// What it frees, if not null.
    device: *mut afterimage_device,
}

unsafe extern "C" fn on_step(
    progress: *const afterimage_progress,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: it is what `trained` hands over.
    let (progress, callback) = unsafe { (*progress, &mut *user_data.cast::<Callback>()) };
    callback.seen.push(progress);
    let device = mem::replace(&mut callback.device, ptr::null_mut());
    // SAFETY: it is a handle that nobody uses again, or null.
    unsafe { afterimage_device_free(device) };
    c_int::from(progress.steps_done >= callback.stop_at)
}

/// A small run with more settings, and what it told.
fn trained(
    device: *const afterimage_device,
    more: &[&str],
    out: Option<&Path>,
    stop_at: u64,
) -> (
    afterimage_status,
    *mut afterimage_model,
    Vec<afterimage_progress>,
) {
    let mut callback = Callback {
        seen: Vec::new(),
        stop_at,
        device: ptr::null_mut(),
    };
    let (status, model) = trained_by(device, more, out, &mut callback);
    (status, model, callback.seen)
}

fn trained_by(
    device: *const afterimage_device,
    more: &[&str],
    out: Option<&Path>,
    callback: &mut Callback,
) -> (afterimage_status, *mut afterimage_model) {
    let texts: Vec<CString> = SMALL.iter().chain(more).map(|text| c(text)).collect();
    let settings: Vec<_> = texts.iter().map(|text| text.as_ptr()).collect();
    let out = out.map(|out| c(out.to_str().expect("is text")));
    let mut model = ptr::dangling_mut();
    // SAFETY: all are what the header asks for.
    let status = unsafe {
        afterimage_train(
            device,
            c"moons".as_ptr(),
            settings.as_ptr(),
            settings.len(),
            out.as_ref().map_or(ptr::null(), |out| out.as_ptr()),
            Some(on_step),
            ptr::from_mut(callback).cast(),
            &raw mut model,
        )
    };
    (status, model)
}

fn weights(model: *mut afterimage_model) -> Vec<u32> {
    // SAFETY: it is a handle.
    bits(unsafe { (*model).model.parameters() })
}

#[test]
fn training_tells_every_step_and_has_the_same_bits_in_memory_and_in_a_folder() {
    let folder = tempfile::tempdir().expect("can be made");
    let device = device();
    let (status, model, seen) = trained(device, &["run.steps=6"], None, u64::MAX);
    ok(status);
    let steps: Vec<_> = seen
        .iter()
        .map(|seen| (seen.steps_done, seen.steps))
        .collect();
    assert_eq!(steps, (1..=6).map(|step| (step, 6)).collect::<Vec<_>>());
    assert!(
        seen.iter()
            .all(|seen| seen.loss.is_finite() && seen.gradient_norm > 0.0)
    );
    let mut found = [0.0; 2];
    ok(energies(model, &values(4), &mut found));
    assert!(found[0] != found[1]);

    let run = folder.path().join("run");
    let (status, kept, also) = trained(device, &["run.steps=6"], Some(&run), u64::MAX);
    ok(status);
    assert_eq!(weights(kept), weights(model));
    // What is told again is the last step.
    let steps = |seen: &[afterimage_progress]| {
        let mut steps: Vec<_> = seen
            .iter()
            .map(|seen| (seen.steps_done, seen.loss))
            .collect();
        steps.dedup();
        steps
    };
    assert_eq!(steps(&also), steps(&seen));
    for file in ["metrics.jsonl", "summary.json", "report.html"] {
        assert!(run.join(file).is_file(), "{file}");
    }
    let (status, none, _) = trained(device, &["run.steps=6"], Some(&run), u64::MAX);
    refused(status, AFTERIMAGE_FILE_ERROR, "already holds files");
    assert!(none.is_null());

    // To a file and back.
    let path = folder.path().join("saved.safetensors");
    let text = c(path.to_str().expect("is text"));
    // SAFETY: all are what the header asks for.
    ok(unsafe { afterimage_model_save(model, text.as_ptr()) });
    let back = load(device, &path);
    assert_eq!(weights(back), weights(model));
    assert_eq!(Model::load(&path).expect("is whole").step(), 6);
    for model in [model, kept, back] {
        // SAFETY: it is a handle, and not used again.
        unsafe { afterimage_model_free(model) };
    }
    // SAFETY: it is a handle, and not used again.
    unsafe { afterimage_device_free(device) };
}

#[test]
fn training_stops_where_the_callback_says_so() {
    let folder = tempfile::tempdir().expect("can be made");
    let device = device();
    let run = folder.path().join("run");
    for out in [None, Some(run.as_path())] {
        let (status, model, seen) = trained(device, &["run.steps=10000"], out, 2);
        ok(status);
        // SAFETY: it is a handle.
        let step = unsafe { (*model).model.step() };
        assert!((2..10_000).contains(&step), "{step}");
        assert_eq!(seen.last().map(|seen| seen.steps_done), Some(step));
        // SAFETY: it is a handle, and not used again.
        unsafe { afterimage_model_free(model) };
    }
    // SAFETY: it is a handle, and not used again.
    unsafe { afterimage_device_free(device) };
}

#[test]
fn a_callback_may_free_the_device() {
    let folder = tempfile::tempdir().expect("can be made");
    let run = folder.path().join("run");
    for out in [None, Some(run.as_path())] {
        let device = device();
        let mut callback = Callback {
            seen: Vec::new(),
            stop_at: u64::MAX,
            device,
        };
        let (status, model) = trained_by(device, &["run.steps=3"], out, &mut callback);
        ok(status);
        assert!(callback.device.is_null() && callback.seen.len() >= 3);
        let mut found = [0.0; 2];
        ok(energies(model, &values(4), &mut found));
        // SAFETY: it is a handle, and not used again.
        unsafe { afterimage_model_free(model) };
    }
}

#[test]
fn training_that_cannot_be_done_is_refused() {
    let device = device();
    for (setting, status, words) in [
        (
            "run.stepz=6",
            AFTERIMAGE_INVALID_SETTING,
            "did you mean `run.steps`",
        ),
        ("run.steps", AFTERIMAGE_INVALID_SETTING, "sets nothing"),
        ("data.source=npy", AFTERIMAGE_INVALID_SETTING, "data.path"),
        (
            "optimiser.rate=1e30",
            AFTERIMAGE_DIVERGED,
            "the run diverged at step",
        ),
    ] {
        let (found, model, _) = trained(device, &["run.steps=40", setting], None, u64::MAX);
        refused(found, status, words);
        assert!(model.is_null());
    }
    // SAFETY: it is a handle, and not used again.
    unsafe { afterimage_device_free(device) };
}

/// A mistake of this library's own, while a device is in use.
#[test]
fn no_panic_crosses_the_border_and_what_it_leaves_is_refused() {
    let handles = handles("moons", POINT_LAYERS);
    // SAFETY: it is a handle.
    let shared = unsafe { &(*handles.device).shared };
    let status = guarded(|| {
        let _state = shared.lock()?;
        panic!("broken\0on purpose");
    });
    refused(
        status,
        AFTERIMAGE_INTERNAL_ERROR,
        "broken\u{fffd}on purpose",
    );
    let status = guarded(|| std::panic::panic_any(3));
    refused(status, AFTERIMAGE_INTERNAL_ERROR, "no word about it");
    let (x, mut out) = (values(2), [0.0; 2]);
    for status in [
        energies(handles.model, &x, &mut out[..1]),
        gradient(handles.model, &x, &mut out),
        sample(handles.model, (1, 1), &mut out),
    ] {
        refused(status, AFTERIMAGE_POISONED, "free it with its models");
    }
    // What needs no device is still to be had, and so is another device; the handles are freed as any.
    let path = handles.folder.path().join("rescued.safetensors");
    let path = c(path.to_str().expect("is text"));
    // SAFETY: all are what the header asks for.
    ok(unsafe { afterimage_model_save(handles.model, path.as_ptr()) });
    let other = device();
    // SAFETY: it is a handle, and not used again.
    unsafe { afterimage_device_free(other) };
}

/// What a failure on one thread says is not heard on another, and handles move between threads.
#[test]
fn errors_are_of_their_thread_and_handles_are_of_none() {
    struct Moved(*mut afterimage_model);
    // SAFETY: one thread at a time uses it.
    unsafe impl Send for Moved {}
    fn is_send<T: Send>(_: &T) {}

    let handles = handles("moons", POINT_LAYERS);
    // SAFETY: they are handles.
    unsafe {
        is_send(&*handles.device);
        is_send(&*handles.model);
    }
    let mut out = [0.0];
    refused(
        energies(handles.model, &values(3), &mut out),
        AFTERIMAGE_INVALID_ARGUMENT,
        "3 values are not a whole number of samples",
    );
    ok(energies(handles.model, &values(2), &mut out));
    let moved = Moved(handles.model);
    let elsewhere = std::thread::spawn(move || {
        let moved = moved;
        assert_eq!(last(), "");
        let mut out = [0.0];
        ok(energies(moved.0, &values(2), &mut out));
        refused(
            energies(moved.0, &values(5), &mut out),
            AFTERIMAGE_INVALID_ARGUMENT,
            "5 values",
        );
        out
    });
    assert_eq!(elsewhere.join().expect("ends"), out);
    assert!(last().starts_with("3 values"), "{}", last());
}

/// What the engine may say is one of the statuses, and of no other.
#[test]
fn errors_of_the_engine_have_their_status() {
    use crate::failure::Failure;
    let of = |error: TrainError| Failure::from(error).status;
    assert_eq!(of(TrainError::NoFit), AFTERIMAGE_INVALID_SETTING);
    let missing = ModelError::MissingMetadata { key: "config" };
    assert_eq!(of(TrainError::Model(missing)), AFTERIMAGE_FILE_ERROR);
    let lost = afterimage::gpu::GpuError::Lost("gone".into());
    assert_eq!(of(TrainError::Gpu(lost)), AFTERIMAGE_DEVICE_ERROR);
}
