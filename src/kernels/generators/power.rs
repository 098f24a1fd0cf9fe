use super::Generator;

/// f(t) = (t¹⁺ᵃ − t)/a for a > 0: the density-power family (Basu et al. 1998; Sugiyama, Suzuki & Kanamori 2012). Weights
/// (1 + a) rᵃ and (1 + a) r¹⁺ᵃ, both unbounded; f″(1) = 1 + a. a → 0 is `kl`, a = 1 twice `least-squares`.
///
/// The best c: as for `least-squares`, with A = E_data\[exp av\] and B = E_φ\[exp (1 + a)v\].
pub(super) const GENERATOR: Generator = Generator {
    name: "power",
    source: include_str!("../../../shaders/generators/power.wgsl"),
    steepest: |a| 1.0 + a,
    f: |t, _, a| (t.powf(1.0 + a) - t) / a,
    curvature: |_, a| 1.0 + a,
    weights: |u, _, a| {
        let data = (1.0 + a) * (a * u).exp();
        (data, data * u.exp())
    },
    losses: |u, _, a| {
        let data = (1.0 - (1.0 + a) * (a * u).exp()) / a;
        (data, ((1.0 + a) * u).exp())
    },
};
