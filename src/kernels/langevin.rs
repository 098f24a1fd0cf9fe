use super::launch::one_dimensional;
use crate::gpu::{Buffer, Dispatch, Kernel, Program, Recording};
use crate::random::Stream;

/// What keeps the chains inside the box of the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds {
    None,
    Clamp { low: f32, high: f32 },
    Reflect { low: f32, high: f32 },
}

/// One Langevin step: x ← bounds(x − step_size · clip(∇E) + noise · ξ).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LangevinSettings {
    /// Factor on the energy gradient.
    pub step_size: f32,
    /// Standard deviation of the noise; √(2·step_size) samples at temperature 1.
    pub noise: f32,
    /// Clamp every component of the gradient to ±clip; 0 for none.
    pub clip: f32,
    pub bounds: Bounds,
}

impl LangevinSettings {
    /// Adds the constants of `shaders/shared/langevin_step.wgsl`.
    pub(super) fn describe(&self, program: Program) -> Program {
        let bounds = match self.bounds {
            Bounds::None => 0,
            Bounds::Clamp { .. } => 1,
            Bounds::Reflect { .. } => 2,
        };
        program.u32("BOUNDS", bounds).flag("CLIP", self.clip > 0.0)
    }
}

/// The `Step` of `shaders/shared/langevin_step.wgsl`.
pub(super) fn step_immediates(
    settings: &LangevinSettings,
    seed: u64,
    step: u32,
    first_element: u32,
) -> Vec<u32> {
    let (low, high) = match settings.bounds {
        Bounds::None => (0.0, 0.0),
        Bounds::Clamp { low, high } | Bounds::Reflect { low, high } => (low, high),
    };
    let floats = [settings.step_size, settings.noise, settings.clip, low, high];
    let mut words = vec![seed as u32, (seed >> 32) as u32, step, first_element];
    words.extend(floats.map(f32::to_bits));
    // The struct is as long as a multiple of its alignment, that of the seed's vec2.
    words.push(0);
    words
}

pub(crate) static KERNEL: Kernel = kernel!("langevin", 10, [ReadWrite, Read]);

/// Where the number of the step is among the immediates.
const STEP_WORD: usize = 2;

/// Moves the first `count` values of `x` by one step; value i takes the normal number `first_element` + i of
/// (`seed`, `stream`, `step`).
#[allow(clippy::too_many_arguments)]
pub fn langevin(
    recording: &mut Recording,
    settings: &LangevinSettings,
    stream: Stream,
    seed: u64,
    step: u32,
    first_element: u32,
    count: usize,
    x: Buffer,
    gradient: Buffer,
) {
    let program = Program::new(&KERNEL)
        .u32("COUNT", count)
        .u32("STREAM", stream as usize);
    let immediates = step_immediates(settings, seed, step, first_element);
    let dispatch = one_dimensional(
        settings.describe(program),
        vec![x.into(), gradient.into()],
        immediates,
        blocks(first_element, count),
    );
    recording.dispatch(Dispatch {
        step_word: Some(STEP_WORD),
        ..dispatch
    });
    recording.moves(12 * count);
}

/// How many blocks of four random numbers the elements from `first` on touch.
pub(super) fn blocks(first: u32, count: usize) -> usize {
    (first as usize % 4 + count).div_ceil(4)
}
