// The gradient of the energy in the input of a pooling: factor times the gradient in the output of a value's window,
// none where it fills no window, plus with ADD what another way brings, times the derivative of the layer before. One
// invocation an input.
#import "shared/pooling.wgsl"

#const CHANNELS: u32
#const ADD: bool
#const DERIVATIVE: bool

var<immediate> samples: u32;
@group(0) @binding(0) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> input_gradient: array<f32>;
#if ADD
@group(0) @binding(2) var<storage, read> added: array<f32>;
#if DERIVATIVE
@group(0) @binding(3) var<storage, read> derivative: array<f32>;
#endif
#else
#if DERIVATIVE
@group(0) @binding(2) var<storage, read> derivative: array<f32>;
#endif
#endif

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i >= samples * CHANNELS * LARGE_AREA {
        return;
    }
    let y = i % LARGE_AREA / LARGE_MAP_WIDTH / WINDOW_HEIGHT;
    let x = i % LARGE_MAP_WIDTH / WINDOW_WIDTH;
    var value = 0.0;
    if y < SMALL_MAP_HEIGHT && x < SMALL_MAP_WIDTH {
        value = FACTOR * output_gradient[(i / LARGE_AREA * SMALL_MAP_HEIGHT + y) * SMALL_MAP_WIDTH + x];
    }
#if ADD
    value += added[i];
#endif
#if DERIVATIVE
    value *= derivative[i];
#endif
    input_gradient[i] = value;
}
