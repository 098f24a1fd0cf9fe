use crate::gpu::{Buffer, Kernel, Program, Recording};

pub(crate) static KERNEL: Kernel = kernel!("noise/follow", 1, [Read, ReadWrite]);

/// `follower` ← `decay` · `follower` + (1 − `decay`) · `leader`, buffers of the same length.
pub fn follow(recording: &mut Recording, decay: f32, leader: Buffer, follower: Buffer) {
    let count = follower.words();
    Program::new(&KERNEL)
        .u32("COUNT", count)
        .bind([leader, follower])
        .immediates([(1.0 - decay).to_bits()])
        .moving(12 * count)
        .over(recording, count);
}
