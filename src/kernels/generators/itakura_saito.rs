use super::Generator;

/// f(t) = −ln t: the Itakura–Saito divergence (Itakura & Saito 1968; as a loss of ratios Gutmann & Hirayama 2011). Weights
/// 1/r, unbounded, and 1; f″(1) = 1. The constant −1 of the noise's loss u − 1 is left out.
///
/// The best c: the loss is convex in c; without clamps it is ln of the data's mean of exp(E_θ − E_φ).
pub(super) const GENERATOR: Generator = Generator {
    name: "itakura-saito",
    source: include_str!("../../../shaders/generators/itakura_saito.wgsl"),
    steepest: |_| 1.0,
    f: |t, _, _| -t.ln(),
    curvature: |_, _| 1.0,
    weights: |u, _, _| ((-u).exp(), 1.0),
    losses: |u, _, _| ((-u).exp(), u),
};
