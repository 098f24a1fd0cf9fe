use super::Generator;
use crate::kernels::activations::{Activation, sigmoid};

/// f(t) = t ln t − (ν + t) ln(ν + t): noise-contrastive estimation with ν noise samples per datum (Gutmann & Hyvärinen,
/// JMLR 2012). With h = u − ln ν the weights are σ(−h) and ν σ(h), both bounded; f″(1) = ν/(1 + ν).
///
/// The best c: the loss is convex in c with slopes from −1 to ν, so there is exactly one.
pub(super) const GENERATOR: Generator = Generator {
    name: "logistic",
    source: include_str!("../../../shaders/generators/logistic.wgsl"),
    steepest: |_| 0.0,
    f: |t, nu, _| t * t.ln() - (nu + t) * (nu + t).ln(),
    curvature: |nu, _| nu / (1.0 + nu),
    weights: |u, nu, _| {
        let h = u - nu.ln();
        (sigmoid(-h), nu * sigmoid(h))
    },
    losses: |u, nu, _| {
        let h = u - nu.ln();
        let softplus = |z| Activation::SOFTPLUS.value(z);
        (softplus(-h), nu * softplus(h))
    },
};
