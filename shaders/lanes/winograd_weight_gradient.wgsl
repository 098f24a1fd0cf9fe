// Gᵀ m G of the products of a weight gradient (see shared/winograd.wgsl): lanes over the channels of the input, phases counted as such,
// and four output channels a workgroup.
#import "shared/lanes_winograd.wgsl"

#const IN_CHANNELS: u32
#const OUT_CHANNELS: u32

struct Place {
    share: u32,
}

var<immediate> place: Place;
@group(0) @binding(0) var<storage, read> products: array<f32>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;

const PARAMETERS: u32 = OUT_CHANNELS * (IN_CHANNELS * 16u + 1u);

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    lanes_begin();
    let out_channel = group.y * 4u;
#repeat c 4
    let start$c = lane + item_place(group.x, min(out_channel + $c, OUT_CHANNELS - 1u), OUT_CHANNELS);
#end
    let step = apart(OUT_CHANNELS);
    var columns: array<array<vec4<f32>, 2>, 5>;
#repeat j 5
    columns[$j] = winograd_kernel_transposed(array<vec4<f32>, 5>(
#repeat i 5
        vec4<f32>(
#repeat c 4
            products[start$c + ($i * 5u + $j) * step],
#end
        ),
#end
    ));
#end
    let phased = group.x * GROUP + lane;
    let phase = phased % 4u;
    if phased / 4u < IN_CHANNELS {
#repeat y 2
        {
            let row = winograd_kernel_transposed(array<vec4<f32>, 5>(
#repeat j 5
                columns[$j][$y],
#end
            ));
#repeat x 2
#repeat c 4
            if out_channel + $c < OUT_CHANNELS {
                partials[
                    place.share * PARAMETERS + ((out_channel + $c) * IN_CHANNELS + phased / 4u) * 16u
                        + (2u * $y + phase / 2u) * 4u + 2u * $x + phase % 2u
                ] = row[$x][$c];
            }
#end
#end
        }
#end
    }
}
