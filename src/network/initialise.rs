use super::architecture::Architecture;
use crate::kernels::LayerKind;
use crate::random::{Philox, Stream};

/// How initial parameters depart from PyTorch's default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Initialisation {
    /// Start the last layer at zero, so that the first energy is the base alone.
    pub zero_head: bool,
    /// Factor on the first layer's weights.
    pub first_weight_scale: f32,
    /// Factor on the first layer's biases.
    pub first_bias_scale: f32,
}

/// Initial parameters in the flat layout of [`Architecture::tensors`]: weights and biases uniform on ±1/√fan_in, as
/// PyTorch's `Conv2d` and `Linear` start (He et al. 2015 with a = √5), with the departures of `how`.
pub fn initial_parameters(
    architecture: &Architecture,
    how: &Initialisation,
    seed: u64,
) -> Vec<f32> {
    let mut values = Vec::with_capacity(architecture.parameter_count());
    let last = architecture.layers().len() - 1;
    for (index, layer) in architecture.layers().iter().enumerate() {
        let fan_in = match *layer {
            LayerKind::Conv(g) => g.in_channels * g.kernel_height * g.kernel_width,
            LayerKind::Dense { input, .. } => input.len(),
        };
        let bound = 1.0 / (fan_in as f32).sqrt();
        let (mut weight_scale, mut bias_scale) = (1.0, 1.0);
        if index == 0 {
            (weight_scale, bias_scale) = (how.first_weight_scale, how.first_bias_scale);
        }
        if index == last && how.zero_head {
            (weight_scale, bias_scale) = (0.0, 0.0);
        }
        let mut generator = Philox::new(seed, Stream::Parameters, index as u32);
        let mut uniform = |scale: f32| scale * bound * (2.0 * generator.uniform() - 1.0);
        values.extend((0..layer.weight_len()).map(|_| uniform(weight_scale)));
        values.extend((0..layer.outputs()).map(|_| uniform(bias_scale)));
    }
    values
}
