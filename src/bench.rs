//! Times the kernels and whole steps on one adapter.
//!
//! Machines are shared and noisy: compare the figures of one run with each other, not with those of another.

use crate::gpu::{Buffer, Command, Executor, Recording};
use crate::kernels::{
    Activation, Bounds, ChainStart, ConvGeometry, LangevinSettings, Layer, LayerKind,
    LayerParameters, Variant,
};
use crate::method::Chains;
use crate::model::ModelError;
use crate::network::{Architecture, LayerSpec, Network, trusted_variant, tuned_kernels};
use crate::random::Stream;
use crate::shape::Shape;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Each figure is the median over at least this long.
const LONG_ENOUGH: Duration = Duration::from_millis(300);

/// One measurement.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    pub name: String,
    /// Median time of one launch, or of one step.
    pub milliseconds: f64,
    /// Useful floating-point operations a second, in 10⁹, a multiply-add counted as two; none for kernels that only
    /// move or reduce data.
    pub gflops: Option<f64>,
    /// Kernel launches in one measurement.
    pub launches: usize,
}

/// Times the 64→128 convolution kernel by kernel, then a Langevin step and a training pass of the reference networks
/// D (8×8 digits), M (28×28) and C (32×32 colour).
///
/// # Errors
/// When the GPU fails.
pub fn measure(executor: &mut Executor, tell: &mut dyn FnMut(Figure)) -> Result<(), ModelError> {
    let variant = trusted_variant(executor)?;
    layers(executor, variant, tell)?;
    for (name, batch, architecture) in reference_networks()? {
        network(executor, name, batch, &architecture, tell)?;
    }
    Ok(())
}

fn time(
    executor: &mut Executor,
    name: String,
    recording: &Recording,
) -> Result<Figure, ModelError> {
    let once = |executor: &mut Executor| -> Result<f64, ModelError> {
        let start = Instant::now();
        executor.run(recording)?;
        executor.finish()?;
        Ok(start.elapsed().as_secs_f64())
    };
    // The first run compiles, the second one warms up.
    once(executor)?;
    once(executor)?;
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < LONG_ENOUGH || times.len() < 3 {
        times.push(once(executor)?);
    }
    times.sort_by(f64::total_cmp);
    let seconds = times[times.len() / 2];
    let launches = recording.launches().values().sum();
    let gflops = Some(recording.flops() as f64 / seconds / 1e9);
    Ok(Figure {
        name,
        milliseconds: seconds * 1e3,
        gflops,
        launches,
    })
}

fn layers(
    executor: &mut Executor,
    variant: Variant,
    tell: &mut dyn FnMut(Figure),
) -> Result<(), ModelError> {
    let geometry = ConvGeometry {
        in_channels: 64,
        in_height: 32,
        in_width: 32,
        out_channels: 128,
        kernel_height: 4,
        kernel_width: 4,
        stride: 2,
        padding: 1,
    };
    let samples = 64;
    let layer = Layer::new(
        LayerKind::Conv(geometry),
        Activation::LeakyRelu(0.2),
        samples,
        variant,
    );
    let shape = layer.kind.output_shape();
    let input = layer.new_input("input")?;
    let output = layer.new_plain("output", shape)?;
    let derivative = layer.new_plain("derivative", shape)?;
    let output_gradient = layer.new_output_gradient("output gradient")?;
    let input_gradient = layer.new_plain("input gradient", layer.kind.input_shape())?;
    let count = geometry.weight_len() + geometry.out_channels;
    let parameters = LayerParameters {
        buffer: Buffer::new("parameters", count),
        offset: 0,
    };
    let factor = Buffer::new("factor", samples);
    let partials = Buffer::new("partials", layer.partial_words());
    let gradient = Buffer::new("gradient", count);
    let name = |what: &str| format!("conv 64→128 4×4 s2, batch 64: {what}");

    let mut recording = Recording::new();
    layer.forward(
        &mut recording,
        parameters,
        &input,
        &output,
        Some(&derivative),
    );
    tell(time(executor, name("forward"), &recording)?);
    let mut recording = Recording::new();
    layer.input_gradient(
        &mut recording,
        parameters,
        &output_gradient,
        None,
        &input_gradient,
    );
    tell(time(executor, name("input gradient"), &recording)?);
    let mut recording = Recording::new();
    layer.weight_gradient(
        &mut recording,
        &input,
        &output_gradient,
        factor,
        partials,
        gradient,
        0,
        false,
    );
    tell(time(executor, name("weight gradient"), &recording)?);
    let mut recording = Recording::new();
    layer.prepare(&mut recording, parameters);
    if !recording.commands().is_empty() {
        let figure = time(executor, name("pack weights"), &recording)?;
        tell(Figure {
            gflops: None,
            ..figure
        });
    }
    Ok(())
}

