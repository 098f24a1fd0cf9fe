// How the maps of the family `lanes` lie in memory: the samples in groups of GROUP, of which a workgroup takes one; of a group
// [channel][row][column][sample], with a border of zeros around each map. Neighbouring lanes hold neighbouring samples, so
// all else (places, weights, bounds) is the same in a whole workgroup. The last group may be filled up with samples
// that nobody reads.
#const GROUP: u32

// To be called first. lavapipe of Mesa 26.2 loads a word that is the same in all lanes behind a branch, unless the program has a
// barrier; and with branches in a loop its compiler moves all sums to the end of the body, where they and all weights
// go to memory and back. Without this the convolutions take up to 1.7 times as long (docs/kernels.md).
fn lanes_begin() {
    workgroupBarrier();
}

// The first sample's value; the others follow it.
fn lanes_place(
    sample_group: u32, channels: u32, channel: u32, height: u32, y: u32, width: u32, x: u32,
) -> u32 {
    return (((sample_group * channels + channel) * height + y) * width + x) * GROUP;
}
