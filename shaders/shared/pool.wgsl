// How far a pool of noise is. What it holds is counted in passes of the chains.
struct Pool {
    // Whether new noise is due; in the step that ends, whether there was a pass.
    due: u32,
    // Steps that the newest noise has served.
    used: u32,
    // Passes so far, without that of this step.
    passes: u32,
    // Of these, those since the last refresh.
    valid: u32,
}
