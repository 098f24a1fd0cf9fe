// A plane is an image that holds a batch of feature maps: four channels a texel, a zero border (the halo) around
// each map, the channel groups of a sample side by side, and `per_row` samples to a row of samples.

// The texel of the top left corner, border included, of channel group `group` of `sample`.
fn plane_corner(sample: u32, group: u32, groups: u32, width: u32, height: u32, per_row: u32) -> vec2<u32> {
    return vec2<u32>(((sample % per_row) * groups + group) * width, (sample / per_row) * height);
}

// What to store so that the image keeps `value` as well as its format can. Drivers may cut f16s off towards zero, which
// would shrink every map a little, and store 65504 for what is larger, which would hide that it overflowed: so this
// rounds to the nearest of 11 bits, ties to even, and makes what has no f16 infinite.
fn to_rgba32float(value: vec4<f32>) -> vec4<f32> {
    return value;
}

fn to_rgba16float(value: vec4<f32>) -> vec4<f32> {
    let bits = bitcast<vec4<u32>>(value);
    let nearest = (bits + vec4<u32>(0xfffu) + ((bits >> vec4<u32>(13u)) & vec4<u32>(1u))) & vec4<u32>(0xffffe000u);
    let infinite = (bits & vec4<u32>(0x80000000u)) | vec4<u32>(0x7f800000u);
    // False for NaN, too.
    let fits = abs(value) < vec4<f32>(65520.0);
    return bitcast<vec4<f32>>(select(infinite, nearest, fits));
}
