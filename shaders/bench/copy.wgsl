// What memory can do at most: `copied` = `source`, VECTORS vectors an invocation, a workgroup apart from one another.
#import "shared/index.wgsl"

#const COUNT: u32
#const VECTORS: u32

@group(0) @binding(0) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let first = flat_group(group, groups) * 64u * VECTORS + local;
    for (var v = 0u; v < VECTORS; v++) {
        let i = first + v * 64u;
        if i < COUNT {
            copied[i] = source[i];
        }
    }
}
