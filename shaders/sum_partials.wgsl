// gradient[first + i] = Σₖ partials[k][i], k in order; with ACCUMULATE, that sum is added to what is there.
#import "shared/index.wgsl"

#const PARTS: u32
#const LENGTH: u32
#const ACCUMULATE: bool

var<immediate> first: u32;
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i < LENGTH {
        var sum = 0.0;
        for (var part = 0u; part < PARTS; part++) {
            sum += partials[part * LENGTH + i];
        }
#if ACCUMULATE
        gradient[first + i] += sum;
#else
        gradient[first + i] = sum;
#endif
    }
}
