// Sums over windows that tile a map, times a factor: average pooling and global sum pooling. With SKIP the end of a
// residual block, act(factor · Σ (input + skip)). One invocation an output texel of four channels.
#import "shared/pooling_planes.wgsl"
#import "shared/activation.wgsl"

#const SKIP: bool
#const SKIP_FORMAT: format
#const SKIP_WIDTH: u32
#const SKIP_HEIGHT: u32
#const SKIP_PER_ROW: u32
#const SKIP_X: u32
#const SKIP_Y: u32
// Columns that a turn of the inner loop takes, since drivers may bound the turns (`gpu::MOST_TURNS`).
#const STEPS: u32
#const SEVERAL: bool

@group(0) @binding(0) var input: texture_storage_2d<$IN_FORMAT, read>;
@group(0) @binding(1) var output: texture_storage_2d<$OUT_FORMAT, write>;
#if SKIP
@group(0) @binding(2) var skip: texture_storage_2d<$SKIP_FORMAT, read>;
#endif
#import "shared/keep_derivative.wgsl"

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i >= SAMPLES * GROUPS * SMALL_AREA {
        return;
    }
    let place = vec2<u32>(i % SMALL_MAP_WIDTH, i % SMALL_AREA / SMALL_MAP_WIDTH);
    let channel_group = i / SMALL_AREA % GROUPS;
    let sample = i / (SMALL_AREA * GROUPS);
    let window = place * vec2<u32>(WINDOW_WIDTH, WINDOW_HEIGHT);
    let start = in_texel(sample, channel_group, window);
#if SKIP
    let skip_start = plane_corner(sample, channel_group, GROUPS, SKIP_WIDTH, SKIP_HEIGHT, SKIP_PER_ROW)
        + vec2<u32>(SKIP_X, SKIP_Y) + window;
#endif
    var sum = vec4<f32>(0.0);
    for (var row = 0u; row < WINDOW_HEIGHT; row++) {
        for (var first = 0u; first < WINDOW_WIDTH; first += STEPS) {
#repeat s STEPS
#if SEVERAL
            if first + $s < WINDOW_WIDTH
#endif
            {
                sum += textureLoad(input, start + vec2<u32>(first + $s, row));
#if SKIP
                sum += textureLoad(skip, skip_start + vec2<u32>(first + $s, row));
#endif
            }
#end
        }
    }
    let z = FACTOR * sum;
    let to = out_texel(sample, channel_group, place);
    textureStore(output, to, to_$OUT_FORMAT(activation_value(z)));
#if STORE_DERIVATIVE
    keep_derivative(to, activation_derivative(z));
#endif
}
