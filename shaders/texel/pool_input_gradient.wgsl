// The gradient of the energy in the input of a pooling: factor times the gradient in the output of a value's window,
// none where it fills no window, plus with ADD what another way brings, times the derivative of the layer before. One
// invocation an input texel of four channels.
#import "shared/pooling_planes.wgsl"

#const ADD: bool
#const ADD_FORMAT: format
#const ADD_WIDTH: u32
#const ADD_HEIGHT: u32
#const ADD_PER_ROW: u32
#const ADD_X: u32
#const ADD_Y: u32

@group(0) @binding(0) var output_gradient: texture_storage_2d<$IN_FORMAT, read>;
@group(0) @binding(1) var input_gradient: texture_storage_2d<$OUT_FORMAT, write>;
#if ADD
@group(0) @binding(2) var added: texture_storage_2d<$ADD_FORMAT, read>;
#endif
#import "shared/kept_derivative.wgsl"

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i >= SAMPLES * GROUPS * LARGE_AREA {
        return;
    }
    let place = vec2<u32>(i % LARGE_MAP_WIDTH, i % LARGE_AREA / LARGE_MAP_WIDTH);
    let channel_group = i / LARGE_AREA % GROUPS;
    let sample = i / (LARGE_AREA * GROUPS);
    let window = place / vec2<u32>(WINDOW_WIDTH, WINDOW_HEIGHT);
    var value = vec4<f32>(0.0);
    if window.x < SMALL_MAP_WIDTH && window.y < SMALL_MAP_HEIGHT {
        value = FACTOR * textureLoad(output_gradient, in_texel(sample, channel_group, window));
    }
#if ADD
    value += textureLoad(
        added,
        plane_corner(sample, channel_group, GROUPS, ADD_WIDTH, ADD_HEIGHT, ADD_PER_ROW)
            + vec2<u32>(ADD_X, ADD_Y) + place,
    );
#endif
#if DERIVATIVE
    value *= kept_derivative(derivative_corner(sample, channel_group, GROUPS) + place);
#endif
    let to = out_texel(sample, channel_group, place);
    textureStore(input_gradient, to, to_$OUT_FORMAT(value));
}
