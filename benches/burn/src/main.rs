//! Times Burn, on its wgpu backend, on the reference networks of `afterimage bench`, and prints what
//! `benches/peer_torch.py --json` prints: one JSON object for each network and kind of work.
//!
//! ```text
//! cargo run --release --manifest-path benches/burn/Cargo.toml -- --nets D,M --seconds 2
//! ```

mod nets;

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Tensor, activation};
use nets::Reference;
use std::time::{Duration, Instant};

/// The version in Cargo.toml.
const BURN: &str = "0.22.1";

fn main() {
    let (mut names, mut seconds) = (String::from("D,M,C"), 2.0f64);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        match (name.as_str(), arguments.next()) {
            ("--nets", Some(value)) => names = value,
            ("--seconds", Some(value)) => match value.parse() {
                Ok(value) => seconds = value,
                Err(_) => stop(&format!("--seconds needs a number, not '{value}'")),
            },
            _ => stop("usage: peer-burn [--nets D,M,C] [--seconds S]"),
        }
    }
    let networks: Vec<Reference> = names
        .split(',')
        .map(|name| {
            nets::reference(name)
                .unwrap_or_else(|| stop(&format!("no network is called '{name}': D, M or C")))
        })
        .collect();

    // Autodiff is asked for tensor by tensor: a Langevin step must not track the weights.
    let device = Device::wgpu(Default::default());
    let name = device
        .identity()
        .map_or_else(String::new, |identity| identity.name.to_string());
    println!(
        "{}",
        serde_json::json!({"kind": "header", "burn": BURN, "backend": "wgpu", "device": name})
    );
    for network in networks {
        let times = langevin(&network, &device, seconds);
        tell(
            &network,
            &name,
            "langevin",
            2 * network.forward_flops(),
            times,
        );
        let times = train(&network, &device, seconds);
        tell(&network, &name, "train", 6 * network.forward_flops(), times);
    }
}

fn stop(message: &str) -> ! {
    eprintln!("error: {message}");
    std::process::exit(1);
}

/// Langevin steps between two waits for the device, since no sampler waits after each.
const STEPS: usize = 4;

/// Energy, its gradient in x, x ← x − step · gradient + noise.
fn langevin(network: &Reference, device: &Device, seconds: f64) -> Vec<f64> {
    let tracked = device.clone().autodiff();
    let net = network.init(&tracked).no_grad();
    let shape = network.shape(1);
    let mut state = Tensor::<4>::random(shape, Distribution::Uniform(0.0, 1.0), device);
    let times = clock(device, seconds, || {
        for _ in 0..STEPS {
            let x = Tensor::from_inner(state.clone()).require_grad();
            let gradients = net.energies(x.clone()).sum().backward();
            let Some(gradient) = x.grad(&gradients) else {
                stop("Burn kept no gradient of the samples")
            };
            let noise = Tensor::random(shape, Distribution::Normal(0.0, 1.0), device);
            state = state.clone() - gradient * 1e-3 + noise * 0.005;
        }
    });
    times.into_iter().map(|time| time / STEPS as f64).collect()
}

/// Energies of twice the batch, the logistic loss, its gradient in the weights, Adam.
fn train(network: &Reference, device: &Device, seconds: f64) -> Vec<f64> {
    let tracked = device.clone().autodiff();
    let mut net = Some(network.init(&tracked));
    let mut optimiser = AdamConfig::new().init();
    let x = Tensor::<4>::random(network.shape(2), Distribution::Uniform(0.0, 1.0), &tracked);
    let batch = network.batch;
    clock(device, seconds, || {
        let Some(module) = net.take() else { return };
        let energies = module.energies(x.clone());
        let [data, noise] = [0..batch, batch..2 * batch].map(|part| energies.clone().slice([part]));
        let loss =
            activation::softplus(data, 1.0).mean() + activation::softplus(-noise, 1.0).mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &module);
        net = Some(optimiser.step(1e-4, module, gradients));
    })
}

/// Seconds of each run of `work`, the device idle before and after, for at least `seconds` and five runs, after two
/// that compile and tune.
fn clock(device: &Device, seconds: f64, mut work: impl FnMut()) -> Vec<f64> {
    let wait = || {
        if let Err(error) = device.sync() {
            stop(&format!("Burn's device failed: {error:?}"));
        }
    };
    for _ in 0..2 {
        work();
        wait();
    }
    let (mut times, begin) = (Vec::new(), Instant::now());
    while begin.elapsed() < Duration::from_secs_f64(seconds) || times.len() < 5 {
        let start = Instant::now();
        work();
        wait();
        times.push(start.elapsed().as_secs_f64());
    }
    times
}

fn tell(network: &Reference, device: &str, work: &str, flops: u64, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let (median, smallest) = (times[times.len() / 2], times[0]);
    println!(
        "{}",
        serde_json::json!({
            "net": network.name,
            "mode": "burn",
            "work": work,
            "device": device,
            "batch": network.batch,
            "ms": median * 1e3,
            "ms_min": smallest * 1e3,
            "per_s": 1.0 / median,
            "gflops": flops as f64 / median / 1e9,
            "runs": times.len(),
            "precision": "fp32",
        })
    );
}
