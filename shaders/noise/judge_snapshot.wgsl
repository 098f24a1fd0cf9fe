// Whether the next step begins with a refresh of the snapshot, from the effective sample size of this one.

#import METRICS

// Whether it is that after the update.
#const AFTER: bool

struct Judge {
    ess_threshold: f32,
    // Largest age of a snapshot plus 1.
    most: u32,
    // Steps that share one pool of noise; a refresh comes between two pools.
    pool: u32,
}

var<immediate> judge: Judge;
// Whether a refresh is due, and the snapshot's age in the last step.
@group(0) @binding(0) var<storage, read_write> state: array<u32>;
@group(0) @binding(1) var<storage, read_write> metrics: Metrics;

@compute @workgroup_size(1)
fn main() {
    let age = select(state[1] + 1u, 0u, state[0] != 0u);
    metrics.age = f32(age);
    let next = age + 1u;
#if AFTER
    let ess = metrics.ess_after;
#else
    let ess = metrics.ess;
#endif
    let spent = ess < judge.ess_threshold || next >= judge.most;
    state[0] = u32(spent && next % judge.pool == 0u);
    state[1] = age;
}
