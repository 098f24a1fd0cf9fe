// Sums over windows that tile a map, times a factor, in maps of this family: average pooling and global sum pooling. With
// SKIP the end of a residual block, act(factor · Σ (input + skip)). One invocation an output.
#import "shared/pooling.wgsl"
#import "shared/activation.wgsl"
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
#const SKIP: bool
#const STORE_DERIVATIVE: bool
// Columns that a turn of the inner loop takes, since drivers may bound the turns (`gpu::MOST_TURNS`).
#const STEPS: u32
#const SEVERAL: bool

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
#if SKIP
#const SKIP_HEIGHT: u32
#const SKIP_WIDTH: u32
#const SKIP_Y: u32
#const SKIP_X: u32
@group(0) @binding(2) var<storage, read> skip: array<f32>;
#endif
#if STORE_DERIVATIVE
@group(0) @binding(3) var<storage, read_write> derivative: array<f32>;
#endif

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i >= GROUPS * CHANNELS * SMALL_AREA * GROUP {
        return;
    }
    let lane = i % GROUP;
    let place = i / GROUP;
    let y = place / SMALL_MAP_WIDTH % SMALL_MAP_HEIGHT;
    let x = place % SMALL_MAP_WIDTH;
    let channel = place / SMALL_AREA % CHANNELS;
    let sample_group = place / (SMALL_AREA * CHANNELS);
    let corner = vec2<u32>(x * WINDOW_WIDTH, y * WINDOW_HEIGHT);
    let source = lane + lanes_place(
        sample_group, CHANNELS, channel, IN_HEIGHT, corner.y + IN_Y, IN_WIDTH, corner.x + IN_X,
    );
#if SKIP
    let skip_from = lane + lanes_place(
        sample_group, CHANNELS, channel, SKIP_HEIGHT, corner.y + SKIP_Y, SKIP_WIDTH, corner.x + SKIP_X,
    );
#endif
    var sum = 0.0;
    for (var row = 0u; row < WINDOW_HEIGHT; row++) {
        for (var first = 0u; first < WINDOW_WIDTH; first += STEPS) {
#repeat s STEPS
#if SEVERAL
            if first + $s < WINDOW_WIDTH
#endif
            {
                sum += input[source + (row * IN_WIDTH + first + $s) * GROUP];
#if SKIP
                sum += skip[skip_from + (row * SKIP_WIDTH + first + $s) * GROUP];
#endif
            }
#end
        }
    }
    let z = vec4<f32>(FACTOR * sum);
    let to = lane + lanes_place(sample_group, CHANNELS, channel, OUT_HEIGHT, y + OUT_Y, OUT_WIDTH, x + OUT_X);
    output[to] = activation_value(z).x;
#if STORE_DERIVATIVE
    derivative[to] = activation_derivative(z).x;
#endif
}
