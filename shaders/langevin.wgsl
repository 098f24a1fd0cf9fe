// One Langevin step: x ← bounds(x − step_size · clip(∇E) + noise · ξ), ξ standard normal.
// Element e of the whole batch takes the normal number e of (seed, stream, step), whatever the launch geometry.
#import "shared/index.wgsl"
#import "shared/philox.wgsl"
#import "shared/finite.wgsl"

#const COUNT: u32
#const STREAM: u32
// 0: none, 1: clamp to [low, high], 2: reflect at low and high
#const BOUNDS: u32
#const CLIP: bool

struct Step {
    seed: vec2<u32>,
    step: u32,
    // The element of the random stream that the first value takes.
    first_element: u32,
    step_size: f32,
    noise: f32,
    clip: f32,
    low: f32,
    high: f32,
}

var<immediate> langevin: Step;
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;

fn bounded(value: f32) -> f32 {
    // A chain that is lost must stay visible: clamping would turn NaN into a number.
    if !is_finite(value) {
        return value;
    }
    switch BOUNDS {
        case 1u: { return clamp(value, langevin.low, langevin.high); }
        case 2u: {
            if value >= langevin.low && value <= langevin.high {
                return value;
            }
            // A triangle wave of period 2 · (high − low) brings even a far overshoot back inside.
            let width = langevin.high - langevin.low;
            let turns = (value - langevin.low) / (2.0 * width);
            let place = (turns - floor(turns)) * 2.0 * width;
            return clamp(langevin.low + min(place, 2.0 * width - place), langevin.low, langevin.high);
        }
        default: { return value; }
    }
}

fn clipped(g: f32) -> f32 {
#if CLIP
    return select(g, clamp(g, -langevin.clip, langevin.clip), is_finite(g));
#else
    return g;
#endif
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let block = langevin.first_element / 4u + flat_group(group, groups) * 64u + local;
    let xi = normals(langevin.seed, STREAM, langevin.step, block);
    for (var k = 0u; k < 4u; k++) {
        let element = block * 4u + k;
        if element >= langevin.first_element && element - langevin.first_element < COUNT {
            let i = element - langevin.first_element;
            x[i] = bounded(x[i] - langevin.step_size * clipped(gradient[i]) + langevin.noise * xi[k]);
        }
    }
}
