// How a mixture of Gaussians lies in its buffer (src/kernels/samplers/mixture.rs): first the standard deviation that is
// added in every value, and then of each component the weights up to it, the logarithm of its own, its variance beside its
// directions, what it has more along each of them, and its mean.
#const COMPONENTS: u32
#const SAMPLE_LENGTH: u32
// Directions of a component, by fours.
#const QUARTERS: u32

const RANK: u32 = 4u * QUARTERS;
const UP_TO: u32 = 0u;
const LOG_WEIGHT: u32 = 1u;
const RESIDUAL: u32 = 2u;
const EXTRA: u32 = 3u;
const MEAN: u32 = EXTRA + RANK;

fn component_at(component: u32) -> u32 {
    return 1u + component * (MEAN + SAMPLE_LENGTH);
}

fn variance_elsewhere(at: u32) -> f32 {
    return law[at + RESIDUAL] + law[0] * law[0];
}

fn extra(at: u32, quarter: u32) -> vec4<f32> {
    let first = at + EXTRA + 4u * quarter;
    return vec4<f32>(law[first], law[first + 1u], law[first + 2u], law[first + 3u]);
}
