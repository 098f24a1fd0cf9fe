use super::Generator;

/// f(t) = −2√t: eNCE (Liu, Rosenfeld, Ravikumar & Risteski, *Analyzing and improving the optimization landscape of
/// noise-contrastive estimation*, ICLR 2022). Weights ½ r^−½ and ½ r^½, symmetric and unbounded; f″(1) = ½.
///
/// The best c: the loss is convex in c; without clamps it is ln E_data\[exp −v/2\] − ln E_φ\[exp v/2\], v = E_φ − E_θ.
/// Where all data lies above the clamp and all noise below its negative, a whole range of c is best.
pub(super) const GENERATOR: Generator = Generator {
    name: "exponential",
    source: include_str!("../../../shaders/generators/exponential.wgsl"),
    steepest: |_| 0.5,
    f: |t, _, _| -2.0 * t.sqrt(),
    curvature: |_, _| 0.5,
    weights: |u, _, _| (0.5 * (-0.5 * u).exp(), 0.5 * (0.5 * u).exp()),
    losses: |u, _, _| ((-0.5 * u).exp(), (0.5 * u).exp()),
};
