use super::ActivationKind;

/// z above zero, slope · z below; at the kink the derivative is the slope, as in PyTorch.
pub(super) static LEAKY_RELU: ActivationKind = ActivationKind {
    name: "leaky_relu",
    source: include_str!("../../../shaders/activations/leaky_relu.wgsl"),
    value: |z, slope| if z > 0.0 { z } else { slope * z },
    derivative: |z, slope| if z > 0.0 { 1.0 } else { slope },
};
