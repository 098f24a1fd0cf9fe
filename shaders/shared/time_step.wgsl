// The time step ε of all chains in one step of Hamiltonian dynamics, from the step size ε²/2. It varies by up to JITTER of
// itself from step to step, so that no trajectory can be a whole period every time and lead back to where it began
// (Neal 2011, section 3.2). Its random number is that of the counter (0, 4, step, stream).
#import "shared/philox.wgsl"
#import "shared/moment.wgsl"

#const JITTER: f32

fn time_step(step_size: f32, moment: Moment, stream: u32) -> f32 {
    let word = philox(vec4<u32>(0u, 4u, moment.step, stream), moment.seed).x;
    return sqrt(2.0 * step_size) * (1.0 + JITTER * (2.0 * uniform01(word) - 1.0));
}