fn network(
    executor: &mut Executor,
    name: &str,
    batch: usize,
    architecture: &Architecture,
    tell: &mut dyn FnMut(Figure),
) -> Result<(), ModelError> {
    let langevin = LangevinSettings {
        step_size: 1e-3,
        noise: 0.005,
        clip: 0.0,
        bounds: Bounds::None,
    };
    let start = ChainStart::Uniform {
        low: 0.0,
        high: 1.0,
    };
    let kernels = tuned_kernels(executor, architecture, batch)?;
    let chains = Chains::new(
        architecture,
        batch,
        kernels.clone(),
        langevin,
        start,
        (1, Stream::Sampling),
    )?;
    let parameters = Buffer::new("parameters", architecture.parameter_count());
    let mut recording = Recording::new();
    chains.setup(&mut recording);
    chains.prepare(&mut recording, parameters);
    chains.restart(&mut recording, 0, 0, batch);
    executor.run(&recording)?;
    let mut recording = Recording::new();
    chains.advance(&mut recording, parameters, 0, 1, 0);
    tell(time(
        executor,
        format!("network {name}, batch {batch}: Langevin step"),
        &recording,
    )?);
    by_kernel(executor, &recording, tell)?;

    let network = Network::new(architecture, batch, kernels)?;
    let (x, energies) = (chains.states(), chains.energies());
    let factor = Buffer::new("factor", batch);
    let gradient = Buffer::new("gradient", parameters.words());
    let mut recording = Recording::new();
    network.setup(&mut recording);
    executor.run(&recording)?;
    let mut recording = Recording::new();
    network.prepare(&mut recording, parameters);
    network.energies(&mut recording, parameters, x, energies, true);
    network.weight_gradient(&mut recording, parameters, x, factor, gradient, false);
    tell(time(
        executor,
        format!("network {name}, batch {batch}: training pass"),
        &recording,
    )?);
    by_kernel(executor, &recording, tell)
}

/// Times the launches of each kernel of a recording apart from the others, repeated so that
/// handing them over does not count.
fn by_kernel(
    executor: &mut Executor,
    recording: &Recording,
    tell: &mut dyn FnMut(Figure),
) -> Result<(), ModelError> {
    const REPEATS: usize = 8;
    let expanded = recording.expanded();
    for (kernel, launches) in recording.launches() {
        let mut alone = Recording::new();
        for _ in 0..REPEATS {
            for command in expanded.commands() {
                if let Command::Dispatch(dispatch) = command
                    && dispatch.program.kernel.name == kernel
                {
                    alone.dispatch(dispatch.clone());
                }
            }
        }
        let figure = time(executor, format!("    {kernel}"), &alone)?;
        let milliseconds = figure.milliseconds / REPEATS as f64;
        // The others are bound by memory and launches.
        let computes = kernel.contains("conv_") || kernel.contains("dense_");
        let gflops = figure.gflops.filter(|_| computes);
        tell(Figure {
            milliseconds,
            gflops,
            launches,
            ..figure
        });
    }
    Ok(())
}

fn reference_networks() -> Result<Vec<(&'static str, usize, Architecture)>, ModelError> {
    let conv = |channels, kernel, stride, padding| LayerSpec::Conv {
        channels,
        kernel,
        stride,
        padding,
    };
    let dense = |features| LayerSpec::Dense { features };
    let d = [
        conv(32, 3, 1, 1),
        conv(64, 3, 2, 1),
        conv(64, 3, 2, 1),
        dense(1),
    ];
    let m = [
        conv(16, 5, 2, 4),
        conv(32, 3, 2, 1),
        conv(64, 3, 2, 1),
        conv(64, 3, 2, 1),
        dense(64),
        dense(1),
    ];
    let c = [
        conv(64, 3, 1, 1),
        conv(128, 4, 2, 1),
        conv(256, 4, 2, 1),
        conv(512, 4, 2, 1),
        conv(1, 4, 1, 0),
    ];
    let (silu, leaky) = (Activation::Silu, Activation::LeakyRelu(0.2));
    Ok(vec![
        (
            "D",
            128,
            Architecture::new(Shape::new(1, 8, 8), &d, silu, None)?,
        ),
        (
            "M",
            128,
            Architecture::new(Shape::new(1, 28, 28), &m, silu, None)?,
        ),
        (
            "C",
            64,
            Architecture::new(Shape::new(3, 32, 32), &c, leaky, None)?,
        ),
    ])
}
