// The slots of the replay buffer whose chains move in the next pass: so many further on in the order than in the pass before.
#import "shared/pool.wgsl"

#const CHAINS: u32
#const SLOTS: u32

@group(0) @binding(0) var<storage, read> pool: Pool;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read_write> turn: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
    let batch = pool.passes % (SLOTS / CHAINS);
    for (var i = local; i < CHAINS; i += 64u) {
        turn[i] = order[batch * CHAINS + i];
    }
}
