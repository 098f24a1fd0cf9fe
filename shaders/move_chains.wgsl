// Takes a batch of chains out of the replay buffer or puts it back: chain i is slot order[first + i] there and row i of
// the batch. A slot occurs once in `order`.
#import "shared/index.wgsl"

#const CHAINS: u32
#const SAMPLE_LENGTH: u32
#const TURNS: u32
#const SLOTS: u32
#const TAKE_OUT: bool

var<immediate> first: u32;
@group(0) @binding(0) var<storage, read> order: array<u32>;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> moved: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i < CHAINS * SAMPLE_LENGTH {
        let slot = min(order[(first + i / SAMPLE_LENGTH) % TURNS], SLOTS - 1u);
        let place = slot * SAMPLE_LENGTH + i % SAMPLE_LENGTH;
#if TAKE_OUT
        moved[i] = source[place];
#else
        moved[place] = source[i];
#endif
    }
}
