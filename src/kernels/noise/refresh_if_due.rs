use crate::gpu::{Access, Buffer, Kernel, Program, Recording};
use crate::kernels::launch::over;

pub(crate) static KERNEL: Kernel = Kernel {
    name: "noise/refresh_if_due",
    source: include_str!("../../../shaders/noise/refresh_if_due.wgsl"),
    bindings: &[
        Access::Read,
        Access::Read,
        Access::ReadWrite,
        Access::ReadWrite,
    ],
    immediates: 0,
};

/// Copies `live` to `snapshot` and sets all of `normaliser` to 0 if the first word of `state` is not 0.
pub fn refresh_if_due(
    recording: &mut Recording,
    state: Buffer,
    live: Buffer,
    snapshot: Buffer,
    normaliser: Buffer,
) {
    let count = snapshot.words();
    let program = Program::new(&KERNEL)
        .u32("COUNT", count)
        .u32("NORMALISER_WORDS", normaliser.words());
    over(
        recording,
        program,
        vec![
            state.into(),
            live.into(),
            snapshot.into(),
            normaliser.into(),
        ],
        vec![],
        count.max(normaliser.words()),
    );
    recording.moves(8 * count);
}
