// After every step: the mean acceptance probability of all chains moves the step size (ADAPT; Robbins & Monro 1951),
// or is counted. control is the step size ε²/2, the sum of the counted acceptances and their number, and the number of
// steps that adapted.
#import "shared/reduce.wgsl"

#const CHAINS: u32
#const ADAPT: bool
#const TARGET: f32
// How far ln(ε²/2) moves per unit of acceptance that is missing: GAIN at first, half of it after HALF steps, a third after
// two times as many, and never less than LEAST, so that it follows an energy that changes.
#const GAIN: f32
#const HALF: f32
#const LEAST: f32
// The step size stays between these, so that it remains a number however the energy behaves.
#const SMALLEST: f32
#const LARGEST: f32

@group(0) @binding(0) var<storage, read> tests: array<vec2<f32>>;
@group(0) @binding(1) var<storage, read_write> control: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
    var sum = 0.0;
    for (var chain = local; chain < CHAINS; chain += 64u) {
        sum += tests[chain].x;
    }
    let mean = workgroup_sum(sum, local) / f32(CHAINS);
    if local == 0u {
#if ADAPT
        let gain = max(GAIN / (1.0 + control[3] / HALF), LEAST);
        control[0] = clamp(control[0] * exp(gain * (mean - TARGET)), SMALLEST, LARGEST);
        control[3] += 1.0;
#else
        control[1] += mean;
        control[2] += 1.0;
#endif
    }
}
