// The sum of something over the samples of a group, that is over the lanes of a workgroup: GROUP sums at a time by way of
// workgroup memory, of which each lane gets one. In one order, and without asking for the size of a subgroup.
#import "shared/lanes.wgsl"

var<workgroup> shared_sums: array<f32, GROUP * GROUP>;

// The total of sum `lane` over all lanes, once every lane has written its own.
fn shared_total(lane: u32) -> f32 {
    var total = 0.0;
#repeat other GROUP
    total += shared_sums[lane * GROUP + $other];
#end
    return total;
}
