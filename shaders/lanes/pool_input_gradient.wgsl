// The gradient of the energy in the input of a pooling, in maps of this family: factor times the gradient in the output of a
// value's window, none where it fills no window, plus with ADD what another way brings, times the derivative of the
// layer before. One invocation an input.
#import "shared/pooling.wgsl"
#import "shared/lanes.wgsl"

#const GROUPS: u32
#const CHANNELS: u32
#const IN_HEIGHT: u32
#const IN_WIDTH: u32
#const IN_Y: u32
#const IN_X: u32
#const OUT_HEIGHT: u32
#const OUT_WIDTH: u32
#const OUT_Y: u32
#const OUT_X: u32
#const ADD: bool
#const DERIVATIVE: bool

@group(0) @binding(0) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> input_gradient: array<f32>;
#if ADD
#const ADD_HEIGHT: u32
#const ADD_WIDTH: u32
#const ADD_Y: u32
#const ADD_X: u32
@group(0) @binding(2) var<storage, read> added: array<f32>;
#endif
#if DERIVATIVE
#const DERIVATIVE_HEIGHT: u32
#const DERIVATIVE_WIDTH: u32
#const DERIVATIVE_Y: u32
#const DERIVATIVE_X: u32
#if ADD
@group(0) @binding(3) var<storage, read> derivative: array<f32>;
#else
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
    if i >= GROUPS * CHANNELS * LARGE_AREA * GROUP {
        return;
    }
    let lane = i % GROUP;
    let place = i / GROUP;
    let y = place / LARGE_MAP_WIDTH % LARGE_MAP_HEIGHT;
    let x = place % LARGE_MAP_WIDTH;
    let channel = place / LARGE_AREA % CHANNELS;
    let sample_group = place / (LARGE_AREA * CHANNELS);
    let window = vec2<u32>(x / WINDOW_WIDTH, y / WINDOW_HEIGHT);
    var value = 0.0;
    if window.x < SMALL_MAP_WIDTH && window.y < SMALL_MAP_HEIGHT {
        value = FACTOR * output_gradient[lane + lanes_place(
            sample_group, CHANNELS, channel, IN_HEIGHT, window.y + IN_Y, IN_WIDTH, window.x + IN_X,
        )];
    }
#if ADD
    value += added[lane + lanes_place(
        sample_group, CHANNELS, channel, ADD_HEIGHT, y + ADD_Y, ADD_WIDTH, x + ADD_X,
    )];
#endif
#if DERIVATIVE
    value *= derivative[lane + lanes_place(
        sample_group, CHANNELS, channel, DERIVATIVE_HEIGHT, y + DERIVATIVE_Y, DERIVATIVE_WIDTH, x + DERIVATIVE_X,
    )];
#endif
    input_gradient[lane + lanes_place(
        sample_group, CHANNELS, channel, OUT_HEIGHT, y + OUT_Y, OUT_WIDTH, x + OUT_X,
    )] = value;
}
