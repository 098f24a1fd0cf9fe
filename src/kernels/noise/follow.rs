use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::launch::over;

pub(crate) static KERNEL: Kernel = kernel!("noise/follow", 1, [Read, ReadWrite]);

/// `follower` ← `decay` · `follower` + (1 − `decay`) · `leader`, buffers of the same length.
pub fn follow(recording: &mut Recording, decay: f32, leader: Buffer, follower: Buffer) {
    let count = follower.words();
    over(
        recording,
        Program::new(&KERNEL).u32("COUNT", count),
        vec![leader.into(), follower.into()],
        vec![(1.0 - decay).to_bits()],
        count,
    );
    recording.moves(12 * count);
}
