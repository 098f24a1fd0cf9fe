//! A laboratory for the shape of one kernel: `cargo run --release --example lab [SECONDS]`.
//!
//! Every variant of the forward convolution of the `texel` layer kernels, shipped or rejected, is compared with the f64
//! twin and timed, variant after variant in rounds, so that a machine that drifts drifts for all of them. To try
//! another, add a WGSL file beside the others with its main loop, and a line to the table: all else is the shipped
//! kernel's. What came out is in docs/kernels.md.

use afterimage::gpu::{AdapterChoice, Buffer, Executor, ExecutorOptions, GpuError, Recording};
use afterimage::low_level::gpu::{Command, Dispatch, Kernel, Program};
use afterimage::low_level::kernels::texel::{self, Algorithm, Texel};
use afterimage::low_level::kernels::{
    Activation, ConvGeometry, Layer, LayerKind, LayerParameters, load, unload,
};
use afterimage::low_level::random::{Philox, Stream};
use afterimage::low_level::twins;
use std::sync::Arc;
use std::time::Instant;

/// Name and main loop of every variant beside the shipped one.
const VARIANTS: [(&str, &str); 4] = [
    ("two nested loops", include_str!("two_loops.wgsl")),
    ("taps in the loop", include_str!("taps_in_the_loop.wgsl")),
    ("subgroupBroadcast", include_str!("broadcast.wgsl")),
    ("plain WGSL loops", include_str!("plain_loops.wgsl")),
];
const GEOMETRY: ConvGeometry = ConvGeometry {
    in_channels: 64,
    in_height: 32,
    in_width: 32,
    out_channels: 128,
    kernel_height: 4,
    kernel_width: 4,
    stride: 2,
    padding: 1,
};
const SAMPLES: usize = 64;
/// Sums of 1024 products of numbers of size 1 in f32: √1024 · 2⁻²⁴ relative to their own size of 32, with room for four
/// standard deviations over two million values.
const TOLERANCE: f64 = 5e-4;
const ROUNDS: usize = 3;

fn main() -> Result<(), GpuError> {
    let seconds: f64 = match std::env::args().nth(1).map(|text| text.parse()) {
        Some(Ok(seconds)) => seconds,
        Some(Err(_)) => {
            eprintln!("usage: lab [SECONDS for each variant and round]");
            std::process::exit(2);
        }
        None => 0.5,
    };
    let mut executor = Executor::open(&AdapterChoice::Best, ExecutorOptions::default())?;
    let variant = Texel::best(&executor.profile());
    println!("{}, {variant:?}", executor.adapter().name);

    let kind = LayerKind::Conv(GEOMETRY);
    let activation = Activation::leaky_relu(0.2);
    let layer = texel::Layer::forced(variant, kind, activation, SAMPLES, Algorithm::Direct);
    let layer = Layer::from(layer);
    let mut generator = Philox::new(1, Stream::Parameters, 0);
    let mut values = |count: usize| -> Vec<f32> {
        (0..count)
            .map(|_| 2.0 * generator.uniform() - 1.0)
            .collect()
    };
    let x = values(SAMPLES * GEOMETRY.in_len());
    let parameter_values = values(GEOMETRY.weight_len() + GEOMETRY.out_channels);
    let mut setup = Recording::new();
    let filled = |setup: &mut Recording, values: &[f32]| {
        let buffer = Buffer::new("laboratory", values.len());
        setup.upload_f32(buffer, 0, values);
        buffer
    };
    let parameters = LayerParameters {
        buffer: filled(&mut setup, &parameter_values),
        offset: 0,
    };
    let flat = filled(&mut setup, &x);
    let input = layer.new_input("input")?;
    let output = layer.new_plain("output", kind.output_shape())?;
    load(&mut setup, flat, &input);
    layer.prepare(&mut setup, parameters);
    executor.run(&setup)?;

    let mut shipped = Recording::new();
    layer.forward(&mut shipped, parameters, &input, &output, None);
    let mut entries = vec![("as shipped", shipped.clone())];
    entries.extend(VARIANTS.map(|(name, main_loop)| (name, with_loop(&shipped, name, main_loop))));

    let want = reference(&x, &parameter_values);
    let outputs = Buffer::new("outputs", want.len());
    let mut fastest = vec![f64::INFINITY; entries.len()];
    for round in 0..=ROUNDS {
        for ((name, recording), fastest) in entries.iter().zip(&mut fastest) {
            if round == 0 {
                let mut checked = recording.clone();
                unload(&mut checked, &output, outputs);
                executor.run(&checked)?;
                let got = executor.read(outputs)?;
                let error = worst(&got, &want);
                println!("{name:20} largest error {error:.1e}");
                assert!(error < TOLERANCE, "{name} computes wrong results");
                continue;
            }
            let start = Instant::now();
            while start.elapsed().as_secs_f64() < seconds {
                let once = Instant::now();
                executor.run(recording)?;
                executor.finish()?;
                *fastest = fastest.min(once.elapsed().as_secs_f64());
            }
        }
    }
    let best = fastest.iter().copied().fold(f64::INFINITY, f64::min);
    for ((name, recording), seconds) in entries.iter().zip(fastest) {
        let gflops = recording.flops() as f64 / seconds / 1e9;
        println!(
            "{name:20} {:8.2} ms {gflops:7.1} GFLOP/s, {:4.2} of the best",
            seconds * 1e3,
            best / seconds
        );
    }
    Ok(())
}

/// The same launches with another main loop.
fn with_loop(shipped: &Recording, name: &'static str, main_loop: &str) -> Recording {
    let mut recording = Recording::new();
    for command in shipped.commands() {
        if let Command::Dispatch(dispatch) = command {
            let known = dispatch.program.kernel;
            // Kernels live as long as the program; a handful of leaked ones do no harm.
            let source = Box::leak(spliced(known.source, main_loop).into_boxed_str());
            let kernel: &'static Kernel = Box::leak(Box::new(Kernel {
                name,
                source,
                shared: known.shared,
                bindings: known.bindings,
                immediates: known.immediates,
            }));
            let program = Program {
                kernel,
                ..(*dispatch.program).clone()
            };
            recording.dispatch(Dispatch {
                program: Arc::new(program),
                ..dispatch.clone()
            });
        }
    }
    recording
}

/// The text of the shipped kernel with `main_loop` in place of its own.
fn spliced(shipped: &str, main_loop: &str) -> String {
    const START: &str = "    for (var i = 0u; i < IN_GROUPS * KERNEL_HEIGHT; i++) {";
    const END: &str = "    if id.x >= SAMPLES * TILES {";
    let place = |mark: &str| {
        shipped.find(mark).unwrap_or_else(|| {
            panic!("texel/conv_forward has no line `{mark}` any more: say in main.rs where its main loop is")
        })
    };
    let (start, end) = (place(START), place(END));
    format!("{}{main_loop}{}", &shipped[..start], &shipped[end..])
}

fn reference(x: &[f32], parameters: &[f32]) -> Vec<f64> {
    let wide = |values: &[f32]| -> Vec<f64> { values.iter().map(|&v| f64::from(v)).collect() };
    let parameters = wide(parameters);
    let (weight, bias) = parameters.split_at(GEOMETRY.weight_len());
    let activation = Activation::leaky_relu(0.2);
    twins::conv_forward(&GEOMETRY, activation, SAMPLES, &wide(x), weight, bias).output
}

fn worst(got: &[f32], want: &[f64]) -> f64 {
    got.iter()
        .zip(want)
        .map(|(&got, want)| (f64::from(got) - want).abs())
        .fold(0.0, f64::max)
}
