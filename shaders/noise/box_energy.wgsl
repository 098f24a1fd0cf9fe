// −ln of a uniform density on a box: CONSTANT inside, and OUTSIDE more beyond it.
#import "shared/index.wgsl"

#const LENGTH: u32
#const SAMPLES: u32
#const LOW: f32
#const HIGH: f32
// LENGTH · ln(HIGH − LOW)
#const CONSTANT: f32
#const OUTSIDE: f32
// Values that a turn of the loop takes, since drivers may bound the turns (`gpu::MOST_TURNS`).
#const STEPS: u32
#const SEVERAL: bool

@group(0) @binding(0) var<storage, read> samples: array<f32>;
@group(0) @binding(1) var<storage, read_write> energies: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let sample = flat_group(group, groups) * 64u + local;
    if sample >= SAMPLES {
        return;
    }
    var energy = CONSTANT;
    for (var first = 0u; first < LENGTH; first += STEPS) {
#repeat s STEPS
#if SEVERAL
        if first + $s < LENGTH
#endif
        {
            let value = samples[sample * LENGTH + first + $s];
            if value < LOW || value > HIGH {
                energy = CONSTANT + OUTSIDE;
            }
        }
#end
    }
    energies[sample] = energy;
}
