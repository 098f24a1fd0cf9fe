use super::{ActivationKind, sigmoid};

/// z · σ(z), also called Swish.
pub(super) static SILU: ActivationKind = ActivationKind {
    name: "silu",
    source: include_str!("../../../shaders/activations/silu.wgsl"),
    value: |z, _| z * sigmoid(z),
    derivative: |z, _| {
        let s = sigmoid(z);
        s * (1.0 + z * (1.0 - s))
    },
};
