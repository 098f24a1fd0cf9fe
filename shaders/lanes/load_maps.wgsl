// Copies a batch of feature maps from a flat (sample, channel, row, column) buffer into maps of this family. The samples that
// fill up the last group become zeros, so that nothing computed from them is worse than the parameters make it.
#import "shared/index.wgsl"
#import "shared/lanes_values.wgsl"

#const SAMPLES: u32
#const GROUPS: u32
#const CHANNELS: u32
#const HEIGHT: u32
#const WIDTH: u32
#const Y: u32
#const X: u32
#const MAP_HEIGHT: u32
#const MAP_WIDTH: u32

@group(0) @binding(0) var<storage, read> flat_maps: array<f32>;
@group(0) @binding(1) var<storage, read_write> maps: array<f32>;

const VALUES: u32 = CHANNELS * MAP_HEIGHT * MAP_WIDTH;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i >= GROUPS * VALUES * GROUP {
        return;
    }
    let lane = i % GROUP;
    let value = i / GROUP % VALUES;
    let sample_group = i / (GROUP * VALUES);
    let sample = sample_group * GROUP + lane;
    let exists = sample < SAMPLES;
    let place = value_place(value, vec2<u32>(MAP_HEIGHT, MAP_WIDTH), vec2<u32>(HEIGHT, WIDTH), vec2<u32>(Y, X));
    maps[sample_group * CHANNELS * HEIGHT * WIDTH * GROUP + place + lane] =
        select(0.0, flat_maps[select(0u, sample * VALUES + value, exists)], exists);
}
