// What the poolings of planes share: both maps, the one that is read and the one that is written.
#import "shared/pooling.wgsl"
#import "shared/plane.wgsl"

#const SAMPLES: u32
#const GROUPS: u32
#const IN_FORMAT: format
#const IN_WIDTH: u32
#const IN_HEIGHT: u32
#const IN_PER_ROW: u32
#const IN_X: u32
#const IN_Y: u32
#const OUT_FORMAT: format
#const OUT_WIDTH: u32
#const OUT_HEIGHT: u32
#const OUT_PER_ROW: u32
#const OUT_X: u32
#const OUT_Y: u32

// Where a place of the map that is read lies in its plane.
fn in_texel(sample: u32, channel_group: u32, place: vec2<u32>) -> vec2<u32> {
    return plane_corner(sample, channel_group, GROUPS, IN_WIDTH, IN_HEIGHT, IN_PER_ROW)
        + vec2<u32>(IN_X, IN_Y) + place;
}

// And of the map that is written.
fn out_texel(sample: u32, channel_group: u32, place: vec2<u32>) -> vec2<u32> {
    return plane_corner(sample, channel_group, GROUPS, OUT_WIDTH, OUT_HEIGHT, OUT_PER_ROW)
        + vec2<u32>(OUT_X, OUT_Y) + place;
}
