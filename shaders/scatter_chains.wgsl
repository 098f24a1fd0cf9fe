// Puts a batch of chains back into the replay buffer: chain i into slot order[first + i]. A slot occurs once in `order`.
#import "shared/index.wgsl"

#const CHAINS: u32
#const SAMPLE_LENGTH: u32
#const SLOTS: u32

var<immediate> first: u32;
@group(0) @binding(0) var<storage, read_write> replay: array<f32>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i < CHAINS * SAMPLE_LENGTH {
        let slot = min(order[(first + i / SAMPLE_LENGTH) % SLOTS], SLOTS - 1u);
        replay[slot * SAMPLE_LENGTH + i % SAMPLE_LENGTH] = x[i];
    }
}
