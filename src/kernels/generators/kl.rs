use super::Generator;

/// f(t) = t ln t − t: KLIEP (Sugiyama et al. 2008), importance-sampled maximum likelihood. Weights 1 and r, the latter
/// unbounded; f″(1) = 1. The losses are −u and r without a constant left out, so that with c at its best the loss is
/// 1 + NLL(θ) − NLL(φ).
///
/// The best c: the loss is convex in c; without clamps it is −ln of the noise's mean of exp(E_φ − E_θ).
pub(super) const GENERATOR: Generator = Generator {
    name: "kl",
    source: include_str!("../../../shaders/generators/kl.wgsl"),
    steepest: |_| 1.0,
    f: |t, _, _| t * t.ln() - t,
    curvature: |_, _| 1.0,
    weights: |u, _, _| (1.0, u.exp()),
    losses: |u, _, _| (-u, u.exp()),
};
