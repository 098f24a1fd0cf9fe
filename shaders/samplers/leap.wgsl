// Velocity and position of a Hamiltonian proposal, up to its next gradient: a kick of KICK · ε by the gradient at hand and
// a move of MOVE · ε (src/kernels/samplers/integrator.rs). control[0] is the step size, from which shared/time_step.wgsl
// makes ε. With FIRST the velocity is drawn at the temperature, and the proposal leaves from x. The kick at the end belongs
// to samplers/metropolis.wgsl.
#import "shared/index.wgsl"
#import "shared/time_step.wgsl"

#const COUNT: u32
#const SAMPLE_LENGTH: u32
#const STREAM: u32
#const KICK: f32
#const MOVE: f32
#const FIRST: bool

var<immediate> moment: Moment;
@group(0) @binding(0) var<storage, read> control: array<f32>;
@group(0) @binding(1) var<storage, read_write> velocity: array<f32>;
@group(0) @binding(2) var<storage, read_write> proposal: array<f32>;
// At x with FIRST, else at the proposal.
@group(0) @binding(3) var<storage, read> gradient: array<f32>;
#if FIRST
@group(0) @binding(4) var<storage, read> x: array<f32>;
@group(0) @binding(5) var<storage, read_write> drawn: array<f32>;
#endif

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let first_element = moment.first_chain * SAMPLE_LENGTH;
    let block = first_element / 4u + flat_group(group, groups) * 64u + local;
    let time = time_step(control[0], moment, STREAM);
#if FIRST
    let xi = sqrt(moment.temperature) * normals(moment.seed, STREAM, moment.step, block);
#endif
    for (var k = 0u; k < 4u; k++) {
        let element = block * 4u + k;
        if element >= first_element && element - first_element < COUNT {
            let i = element - first_element;
#if FIRST
            drawn[i] = xi[k];
            let kicked = xi[k] - KICK * time * gradient[i];
            proposal[i] = x[i] + MOVE * time * kicked;
#else
            let kicked = velocity[i] - KICK * time * gradient[i];
            proposal[i] += MOVE * time * kicked;
#endif
            velocity[i] = kicked;
        }
    }
}
