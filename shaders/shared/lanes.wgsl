// How the maps of the family `lanes` lie in memory: the samples in groups of GROUP, of which a workgroup takes one; of a group
// [channel][row][column][sample], with a border of zeros around each map. Neighbouring lanes hold neighbouring samples, so
// all else (places, weights, bounds) is the same in a whole workgroup. The last group may be filled up with samples
// that nobody reads.
#const GROUP: u32

// The first sample's value; the others follow it.
fn lanes_place(
    sample_group: u32, channels: u32, channel: u32, height: u32, y: u32, width: u32, x: u32,
) -> u32 {
    return (((sample_group * channels + channel) * height + y) * width + x) * GROUP;
}
