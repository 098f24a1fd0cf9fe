// The Metropolis test of an independence proposal (Tierney 1994): chain c takes the proposal y, drawn from a law q that
// does not look at the state x, with probability min(1, p(y) q(x) / (p(x) q(y))), p ∝ exp(−E / T), and by the uniform
// number of the counter (c, 1, step, stream). A test that is not finite is failed.
#import "shared/chain_sum.wgsl"
#import "shared/finite.wgsl"
#import "shared/moment.wgsl"
#import "shared/philox.wgsl"

#const CHAINS: u32
#const SAMPLE_LENGTH: u32
#const STREAM: u32
// Whether q is uniform on [A, B], or else Gaussian with mean A and standard deviation B, in every value.
#const UNIFORM: bool
#const A: f32
#const B: f32

var<immediate> moment: Moment;
@group(0) @binding(0) var<storage, read> proposal: array<f32>;
@group(0) @binding(1) var<storage, read> proposal_energies: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> energies: array<f32>;

// What value i adds to ln q(x) − ln q(y).
fn log_odds(i: u32) -> f32 {
#if UNIFORM
    // Outside the box q(x) is 0, and no proposal comes from there.
    return select(-1e30, 0.0, x[i] >= A && x[i] <= B);
#else
    return 0.5 / (B * B) * (proposal[i] - x[i]) * (proposal[i] + x[i] - 2.0 * A);
#endif
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let chain = chain_of(flat_group(group, groups), local);
    if chain >= CHAINS {
        return;
    }
    // Read before the sum, whose barriers keep it from being overwritten first.
    let rise = proposal_energies[chain] - energies[chain];
    var odds = 0.0;
    for (var e = first_of(local); e < SAMPLE_LENGTH; e += SHARERS) {
        odds += log_odds(chain * SAMPLE_LENGTH + e);
    }
    let test = chain_sum(odds, local) - rise / moment.temperature;
    let word = philox(vec4<u32>(moment.first_chain + chain, 1u, moment.step, STREAM), moment.seed).x;
    if is_finite(test) && uniform01(word) < exp(min(test, 0.0)) {
        for (var e = first_of(local); e < SAMPLE_LENGTH; e += SHARERS) {
            x[chain * SAMPLE_LENGTH + e] = proposal[chain * SAMPLE_LENGTH + e];
        }
        if first_of(local) == 0u {
            energies[chain] = proposal_energies[chain];
        }
    }
}
