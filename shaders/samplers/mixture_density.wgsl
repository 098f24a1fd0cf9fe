// The logarithm of each component's weight and density at each of CHAINS states, but for what all have in common: one
// invocation for a component and a state. With orthonormal directions D, e along them and s² elsewhere, d = x − mean and
// z = Dᵀ d, dᵀ Σ⁻¹ d = Σ z²/(e + s²) + (|d|² − |z|²)/s² (Tipping & Bishop 1999).
#import "shared/index.wgsl"
#import "shared/mixture.wgsl"

#const CHAINS: u32

@group(0) @binding(0) var<storage, read> law: array<f32>;
@group(0) @binding(1) var<storage, read> directions: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
// (component, chain)
@group(0) @binding(3) var<storage, read_write> densities: array<f32>;

const GROUPS: u32 = (CHAINS + 63u) / 64u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let flat = flat_group(group, groups);
    let component = flat / GROUPS;
    let chain = flat % GROUPS * 64u + local;
    if component >= COMPONENTS || chain >= CHAINS {
        return;
    }
    let at = component_at(component);
    var beside = 0.0;
#repeat q QUARTERS
    var z${q} = vec4<f32>();
#end
    for (var i = 0u; i < SAMPLE_LENGTH; i++) {
        let d = x[chain * SAMPLE_LENGTH + i] - law[at + MEAN + i];
        let row = (component * SAMPLE_LENGTH + i) * QUARTERS;
        beside += d * d;
#repeat q QUARTERS
        z${q} += d * directions[row + $q];
#end
    }
    let elsewhere = variance_elsewhere(at);
    var along = 0.0;
    // Directions that are zeros, where there are fewer than RANK values, count once and once less.
    var log_variances = (f32(SAMPLE_LENGTH) - f32(RANK)) * log(elsewhere);
#repeat q QUARTERS
    {
        let variances = extra(at, $q) + elsewhere;
        along += dot(z${q} / variances, z${q});
        beside -= dot(z${q}, z${q});
        log_variances += dot(log(variances), vec4<f32>(1.0));
    }
#end
    let square = along + max(beside, 0.0) / elsewhere;
    densities[component * CHAINS + chain] = law[at + LOG_WEIGHT] - 0.5 * (square + log_variances);
}
