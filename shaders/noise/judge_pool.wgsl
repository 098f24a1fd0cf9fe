// Whether the next step draws new noise, and what the pool holds, from the effective sample size that this step has left.
#import "shared/pool.wgsl"
#import METRICS

struct Judge {
    ess_threshold: f32,
    // Steps that may use the same noise.
    most: u32,
    // Whether the next step begins with a refresh; the snapshot's state says so where only it knows.
    refreshes: u32,
}

var<immediate> judge: Judge;
@group(0) @binding(0) var<storage, read_write> pool: Pool;
// Whether a refresh is due.
@group(0) @binding(1) var<storage, read> snapshot: array<u32>;
@group(0) @binding(2) var<storage, read_write> metrics: Metrics;

@compute @workgroup_size(1)
fn main() {
    let moved = select(0u, 1u, pool.due != 0u);
    let used = select(pool.used + 1u, 1u, moved == 1u);
    let passes = pool.passes + moved;
    metrics.passes_low = f32(passes & 0xffffu);
    metrics.passes_high = f32(passes >> 16u);
    let refreshes = judge.refreshes != 0u || snapshot[0] != 0u;
    let spent = metrics.ess_after < judge.ess_threshold || used >= judge.most;
    pool.due = u32(spent || refreshes);
    pool.used = used;
    pool.passes = passes;
    pool.valid = select(pool.valid + moved, 0u, refreshes);
}
