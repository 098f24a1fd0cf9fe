// Contrastive divergence: every datum pulls the energy down and every noise sample pushes it up, all alike. The snapshot
// energies are not looked at: they are the live ones. One workgroup; all sums in a fixed order.
#import "shared/head.wgsl"

// Weight of the squared energies.
var<immediate> energy_l2: f32;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
    for (var i = local; i < COUNT; i += 64u) {
        factor[i] = select(-1.0, 1.0, i < DATA) / peers(i) + l2_factor(energy_l2, i);
    }
    let energies = shared_metrics(energy_l2, 0.0, local);
    if local == 0u {
        // No log-ratio tells the two apart.
        loss_metrics(energies.x - energies.y, 0.5, 0.0, 0.0, 0.0);
    }
}
