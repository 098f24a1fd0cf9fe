// The global norm of the gradient in two launches: PARTS partial sums of squares, then (FINAL) the root of their sum.
#import "shared/reduce.wgsl"

#const COUNT: u32
#const PARTS: u32
#const FINAL: bool

// Where the norm goes.
var<immediate> place: u32;
#if FINAL
@group(0) @binding(0) var<storage, read> partial_sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> norm: array<f32>;
#else
@group(0) @binding(0) var<storage, read> gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> partial_sums: array<f32>;
#endif

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    var sum = 0.0;
#if FINAL
    for (var i = local; i < PARTS; i += 64u) {
        sum += partial_sums[i];
    }
#else
    for (var i = group.x * 64u + local; i < COUNT; i += PARTS * 64u) {
        sum += gradient[i] * gradient[i];
    }
#endif
    let total = workgroup_sum(sum, local);
    if local == 0u {
#if FINAL
        norm[place] = sqrt(total);
#else
        partial_sums[group.x] = total;
#endif
    }
}
