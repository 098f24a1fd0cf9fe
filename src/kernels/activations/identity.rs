use super::ActivationKind;

/// z.
pub(super) static IDENTITY: ActivationKind = ActivationKind {
    name: "identity",
    source: include_str!("../../../shaders/activations/identity.wgsl"),
    value: |z, _| z,
    derivative: |_, _| 1.0,
};
