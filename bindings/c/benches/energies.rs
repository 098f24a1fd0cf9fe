//! What the way through C costs: `cargo bench -p afterimage-c` scores 128 digits through libafterimage.so and by the engine itself, in
//! turns, and prints the ratio of the times.

use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use afterimage::model::Model;
use libloading::{Library, Symbol};
use std::ffi::{CString, c_char, c_int, c_void};
use std::path::PathBuf;
use std::ptr;
use std::time::{Duration, Instant};

const COUNT: usize = 128;
const CALLS: usize = 300;
/// Calls before these, the first of which compile.
const WARMING: usize = 10;

#[path = "../../../tests/common/checkpoint.rs"]
#[allow(dead_code)]
mod checkpoint;

type Open = unsafe extern "C" fn(*const c_char, *mut *mut c_void) -> c_int;
type Load = unsafe extern "C" fn(*const c_void, *const c_char, *mut *mut c_void) -> c_int;
type Energies = unsafe extern "C" fn(*const c_void, *const f32, usize, *mut f32, usize) -> c_int;

/// The library that was built with this bench: target/PROFILE for target/PROFILE/deps.
fn library() -> PathBuf {
    let bench = std::env::current_exe().expect("a path");
    let profile = bench.ancestors().nth(2).expect("target/PROFILE");
    profile.join(libloading::library_filename("afterimage"))
}

/// The middle of them, and the quarters beside it.
fn quartiles(mut times: Vec<Duration>) -> [f64; 3] {
    times.sort_unstable();
    [1, 2, 3].map(|quarter| times[times.len() * quarter / 4].as_secs_f64() * 1e3)
}

fn main() {
    let folder = tempfile::tempdir().expect("can be made");
    let path = folder.path().join("digits.safetensors");
    // The network of the preset, whose energies take as long before training as after it.
    checkpoint::untrained_on("digits", &[])
        .save(&path)
        .expect("can be saved");
    let x: Vec<f32> = (0..COUNT * 64).map(|i| (0.7 * i as f32).sin()).collect();

    let model = Model::load(&path).expect("is whole");
    let mut executor =
        Executor::open(&AdapterChoice::Best, ExecutorOptions::default()).expect("an adapter");
    let mut evaluator = model.evaluator(&mut executor, COUNT).expect("fits");

    // SAFETY: it runs no code of its own when it is opened.
    let library = unsafe { Library::new(library()) }
        .expect("is built first: cargo build --release -p afterimage-c");
    // SAFETY: the types are those of the header, whose handles are pointers and whose status is an int.
    let (open, load, energies): (Symbol<'_, Open>, Symbol<'_, Load>, Symbol<'_, Energies>) = unsafe {
        (
            library.get(b"afterimage_device_open\0").expect("is there"),
            library.get(b"afterimage_model_load\0").expect("is there"),
            library
                .get(b"afterimage_model_energies\0")
                .expect("is there"),
        )
    };
    let text = CString::new(path.to_str().expect("is text")).expect("has no zeros");
    let (mut device, mut handle) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: all are what the header asks for.
    unsafe {
        assert_eq!(open(ptr::null(), &raw mut device), 0);
        assert_eq!(load(device, text.as_ptr(), &raw mut handle), 0);
    }
    let mut found = vec![0.0; COUNT];
    let mut wanted = Vec::new();
    let mut by_engine = || {
        let start = Instant::now();
        wanted = evaluator.energies(&mut executor, &x).expect("computes");
        start.elapsed()
    };
    let mut through_c = || {
        let start = Instant::now();
        // SAFETY: the lengths are those of the vectors.
        let status =
            unsafe { energies(handle, x.as_ptr(), x.len(), found.as_mut_ptr(), found.len()) };
        assert_eq!(status, 0);
        start.elapsed()
    };
    let mut times = [Vec::new(), Vec::new()];
    for call in 0..CALLS + WARMING {
        // Neither is always the one that comes after the other.
        let (engine, c);
        if call % 2 == 0 {
            (engine, c) = (by_engine(), through_c());
        } else {
            c = through_c();
            engine = by_engine();
        }
        if call >= WARMING {
            times[0].push(engine);
            times[1].push(c);
        }
    }
    // Of a driver that is not known, each may have chosen kernels of its own.
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-3 * b.abs().max(1.0);
    assert!(found.iter().zip(&wanted).all(near));
    let [engine, c] = times.map(quartiles);
    println!(
        "energies of {COUNT} digits, {CALLS} calls each way in turns, on {}",
        executor.adapter()
    );
    for (way, [low, middle, high]) in [("engine", engine), ("through C", c)] {
        println!("{way:10} {middle:8.3} ms, half of them within {low:.3} and {high:.3}");
    }
    println!(
        "ratio      {:8.3}, and {:.3} of the faster quarters",
        c[1] / engine[1],
        c[0] / engine[0]
    );
}
