// Sums over the values of a chain: by one workgroup a chain, or with ALONE by one invocation, for short chains are
// summed faster than a workgroup can meet, on software drivers most of all.
#import "shared/index.wgsl"
#import "shared/reduce.wgsl"

#const ALONE: bool

#if ALONE
const SHARERS: u32 = 1u;
#else
const SHARERS: u32 = 64u;
#endif

// The chain of this invocation.
fn chain_of(flat: u32, local: u32) -> u32 {
#if ALONE
    return flat * 64u + local;
#else
    return flat;
#endif
}

// The first value that this invocation sums; the next ones follow at a distance of SHARERS.
fn first_of(local: u32) -> u32 {
#if ALONE
    return 0u;
#else
    return local;
#endif
}

// The sum of what the invocations of a chain have summed, in each of them.
fn chain_sum(value: f32, local: u32) -> f32 {
#if ALONE
    return value;
#else
    return workgroup_sum(value, local);
#endif
}
