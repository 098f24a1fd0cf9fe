// One record of every chain for the diagnostics: its energy, three projections, and how far it is from where it was.
// A projection is x · w with w ~ N(0, 1/length), the normal numbers of the counters (element, 3, 0, stream): (x · w)² has
// the mean of x² for its mean over all w.
#import "shared/chain_sum.wgsl"
#import "shared/philox.wgsl"

#const CHAINS: u32
#const SAMPLE_LENGTH: u32
#const STREAM: u32

struct Record {
    seed: vec2<u32>,
    number: u32,
}

const VALUES: u32 = 5u;

var<immediate> record: Record;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> before: array<f32>;
@group(0) @binding(2) var<storage, read> energies: array<f32>;
// (record, chain, value)
@group(0) @binding(3) var<storage, read_write> trace: array<f32>;

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
    var projections = vec3<f32>(0.0);
    var moved = 0.0;
    for (var e = first_of(local); e < SAMPLE_LENGTH; e += SHARERS) {
        let weights = normals_at(vec4<u32>(e, 3u, 0u, STREAM), record.seed).xyz;
        let i = chain * SAMPLE_LENGTH + e;
        projections += weights * x[i];
        moved += (x[i] - before[i]) * (x[i] - before[i]);
    }
    let scale = 1.0 / sqrt(f32(SAMPLE_LENGTH));
    let p0 = scale * chain_sum(projections.x, local);
    let p1 = scale * chain_sum(projections.y, local);
    let p2 = scale * chain_sum(projections.z, local);
    let distance = chain_sum(moved, local) / f32(SAMPLE_LENGTH);
    if first_of(local) == 0u {
        let at = (record.number * CHAINS + chain) * VALUES;
        trace[at] = energies[chain];
        trace[at + 1u] = p0;
        trace[at + 2u] = p1;
        trace[at + 3u] = p2;
        trace[at + 4u] = distance;
    }
}
