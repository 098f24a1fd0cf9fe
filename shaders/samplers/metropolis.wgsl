// The Metropolis test of every chain (Metropolis et al. 1953; Duane et al. 1987): accepted with probability
// min(1, exp(−ΔH / T)), H = E + |v|² / 2. Chain c takes the uniform number of the counter (c, 1, step, stream), which no
// normal number takes. A proposal whose ΔH is not finite is rejected.
//
// ΔH is a sum of differences: |v′|² − |v|² as Σ (v′ − v)(v′ + v), term by term, since the two are alike.
#import "shared/chain_sum.wgsl"
#import "shared/finite.wgsl"
#import "shared/time_step.wgsl"

#const CHAINS: u32
#const SAMPLE_LENGTH: u32
#const STREAM: u32
#const KICK: f32

var<immediate> moment: Moment;
@group(0) @binding(0) var<storage, read> control: array<f32>;
// The velocity that was drawn, and the one before its last kick, of KICK · ε.
@group(0) @binding(1) var<storage, read> drawn: array<f32>;
@group(0) @binding(2) var<storage, read> velocity: array<f32>;
@group(0) @binding(3) var<storage, read> proposal_gradient: array<f32>;
@group(0) @binding(4) var<storage, read> proposal_energies: array<f32>;
@group(0) @binding(5) var<storage, read_write> energies: array<f32>;
// Of every chain the probability, and 1 where the proposal was accepted.
@group(0) @binding(6) var<storage, read_write> tests: array<vec2<f32>>;

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
    let time = time_step(control[0], moment, STREAM);
    var kinetic = 0.0;
    for (var e = first_of(local); e < SAMPLE_LENGTH; e += SHARERS) {
        let i = chain * SAMPLE_LENGTH + e;
        let last = velocity[i] - KICK * time * proposal_gradient[i];
        kinetic += 0.5 * (last - drawn[i]) * (last + drawn[i]);
    }
    let kinetic_change = chain_sum(kinetic, local);
    if first_of(local) == 0u {
        let change = proposal_energies[chain] - energies[chain] + kinetic_change;
        var probability = 0.0;
        if is_finite(change) {
            probability = exp(min(-change / moment.temperature, 0.0));
        }
        let word = philox(vec4<u32>(moment.first_chain + chain, 1u, moment.step, STREAM), moment.seed).x;
        let accepted = uniform01(word) < probability;
        tests[chain] = vec2<f32>(probability, select(0.0, 1.0, accepted));
        if accepted {
            energies[chain] = proposal_energies[chain];
        }
    }
}
