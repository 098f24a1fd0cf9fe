// Draws from a mixture of Gaussians (src/kernels/samplers/mixture.rs), for each chain one, by one workgroup: of component k,
// taken by the uniform number of the counter (chain, 2, step, stream), mean + D √e ζ + s η, where D are its directions, e
// what it has along each more than elsewhere, s² its variance elsewhere, and ζ and η the normals of the counters from
// (chain, 3, step, stream) on.
#import "shared/index.wgsl"
#import "shared/mixture.wgsl"
#import "shared/moment.wgsl"
#import "shared/philox.wgsl"

#const CHAINS: u32
#const STREAM: u32

const BLOCKS: u32 = (RANK + SAMPLE_LENGTH + 3u) / 4u;

var<immediate> moment: Moment;
@group(0) @binding(0) var<storage, read> law: array<f32>;
@group(0) @binding(1) var<storage, read> directions: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> proposal: array<f32>;

// ζ, scaled by √e, and then η.
var<workgroup> drawn: array<vec4<f32>, BLOCKS>;

fn component_of(u: f32) -> u32 {
    for (var k = 0u; k + 1u < COMPONENTS; k++) {
        if u < law[component_at(k) + UP_TO] {
            return k;
        }
    }
    return COMPONENTS - 1u;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let flat = flat_group(group, groups);
    let number = moment.first_chain + flat;
    let component = component_of(uniform01(philox(vec4<u32>(number, 2u, moment.step, STREAM), moment.seed).x));
    let at = component_at(component);
    if local < BLOCKS {
        var normals = normals_at(vec4<u32>(number, 3u + local, moment.step, STREAM), moment.seed);
        if local < QUARTERS {
            normals *= sqrt(extra(at, local));
        }
        drawn[local] = normals;
    }
    workgroupBarrier();
    if flat >= CHAINS {
        return;
    }
    let elsewhere = sqrt(variance_elsewhere(at));
    for (var i = local; i < SAMPLE_LENGTH; i += 64u) {
        let eta = drawn[QUARTERS + i / 4u][i % 4u];
        var value = law[at + MEAN + i] + elsewhere * eta;
        for (var q = 0u; q < QUARTERS; q++) {
            value += dot(directions[(component * SAMPLE_LENGTH + i) * QUARTERS + q], drawn[q]);
        }
        proposal[flat * SAMPLE_LENGTH + i] = value;
    }
}
