// Copies a batch of feature maps from a flat (sample, channel, row, column) buffer into a plane.
#import "shared/index.wgsl"
#import "shared/plane.wgsl"

#const SAMPLES: u32
#const CHANNELS: u32
#const MAP_WIDTH: u32
#const MAP_HEIGHT: u32
#const FORMAT: format
#const GROUPS: u32
#const WIDTH: u32
#const HEIGHT: u32
#const PER_ROW: u32
#const X: u32
#const Y: u32
// Texels of a row, of a plane in a buffer.
#const IN_BUFFER: bool
#const ROW: u32

@group(0) @binding(0) var<storage, read> flat_maps: array<f32>;
#if IN_BUFFER
@group(0) @binding(1) var<storage, read_write> plane: array<vec4<f32>>;
#else
@group(0) @binding(1) var plane: texture_storage_2d<$FORMAT, write>;
#endif

const AREA: u32 = MAP_WIDTH * MAP_HEIGHT;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i >= SAMPLES * GROUPS * AREA {
        return;
    }
    let place = i % AREA;
    let channel_group = i / AREA % GROUPS;
    let sample = i / (AREA * GROUPS);
    var value: vec4<f32>;
    for (var c = 0u; c < 4u; c++) {
        if channel_group * 4u + c < CHANNELS {
            value[c] = flat_maps[(sample * CHANNELS + channel_group * 4u + c) * AREA + place];
        }
    }
    let texel = plane_corner(sample, channel_group, GROUPS, WIDTH, HEIGHT, PER_ROW)
        + vec2<u32>(X + place % MAP_WIDTH, Y + place / MAP_WIDTH);
#if IN_BUFFER
    plane[texel.y * ROW + texel.x] = value;
#else
    textureStore(plane, texel, to_$FORMAT(value));
#endif
}
