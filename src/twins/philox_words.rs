//! Twin of `philox_words.wgsl`: the words of each counter.

use crate::random::philox4x32_10;

/// Philox4x32-10 of each counter under the key at the same place, one after the other.
pub fn philox_words(counters: &[[u32; 4]], keys: &[[u32; 2]]) -> Vec<u32> {
    assert_eq!(counters.len(), keys.len(), "one key for every counter");
    counters
        .iter()
        .zip(keys)
        .flat_map(|(counter, key)| philox4x32_10(*counter, *key))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first known-answer vector of Random123; [`crate::random`] has the others.
    #[test]
    fn words_follow_one_another() {
        let words = philox_words(&[[0; 4]; 2], &[[0; 2], [1, 0]]);
        assert_eq!(
            words[..4],
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(words[4..], philox4x32_10([0; 4], [1, 0]));
    }
}
