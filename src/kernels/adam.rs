use crate::gpu::{Buffer, Kernel, Program, Recording};

/// The settings of one Adam step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    pub rate: f32,
    pub beta1: f32,
    pub beta2: f32,
    pub epsilon: f32,
    /// Decoupled: the parameters shrink by rate · weight_decay.
    pub weight_decay: f32,
    /// Largest global norm of the gradient; 0 for no limit.
    pub gradient_clip: f32,
    /// Decay of the moving average, which ramps up as min(average, (1 + t) / (10 + t)); 0 makes it a copy.
    pub average: f32,
    /// Divides the gradient by its global norm, before clipping (Liu et al. 2022).
    pub normalise_gradient: bool,
}

/// The buffers of one Adam step, each of the length of the parameters but `norm`.
#[derive(Clone, Copy, Debug)]
pub struct AdamArguments {
    pub gradient: Buffer,
    /// Holds the gradient's norm at word `norm_place`.
    pub norm: Buffer,
    pub norm_place: usize,
    pub parameters: Buffer,
    pub first_moment: Buffer,
    pub second_moment: Buffer,
    pub average: Buffer,
}

pub(crate) static KERNEL: Kernel = kernel!(
    "adam",
    11,
    [Read, Read, ReadWrite, ReadWrite, ReadWrite, ReadWrite]
);

/// Step number `step`, counted from 1, over `count` parameters.
pub fn adam(
    recording: &mut Recording,
    settings: &AdamSettings,
    step: u64,
    count: usize,
    arguments: &AdamArguments,
) {
    let s = settings;
    let t = step as f64;
    let average = f64::from(s.average).min((1.0 + t) / (10.0 + t)) as f32;
    // In f64, since 1 − βᵗ loses digits while it is small.
    let correction = |beta: f32| (1.0 - f64::from(beta).powf(t)) as f32;
    let floats = [
        s.rate,
        s.beta1,
        s.beta2,
        s.epsilon,
        s.weight_decay,
        s.gradient_clip,
        average,
        correction(s.beta1),
        correction(s.beta2),
    ];
    Program::new(&KERNEL)
        .u32("COUNT", count)
        .bind([arguments.gradient, arguments.norm, arguments.parameters])
        .bind([arguments.first_moment, arguments.second_moment])
        .bind([arguments.average])
        .immediates(floats.map(f32::to_bits))
        .immediates([arguments.norm_place as u32, s.normalise_gradient.into()])
        // Five arrays are read, and all but the gradient are written back.
        .moving(36 * count)
        .over(recording, count);
}
