// What the multipliers can do at most: a <- a * factor + term in registers, over ACCUMULATORS independent vectors an
// invocation, so that one does not wait for another. `factor` and `term` come from outside and the sums are stored, so
// that no compiler can shorten it. Written out, since software drivers do not unroll (see `#repeat`).
#import "shared/index.wgsl"

#const ACCUMULATORS: u32
#const ROUNDS: u32
// Updates of every accumulator in a round.
#const UPDATES: u32

struct Update {
    factor: f32,
    term: f32,
}

var<immediate> update: Update;
@group(0) @binding(0) var<storage, read_write> sums: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let factor = vec4<f32>(update.factor);
    let term = vec4<f32>(update.term);
    let start = vec4<f32>(f32(local)) + vec4<f32>(0.0, 0.25, 0.5, 0.75);
#repeat k ACCUMULATORS
    var a$k = start + f32($k);
#end
    for (var round = 0u; round < ROUNDS; round++) {
#repeat u UPDATES
#repeat k ACCUMULATORS
        a$k = fma(a$k, factor, term);
#end
#end
    }
    var sum = vec4<f32>(0.0);
#repeat k ACCUMULATORS
    sum += a$k;
#end
    sums[flat_group(group, groups) * 64u + local] = sum;
}
