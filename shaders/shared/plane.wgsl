// A plane is an image that holds a batch of feature maps: four channels a texel, a zero border (the halo) around
// each map, the channel groups of a sample side by side, and `per_row` samples to a row of samples.

// The texel of the top left corner, border included, of channel group `group` of `sample`.
fn plane_corner(sample: u32, group: u32, groups: u32, width: u32, height: u32, per_row: u32) -> vec2<u32> {
    return vec2<u32>(((sample % per_row) * groups + group) * width, (sample / per_row) * height);
}
