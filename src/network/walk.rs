use super::architecture::Architecture;
use super::initialise::{Initialisation, initial_parameters};
use super::known::Known;
use super::layer_spec::LayerSpec;
use super::twin::twin;
use crate::gpu::{Buffer, Executor, GpuError, Recording, at_once};
use crate::kernels::{
    Activation, Bounds, LangevinSettings, WalkArguments, WalkPlan, pack_walk_weights, walk_chains,
};
use crate::random::{Philox, Stream};
use crate::shape::Shape;
use crate::twins;

/// How one workgroup can walk `samples_per_group` Langevin chains on `architecture` within `limit` bytes of workgroup
/// memory; None where `WalkPlan::new` says so, and for networks with poolings, residual blocks or
/// spectral normalisation.
pub fn walk_plan(
    architecture: &Architecture,
    samples_per_group: usize,
    limit: usize,
) -> Option<WalkPlan> {
    if !architecture.is_chain() || architecture.spectral_norm() {
        return None;
    }
    WalkPlan::new(
        architecture.layers(),
        architecture.activation_after(0),
        architecture.base(),
        samples_per_group,
        limit,
    )
}

/// Three samples for two workgroups.
const SAMPLES: usize = 3;
const SAMPLES_PER_GROUP: usize = 2;
const STEPS: u32 = 2;
/// Large, so that little of a wrong gradient hides.
const STEP_SIZE: f32 = 2.0;
/// Two steps along gradients that are right to 2e-5 of their scale. On lavapipe 5e-7 is met, and every barrier that was
/// left out of the shader was off by 2e-3 or more.
const TOLERANCE: f64 = 2e-4;

/// Whether chains that are walked in one launch on a small network end where their f64 twins do.
///
/// # Errors
/// When the GPU fails.
pub fn walks_right(executor: &mut Executor) -> Result<bool, GpuError> {
    at_once(walks_right_async(executor))
}

/// [`walks_right`] for a page, which goes on meanwhile. It is found out once for each executor.
///
/// # Errors
/// When the GPU fails.
pub(super) async fn walks_right_async(executor: &mut Executor) -> Result<bool, GpuError> {
    if let Some(right) = Known::of(executor).walks_right {
        return Ok(right);
    }
    let mark = executor.mark();
    let outcome = compare(executor).await;
    executor.release_since(mark);
    let right = outcome?;
    Known::update(executor, |known| known.walks_right = Some(right));
    Ok(right)
}

async fn compare(executor: &mut Executor) -> Result<bool, GpuError> {
    let conv = |channels, stride| LayerSpec::Conv {
        channels,
        kernel: 3,
        stride,
        padding: 1,
    };
    let dense = |features| LayerSpec::Dense { features };
    let layers = [conv(6, 1), conv(20, 2), dense(24), dense(1)];
    let plan = Architecture::new(Shape::new(1, 7, 6), &layers, Activation::SILU, None)
        .ok()
        .and_then(|architecture| {
            let limit = executor.profile().workgroup_bytes;
            Some((
                walk_plan(&architecture, SAMPLES_PER_GROUP, limit)?,
                architecture,
            ))
        });
    let Some((plan, architecture)) = plan else {
        return Ok(false);
    };
    let plain = Initialisation {
        weights: Default::default(),
        zero_head: false,
        first_weight_scale: 1.0,
        first_bias_scale: 1.0,
    };
    let seed = 1;
    let parameter_values = initial_parameters(&architecture, &plain, seed);
    let mut generator = Philox::new(seed, Stream::Data, 0);
    let start: Vec<f32> = (0..SAMPLES * architecture.input().len())
        .map(|_| generator.normal())
        .collect();

    let mut r = Recording::new();
    let mut filled = |values: &[f32]| {
        let buffer = Buffer::new("self-test", values.len());
        r.upload_f32(buffer, 0, values);
        buffer
    };
    let (parameters, x) = (filled(&parameter_values), filled(&start));
    let packed = Buffer::new("self-test", plan.packed_words());
    let energies = Buffer::new("self-test", SAMPLES);
    let settings = LangevinSettings {
        step_size: STEP_SIZE,
        noise: 0.5,
        clip: 0.0,
        bounds: Bounds::None,
    };
    let arguments = WalkArguments {
        settings: &settings,
        stream: Stream::Langevin,
        seed,
        first_element: 0,
        samples: SAMPLES,
        packed,
        x,
        energies,
    };
    pack_walk_weights(&mut r, &plan, parameters, packed);
    walk_chains(&mut r, &plan, &arguments, 0, STEPS as usize);
    executor.run(&r)?;
    let got_x = executor.read_async(x).await?;
    let got_energies = executor.read_async(energies).await?;

    let wide = |values: &[f32]| -> Vec<f64> { values.iter().map(|&v| f64::from(v)).collect() };
    let mut want_x = wide(&start);
    let want_energies = twins::langevin_chain(
        &twin(&architecture, &wide(&parameter_values)),
        &twins::LangevinSettings {
            step_size: STEP_SIZE.into(),
            noise: 0.5,
            clip: 0.0,
            bounds: twins::Bounds::None,
        },
        seed,
        0,
        STEPS,
        0,
        SAMPLES,
        &mut want_x,
    );
    let close = |got: &[f32], want: &[f64]| {
        let pairs = got.iter().zip(want);
        got.len() == want.len()
            && pairs
                .into_iter()
                .all(|(&g, &w)| (f64::from(g) - w).abs() < TOLERANCE)
    };
    Ok(close(&got_x, &want_x) && close(&got_energies, &want_energies))
}
