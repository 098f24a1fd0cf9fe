// One-dimensional indexing over a grid of workgroups that may be two-dimensional, since a dimension holds at most
// 65,535 of them (the Rust side: `gpu::grid`).

fn flat_group(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.y * groups.x + group.x;
}
