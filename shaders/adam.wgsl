// Adam (Kingma & Ba 2015) with bias correction, decoupled weight decay (Loshchilov & Hutter 2019), clipping by the
// global norm (or division by it), and a moving average of the parameters. A gradient that is not finite changes nothing.
#import "shared/index.wgsl"
#import "shared/finite.wgsl"

#const COUNT: u32

struct Adam {
    rate: f32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    weight_decay: f32,
    // Largest norm; 0: no limit.
    gradient_clip: f32,
    average: f32,
    // 1 − βᵗ
    correction1: f32,
    correction2: f32,
    // Where the gradient's norm is in `norm`.
    norm_place: u32,
    // 1: the gradient is divided by its norm first.
    normalise: u32,
}

var<immediate> adam: Adam;
@group(0) @binding(0) var<storage, read> gradient: array<f32>;
@group(0) @binding(1) var<storage, read> norm: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(3) var<storage, read_write> first_moment: array<f32>;
@group(0) @binding(4) var<storage, read_write> second_moment: array<f32>;
@group(0) @binding(5) var<storage, read_write> averaged: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    let gradient_norm = norm[adam.norm_place];
    if i >= COUNT || !is_finite(gradient_norm) {
        return;
    }
    var length = gradient_norm;
    if adam.normalise == 1u {
        length = 1.0;
    }
    if adam.gradient_clip > 0.0 {
        length = min(length, adam.gradient_clip);
    }
    var scale = 1.0;
    if gradient_norm > 0.0 && length != gradient_norm {
        scale = length / gradient_norm;
    }
    let g = scale * gradient[i];
    let m = adam.beta1 * first_moment[i] + (1.0 - adam.beta1) * g;
    let v = adam.beta2 * second_moment[i] + (1.0 - adam.beta2) * g * g;
    first_moment[i] = m;
    second_moment[i] = v;
    let update = (m / adam.correction1) / (sqrt(v / adam.correction2) + adam.epsilon);
    let value = parameters[i] - adam.rate * (update + adam.weight_decay * parameters[i]);
    parameters[i] = value;
    averaged[i] = adam.average * averaged[i] + (1.0 - adam.average) * value;
}
