// Weights are the same for every lane. One load a lane brings LANES different texels, and shuffles hand them round:
// on a software driver a load costs as much as dozens of multiply-adds. LANES is the subgroup size; where there are
// no subgroups of one known size it is 1, SPREAD is false, and every lane loads what it needs.

#const LANES: u32
#const SPREAD: bool

// Texels in a row of a weight image.
const WEIGHT_ROW: u32 = 1024u;

fn spread(held: vec4<f32>, lane: u32) -> vec4<f32> {
#if SPREAD
    return subgroupShuffle(held, lane);
#else
    return held;
#endif
}
