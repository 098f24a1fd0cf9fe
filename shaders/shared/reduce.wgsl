// Sums over a workgroup of 64 in a fixed order, so that the same inputs give the same bits. By workgroupUniformLoad, which
// begins and ends with a barrier, compilers know the result to be the same in all invocations: one may branch on it around
// other barriers.

var<workgroup> reduce_values: array<f32, 64>;

// The sum of `value` over the workgroup, in every invocation. Must be called by all of them.
fn workgroup_sum(value: f32, local: u32) -> f32 {
    reduce_values[local] = value;
    for (var half = 32u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if local < half {
            reduce_values[local] += reduce_values[local + half];
        }
    }
    return workgroupUniformLoad(&reduce_values[0]);
}

// The largest `value` of the workgroup, in every invocation. Must be called by all of them.
fn workgroup_max(value: f32, local: u32) -> f32 {
    reduce_values[local] = value;
    for (var half = 32u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if local < half {
            reduce_values[local] = max(reduce_values[local], reduce_values[local + half]);
        }
    }
    return workgroupUniformLoad(&reduce_values[0]);
}
