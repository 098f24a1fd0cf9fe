// Σₙ factor[n] · ∂Eₙ/∂b of GROUP output channels a workgroup, over some groups of samples: lanes over samples, and then over channels.
#import "shared/lanes_reduce.wgsl"

#const SAMPLES: u32
#const IN_CHANNELS: u32
#const IN_HEIGHT: u32
#const IN_WIDTH: u32
#const IN_Y: u32
#const IN_X: u32
#const IN_MAP_HEIGHT: u32
#const IN_MAP_WIDTH: u32

struct Slice {
    first_group: u32,
    groups: u32,
    // Where the biases of its share begin.
    to: u32,
}

var<immediate> slice: Slice;
@group(0) @binding(0) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(1) var<storage, read> factor: array<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;

const PIXELS: u32 = IN_MAP_HEIGHT * IN_MAP_WIDTH;

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    lanes_begin();
    var sums: array<f32, GROUP>;
#repeat c GROUP
    sums[$c] = 0.0;
#end
    for (var turn = 0u; turn < slice.groups * PIXELS; turn++) {
        let sample_group = slice.first_group + turn / PIXELS;
        let pixel = turn % PIXELS;
        let sample = sample_group * GROUP + lane;
        let scale = select(0.0, factor[min(sample, SAMPLES - 1u)], sample < SAMPLES);
#repeat c GROUP
        let place$c = lane + lanes_place(
            sample_group, IN_CHANNELS, min(group.x * GROUP + $c, IN_CHANNELS - 1u),
            IN_HEIGHT, pixel / IN_MAP_WIDTH + IN_Y, IN_WIDTH, pixel % IN_MAP_WIDTH + IN_X,
        );
        sums[$c] = fma(scale, output_gradient[place$c], sums[$c]);
#end
    }
#repeat c GROUP
    shared_sums[$c * GROUP + lane] = sums[$c];
#end
    workgroupBarrier();
    let channel = group.x * GROUP + lane;
    if channel < IN_CHANNELS {
        partials[slice.to + channel] = shared_total(lane);
    }
}
