// One Langevin step of every value, by the rule of shared/langevin_step.wgsl.
// Element e of the whole batch takes the normal number e of (seed, stream, step), whatever the launch geometry.
#import "shared/index.wgsl"
#import "shared/philox.wgsl"
#import "shared/langevin_step.wgsl"

#const COUNT: u32
#const STREAM: u32

var<immediate> langevin: Step;
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;

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
            x[i] = moved(langevin, x[i], gradient[i], xi[k]);
        }
    }
}
