use super::Generator;

/// f(t) = (t − 1)²/2: LSIF (Kanamori, Hido & Sugiyama, JMLR 2009). Weights r and r², both unbounded; f″(1) = 1.
///
/// The best c: the loss is not convex in c, but without clamps its slope −A eᶜ + B e²ᶜ changes sign just once, at
/// ln A − ln B with A = E_data\[exp v\] and B = E_φ\[exp 2v\], v = E_φ − E_θ. Where many samples are clamped there may be
/// more than one minimum; one of them is taken.
pub(super) const GENERATOR: Generator = Generator {
    name: "least-squares",
    source: include_str!("../../../shaders/generators/least_squares.wgsl"),
    steepest: |_| 2.0,
    f: |t, _, _| (t - 1.0).powi(2) / 2.0,
    curvature: |_, _| 1.0,
    weights: |u, _, _| (u.exp(), (2.0 * u).exp()),
    losses: |u, _, _| (1.0 - u.exp(), 0.5 * ((2.0 * u).exp() - 1.0)),
};
