// The workgroups of launches that take place only if a condition holds: as many as are wanted, or none.

// How many launches there are.
var<immediate> count: u32;
@group(0) @binding(0) var<storage, read> condition: array<u32>;
// Three words each: x, y, z.
@group(0) @binding(1) var<storage, read> wanted: array<u32>;
@group(0) @binding(2) var<storage, read_write> workgroups: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
    let holds = condition[0] != 0u;
    for (var i = local; i < 3u * count; i += 64u) {
        workgroups[i] = select(0u, wanted[i], holds);
    }
}
