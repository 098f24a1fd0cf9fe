// The Metropolis test of samplers/jump.wgsl for proposals from a mixture, whose densities at proposals and states are
// given component by component: one invocation a chain.
#import "shared/finite.wgsl"
#import "shared/index.wgsl"
#import "shared/moment.wgsl"
#import "shared/philox.wgsl"

#const CHAINS: u32
#const SAMPLE_LENGTH: u32
#const COMPONENTS: u32
#const STREAM: u32

var<immediate> moment: Moment;
@group(0) @binding(0) var<storage, read> proposal: array<f32>;
@group(0) @binding(1) var<storage, read> proposal_energies: array<f32>;
@group(0) @binding(2) var<storage, read> proposal_densities: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> energies: array<f32>;
@group(0) @binding(5) var<storage, read_write> densities: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let chain = flat_group(group, groups) * 64u + local;
    if chain >= CHAINS {
        return;
    }
    // The largest term of both mixtures, so that no exponential overflows.
    var highest = vec2<f32>(-3e38);
    for (var k = 0u; k < COMPONENTS; k++) {
        let place = k * CHAINS + chain;
        highest = max(highest, vec2<f32>(densities[place], proposal_densities[place]));
    }
    var sums = vec2<f32>();
    for (var k = 0u; k < COMPONENTS; k++) {
        let place = k * CHAINS + chain;
        sums += exp(vec2<f32>(densities[place], proposal_densities[place]) - highest);
    }
    let log_densities = highest + log(sums);
    let rise = proposal_energies[chain] - energies[chain];
    let test = log_densities.x - log_densities.y - rise / moment.temperature;
    let word = philox(vec4<u32>(moment.first_chain + chain, 1u, moment.step, STREAM), moment.seed).x;
    if is_finite(test) && uniform01(word) < exp(min(test, 0.0)) {
        for (var i = 0u; i < SAMPLE_LENGTH; i++) {
            x[chain * SAMPLE_LENGTH + i] = proposal[chain * SAMPLE_LENGTH + i];
        }
        for (var k = 0u; k < COMPONENTS; k++) {
            densities[k * CHAINS + chain] = proposal_densities[k * CHAINS + chain];
        }
        energies[chain] = proposal_energies[chain];
    }
}
