// The energy of an even mixture of components from the energies of each and their log-normalisers, up to one constant:
// E(x) = −ln (1/M Σ_j exp(c_j − E_j(x))), c_j = −log Z_j.
#import "shared/index.wgsl"

#const SAMPLES: u32

struct Mixture {
    components: u32,
}

var<immediate> mixture: Mixture;
// (component, sample).
@group(0) @binding(0) var<storage, read> components: array<f32>;
@group(0) @binding(1) var<storage, read> offsets: array<f32>;
@group(0) @binding(2) var<storage, read_write> energies: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let sample = flat_group(group, groups) * 64u + local;
    if sample >= SAMPLES {
        return;
    }
    // The largest exponent is taken out, so that nothing overflows.
    var largest = offsets[0] - components[sample];
    for (var j = 1u; j < mixture.components; j++) {
        largest = max(largest, offsets[j] - components[j * SAMPLES + sample]);
    }
    var sum = 0.0;
    for (var j = 0u; j < mixture.components; j++) {
        sum += exp(offsets[j] - components[j * SAMPLES + sample] - largest);
    }
    energies[sample] = -largest - log(sum / f32(mixture.components));
}
