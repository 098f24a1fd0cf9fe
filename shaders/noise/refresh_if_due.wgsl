// φ ← θ, and c back to 0, if the state says that a refresh is due.
#import "shared/index.wgsl"

#const COUNT: u32
#const NORMALISER_WORDS: u32

// Whether a refresh is due, and the snapshot's age in the last step.
@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read> live: array<f32>;
@group(0) @binding(2) var<storage, read_write> snapshot: array<f32>;
@group(0) @binding(3) var<storage, read_write> normaliser: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    if state[0] == 0u {
        return;
    }
    let i = flat_group(group, groups) * 64u + local;
    if i < COUNT {
        snapshot[i] = live[i];
    }
    if i < NORMALISER_WORDS {
        normaliser[i] = 0.0;
    }
}
