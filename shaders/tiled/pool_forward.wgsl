// Sums over windows that tile a map, times a factor: average pooling and global sum pooling. With SKIP the end of a
// residual block, act(factor · Σ (input + skip)). One invocation an output.
#import "shared/pooling.wgsl"
#import "shared/activation.wgsl"

#const CHANNELS: u32
#const SKIP: bool
#const STORE_DERIVATIVE: bool
// Columns that a turn of the inner loop takes, since drivers may bound the turns (`gpu::MOST_TURNS`).
#const STEPS: u32
#const SEVERAL: bool

var<immediate> samples: u32;
@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
#if SKIP
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
    if i >= samples * CHANNELS * SMALL_AREA {
        return;
    }
    let y = i % SMALL_AREA / SMALL_MAP_WIDTH * WINDOW_HEIGHT;
    let x = i % SMALL_MAP_WIDTH * WINDOW_WIDTH;
    let corner = (i / SMALL_AREA * LARGE_MAP_HEIGHT + y) * LARGE_MAP_WIDTH + x;
    var sum = 0.0;
    for (var row = 0u; row < WINDOW_HEIGHT; row++) {
        for (var first = 0u; first < WINDOW_WIDTH; first += STEPS) {
#repeat s STEPS
#if SEVERAL
            if first + $s < WINDOW_WIDTH
#endif
            {
                let place = corner + row * LARGE_MAP_WIDTH + first + $s;
                sum += input[place];
#if SKIP
                sum += skip[place];
#endif
            }
#end
        }
    }
    let z = vec4<f32>(FACTOR * sum);
    output[i] = activation_value(z).x;
#if STORE_DERIVATIVE
    derivative[i] = activation_derivative(z).x;
#endif
}
