//! Afterimage inside a host program that has a wgpu device of its own:
//! `cargo run --release --example embed -- runs/digits/checkpoints/005000.safetensors`

use afterimage::gpu::{Buffer, Executor, ExecutorOptions, Recording, Requirements, wgpu};
use afterimage::model::{Model, SampleOptions};
use std::{env, error::Error};
use wgpu::{BufferUsages, util::BufferInitDescriptor, util::DeviceExt};

const BATCH: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let model = Model::load(env::args().nth(1).ok_or("name a checkpoint")?.as_ref())?;

    // The host program's own device; `Requirements` says what Afterimage needs of it.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = pollster::block_on(instance.request_adapter(&Default::default()))?;
    let needs = Requirements::of(&adapter);
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        required_features: needs.features,
        required_limits: needs.limits,
        ..Default::default()
    }))?;

    // Two of its own buffers: a batch (here any numbers do), and a place for the gradient.
    let values = BATCH * model.architecture().input().len();
    let batch: Vec<u8> = (0..values)
        .flat_map(|i| (0.7 * i as f32).sin().to_le_bytes())
        .collect();
    let buffer = |contents: &[u8]| {
        device.create_buffer_init(&BufferInitDescriptor {
            label: None,
            contents,
            usage: BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST,
        })
    };
    let (own_batch, own_gradient) = (buffer(&batch), buffer(&vec![0; batch.len()]));

    // Energies and ∇ₓE from buffer to buffer: no sample passes through the host.
    let mut executor = Executor::on_device(&adapter, &device, &queue, ExecutorOptions::default());
    let evaluator = model.evaluator(&mut executor, BATCH)?;
    let x = executor.import("batch", &own_batch)?;
    let gradient = executor.import("gradient", &own_gradient)?;
    let energies = Buffer::new("energies", BATCH);
    let mut recording = Recording::new();
    evaluator.energy_gradient(&mut recording, x, energies, gradient)?;
    executor.run(&recording)?;
    executor.flush()?; // From here on, what the host program submits finds the gradient in `own_gradient`.
    println!("energies {:?}", executor.read(energies)?);
    println!("gradient {:?}", executor.read(gradient)?);
    let options = SampleOptions {
        count: 2,
        steps: 20,
        seed: 1,
        frames: 0,
    };
    let samples = model.sample(&mut executor, &options, &mut |_, _| true)?;
    println!("samples {:?}", samples.values);
    Ok(())
}
