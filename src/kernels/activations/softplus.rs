use super::{ActivationKind, sigmoid};

/// ln(1 + eᶻ).
pub(super) static SOFTPLUS: ActivationKind = ActivationKind {
    name: "softplus",
    source: include_str!("../../../shaders/activations/softplus.wgsl"),
    value: |z, _| z.max(0.0) + (-z.abs()).exp().ln_1p(),
    derivative: |z, _| sigmoid(z),
};
