// Sets the words FIRST … FIRST + COUNT − 1 to 0, where a copy from the host would not do: in launches that depend on a condition.

#const FIRST: u32
#const COUNT: u32

@group(0) @binding(0) var<storage, read_write> words: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
    for (var i = local; i < COUNT; i += 64u) {
        words[FIRST + i] = 0u;
    }
}
