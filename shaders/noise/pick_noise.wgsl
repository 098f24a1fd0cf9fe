// The noise of a step: of every chain of a pass the state that one of the passes since the refresh left, each as likely.
#import "shared/index.wgsl"
#import "shared/philox.wgsl"
#import "shared/pool.wgsl"

#const CHAINS: u32
#const SAMPLE_LENGTH: u32
#const PASSES: u32
#const STREAM: u32

struct Pick {
    seed: vec2<u32>,
    step: u32,
    // Where the noise begins among the samples.
    first: u32,
}

var<immediate> pick: Pick;
@group(0) @binding(0) var<storage, read> pool: Pool;
// (pass, chain, value), pass n at n modulo PASSES.
@group(0) @binding(1) var<storage, read> kept: array<f32>;
@group(0) @binding(2) var<storage, read_write> samples: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i >= CHAINS * SAMPLE_LENGTH {
        return;
    }
    let moved = select(0u, 1u, pool.due != 0u);
    let valid = clamp(pool.valid + moved, 1u, PASSES);
    let chain = i / SAMPLE_LENGTH;
    let word = philox(vec4<u32>(chain, 0u, pick.step, STREAM), pick.seed).x;
    // How many passes before the newest one; as likely as one another to a few in 2³².
    let back = multiply_high(word, valid);
    let pass_number = pool.passes + moved - 1u - back;
    samples[pick.first + i] = kept[(pass_number % PASSES) * (CHAINS * SAMPLE_LENGTH) + i];
}
