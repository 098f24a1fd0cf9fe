// Kinetic Langevin dynamics, dv = −∇E dt − γ v dt + √(2γT) dW, dx = v dt, in BAOAB steps (Leimkuhler & Matthews 2013):
// half a kick, half a drift, friction and noise, half a drift, half a kick. The last half kick of a step and the first
// of the next use one gradient, so they are one: a step begins with a whole kick, and BEGIN, which draws the velocity
// at the temperature, takes half of the first one back.
//
// Element e takes the normal number e of (seed, stream, step); BEGIN, those of the counters (block, 2, step, stream).
#import "shared/index.wgsl"
#import "shared/philox.wgsl"
#import "shared/moment.wgsl"

#const COUNT: u32
#const SAMPLE_LENGTH: u32
#const STREAM: u32
#const BEGIN: bool
// ε; and exp(−γε), √(1 − exp(−2γε)).
#const TIME: f32
#const DECAY: f32
#const SPREAD: f32

var<immediate> moment: Moment;
@group(0) @binding(0) var<storage, read> gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> velocity: array<f32>;
#if BEGIN
#else
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
#endif

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let first_element = moment.first_chain * SAMPLE_LENGTH;
    let block = first_element / 4u + flat_group(group, groups) * 64u + local;
#if BEGIN
    let xi = sqrt(moment.temperature) * normals_at(vec4<u32>(block, 2u, moment.step, STREAM), moment.seed);
#else
    let xi = sqrt(moment.temperature) * normals(moment.seed, STREAM, moment.step, block);
#endif
    for (var k = 0u; k < 4u; k++) {
        let element = block * 4u + k;
        if element >= first_element && element - first_element < COUNT {
            let i = element - first_element;
#if BEGIN
            velocity[i] = xi[k] + 0.5 * TIME * gradient[i];
#else
            let kicked = velocity[i] - TIME * gradient[i];
            let turned = DECAY * kicked + SPREAD * xi[k];
            x[i] += 0.5 * TIME * (kicked + turned);
            velocity[i] = turned;
#endif
        }
    }
}
