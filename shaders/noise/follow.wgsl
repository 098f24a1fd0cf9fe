// An exponential moving average: follower ← follower + rate (leader − follower).
#import "shared/index.wgsl"

#const COUNT: u32

struct Follow {
    rate: f32,
}

var<immediate> follow: Follow;
@group(0) @binding(0) var<storage, read> leader: array<f32>;
@group(0) @binding(1) var<storage, read_write> follower: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i < COUNT {
        follower[i] += follow.rate * (leader[i] - follower[i]);
    }
}
