//! Random words on the GPU.

use crate::launch::{SEED, devices};
use afterimage::gpu::{Buffer, Recording};
use afterimage::low_level::random::{Philox, Stream};
use afterimage::low_level::{kernels as gpu, twins};

#[test]
fn philox_gives_the_words_of_random123_on_the_gpu() {
    let ones = u32::MAX;
    let known = [
        (
            [0; 4],
            [0; 2],
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
        ),
        (
            [ones; 4],
            [ones; 2],
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
        ),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ];
    let mut devices = devices();
    for size in [3, 63, 65, 1000] {
        let mut counters: Vec<[u32; 4]> = known.iter().map(|k| k.0).collect();
        let mut keys: Vec<[u32; 2]> = known.iter().map(|k| k.1).collect();
        for i in counters.len() as u32..size as u32 {
            let words = Philox::words(SEED, Stream::Data, 0, i);
            counters.push(words);
            keys.push([words[0] ^ i, words[3]]);
        }
        let mut r = Recording::new();
        let mut uploaded = |label, words: Vec<u32>| {
            let buffer = Buffer::new(label, words.len());
            r.upload(buffer, 0, words);
            buffer
        };
        let counter_buffer = uploaded("counters", counters.concat());
        let key_buffer = uploaded("keys", keys.concat());
        let words = uploaded("words", vec![f32::NAN.to_bits(); 4 * size]);
        gpu::philox_words(&mut r, size, counter_buffer, key_buffer, words);
        let want = twins::philox_words(&counters, &keys);
        for device in &mut devices {
            device.run(&r);
            let got = device.read_words(words, 4 * size);
            assert_eq!(got[..12], known.map(|k| k.2).concat());
            assert_eq!(got, want);
        }
    }
}
