use super::ActivationKind;

/// The hyperbolic tangent.
pub(super) static TANH: ActivationKind = ActivationKind {
    name: "tanh",
    source: include_str!("../../../shaders/activations/tanh.wgsl"),
    value: |z, _| z.tanh(),
    derivative: |z, _| 1.0 - z.tanh() * z.tanh(),
};
