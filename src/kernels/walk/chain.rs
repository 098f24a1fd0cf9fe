use super::THREADS;
use super::plan::WalkPlan;
use crate::gpu::{Buffer, Kernel, Program, Recording, grid};
use crate::kernels::samplers::{LangevinSettings, step_immediates};
use crate::random::Stream;

/// The most floating-point operations of one launch, since drivers kill launches that run for seconds: less than half
/// a second on a GPU that reaches 50 GFLOP/s in this.
const MOST_FLOPS: u64 = 20_000_000_000;
/// Fewer workgroups than this leave most of any GPU idle, and take as long.
const FEWEST_GROUPS: usize = 16;
/// A step takes microseconds even where there is little to compute.
const MOST_STEPS: u64 = 10_000;

static KERNEL: Kernel = kernel!("walk/langevin_chain", 12, [Read, ReadWrite, ReadWrite]);

/// What chains walk on.
#[derive(Clone, Copy, Debug)]
pub struct WalkArguments<'a> {
    pub settings: &'a LangevinSettings,
    /// Value i of the batch takes the normal number `first_element` + i of (`seed`, `stream`, step), as in
    /// [`langevin`](crate::kernels::langevin()).
    pub stream: Stream,
    pub seed: u64,
    pub first_element: u32,
    pub samples: usize,
    /// Of [`pack_walk_weights`](super::pack_walk_weights).
    pub packed: Buffer,
    /// The states, (sample, channel, row, column): read and moved.
    pub x: Buffer,
    /// One a sample: the energies of the states before the last step.
    pub energies: Buffer,
}

/// Moves all chains by `steps` steps, the first of which is number `first_step`, in as few launches as
/// drivers bear.
pub fn walk_chains(
    recording: &mut Recording,
    plan: &WalkPlan,
    arguments: &WalkArguments<'_>,
    first_step: u32,
    steps: usize,
) {
    let samples = arguments.samples;
    debug_assert!(arguments.packed.words() >= plan.packed_words());
    debug_assert!(arguments.x.words() >= samples * plan.length);
    debug_assert!(arguments.energies.words() >= samples);
    let counted = samples.max(FEWEST_GROUPS * plan.samples_per_group) as u64;
    let most = (MOST_FLOPS / (counted * plan.flops).max(1)).clamp(1, MOST_STEPS) as usize;
    for start in (0..steps).step_by(most) {
        let count = most.min(steps - start);
        let step = first_step.wrapping_add(start as u32);
        let first_element = arguments.first_element;
        let mut immediates =
            step_immediates(arguments.settings, arguments.seed, step, first_element);
        // The shader's struct is as long as a multiple of its alignment, that of the seed's vec2.
        immediates.extend([count as u32, 0]);
        let groups = samples.div_ceil(plan.samples_per_group);
        let flops = count as u64 * samples as u64 * plan.flops;
        program(plan, arguments)
            .bind([arguments.packed, arguments.x, arguments.energies])
            .immediates(immediates)
            .launch(recording, grid(groups), flops);
    }
}

fn program(plan: &WalkPlan, arguments: &WalkArguments<'_>) -> Program {
    let base = plan.base;
    let precision = base.map_or(0.0, |base| 1.0 / (base.std * base.std));
    let last = plan.hidden.len() - 1;
    let program = Program::new(&KERNEL)
        .u32("THREADS", THREADS)
        .u32("STREAM", arguments.stream as usize)
        .u32("SAMPLES", arguments.samples)
        .u32("GROUP_SAMPLES", plan.samples_per_group)
        .u32("LENGTH", plan.length)
        .flag("BASE", base.is_some())
        .f32("BASE_MEAN", base.map_or(0.0, |base| base.mean))
        .f32("BASE_SCALE", 0.5 * precision)
        .f32("BASE_PRECISION", precision)
        .u32("POOL", plan.pool)
        .u32("SCRATCH_AT", plan.scratch_at)
        .u32("HEAD_AT", plan.head_at)
        .u32("HEAD_MAP_AT", plan.passes[last].out_at())
        .u32("HEAD_LENGTH", plan.head_length())
        .u32("PASSES", plan.passes.len());
    let program = plan
        .activation
        .describe(arguments.settings.describe(program));
    plan.passes
        .iter()
        .enumerate()
        .fold(program, |program, (p, pass)| {
            pass.describe(program, p, plan.samples_per_group)
        })
}
