//! Bytes that differ from valid ones in the ways that files are damaged and readers are fooled.

/// SplitMix64 (Steele, Lea & Flood 2014): the same cases for the same seed.
pub struct Draws(u64);

impl Draws {
    pub fn new(seed: u64) -> Self {
        Draws(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `below`, which is no 0, without it.
    pub fn below(&mut self, below: usize) -> usize {
        (self.next() % below as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Words that headers are not prepared for.
const WORDS: [u64; 12] = [
    0,
    1,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// What text formats have a meaning for, or think that nobody writes.
const TEXTS: [&str; 22] = [
    "nan",
    "inf",
    "-inf",
    "-1",
    "0",
    "1e999",
    "18446744073709551616",
    "9223372036854775807",
    "4294967296",
    "\"",
    "'",
    "\n",
    "\r\n",
    ",",
    "=",
    "[",
    "]",
    "{",
    "}",
    "../",
    "\u{feff}",
    "\0",
];

/// What takes the place of numbers in text.
const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1",
    "3",
    "0.5",
    "1e999",
    "3.5e38",
    "1e-45",
    "4294967296",
    "9223372036854775808",
    "18446744073709551615",
    "null",
];

/// One of `seeds` after one to eight changes.
pub fn mutated(seeds: &[Vec<u8>], draws: &mut Draws) -> Vec<u8> {
    let mut bytes = draws.pick(seeds).clone();
    for _ in 0..1 + draws.below(8) {
        change(&mut bytes, seeds, draws);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], draws: &mut Draws) {
    // Headers stand in front.
    let near = match draws.below(2) {
        0 => bytes.len().min(64),
        _ => bytes.len(),
    };
    let at = draws.below(near + 1);
    let len = draws.below(9).min(bytes.len() - at);
    match draws.below(12) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..at + len)),
        2 => drop(bytes.splice(
            at..at,
            vec![*draws.pick(&[0, 0xff, b' ', b'0']); 1 + draws.below(40)],
        )),
        3 => drop(bytes.splice(at..at + len, draws.pick(&TEXTS).bytes())),
        4 => {
            let other = draws.pick(seeds);
            let from = draws.below(other.len() + 1);
            let to = (from + draws.below(64)).min(other.len());
            drop(bytes.splice(at..at + len, other[from..to].iter().copied()));
        }
        5 => {
            let from = draws.below(bytes.len() + 1);
            let piece = bytes[from..(from + 16).min(bytes.len())].to_vec();
            drop(bytes.splice(at..at, piece));
        }
        6 | 7 => {
            let word = *draws.pick(&WORDS);
            let width = *draws.pick(&[1, 2, 4, 8]);
            let word = match draws.below(2) {
                0 => word.to_le_bytes()[..width].to_vec(),
                _ => word.to_be_bytes()[8 - width..].to_vec(),
            };
            for (place, byte) in bytes[at..].iter_mut().zip(word) {
                *place = byte;
            }
        }
        8 | 9 => {
            // The next number, whole.
            let is_of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
            let Some(from) = bytes[at..].iter().position(u8::is_ascii_digit) else {
                return;
            };
            let from = at + from;
            let length = bytes[from..].iter().position(|byte| !is_of_number(byte));
            let to = length.map_or(bytes.len(), |length| from + length);
            drop(bytes.splice(from..to, draws.pick(&NUMBERS).bytes()));
        }
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << draws.below(8);
            }
        }
    }
}
