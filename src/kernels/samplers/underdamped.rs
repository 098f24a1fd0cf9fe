//! Kinetic (underdamped) Langevin dynamics in BAOAB steps (Leimkuhler & Matthews 2013). There is no Metropolis test: the
//! law of the states is off by a term in ε² = 2h, which vanishes where forces are linear, and by what refreshing the
//! velocity at the start of every pass stirs up.

use super::{
    ChainBatch, ChainSteps, Dynamics, EnergyGradient, Moment, STEP_WORD, SamplerKind,
    moment_immediates,
};
use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::launch::{blocks, with_optional_last};

pub(super) static UNDERDAMPED: SamplerKind = SamplerKind {
    name: "underdamped",
    keys: &["friction"],
    target_acceptance: None,
    carries: true,
    walks: false,
    evaluations: |_| 1,
    lay_out: |dynamics, batch| Box::new(Underdamped::new(dynamics, batch)),
};

/// With BEGIN, which moves nothing yet, and without.
static KERNELS: [Kernel; 2] = with_optional_last(kernel!(
    "samplers/underdamped",
    6,
    [Read, ReadWrite, ReadWrite]
));

struct Underdamped {
    batch: ChainBatch,
    /// ε, exp(−γε) and √(1 − exp(−2γε)).
    constants: [f32; 3],
    velocity: Buffer,
}

impl Underdamped {
    fn new(dynamics: &Dynamics, batch: ChainBatch) -> Self {
        let time = (2.0 * f64::from(dynamics.langevin.step_size)).sqrt();
        let turn = f64::from(dynamics.friction) * time;
        let constants = [time, (-turn).exp(), (-(-2.0 * turn).exp_m1()).sqrt()];
        Underdamped {
            batch,
            constants: constants.map(|constant| constant as f32),
            velocity: Buffer::new("velocities", batch.chains * batch.length),
        }
    }

    fn launch(&self, recording: &mut Recording, moment: &Moment, begin: bool) {
        let batch = &self.batch;
        let count = batch.chains * batch.length;
        let [time, decay, spread] = self.constants;
        let first_element = (moment.first_chain * batch.length) as u32;
        Program::new(&KERNELS[usize::from(!begin)])
            .u32("COUNT", count)
            .u32("SAMPLE_LENGTH", batch.length)
            .u32("STREAM", batch.stream as usize)
            .flag("BEGIN", begin)
            .f32("TIME", time)
            .f32("DECAY", decay)
            .f32("SPREAD", spread)
            .bind([batch.gradient, self.velocity])
            .bind((!begin).then_some(batch.x))
            .immediates(moment_immediates(batch, moment))
            .step_word(STEP_WORD)
            .moving(if begin { 8 } else { 20 } * count)
            .over(recording, blocks(first_element, count));
    }
}

impl ChainSteps for Underdamped {
    fn begin(&self, recording: &mut Recording, moment: &Moment) {
        self.launch(recording, moment, true);
    }

    fn step(
        &self,
        recording: &mut Recording,
        moment: &Moment,
        energy_gradient: EnergyGradient<'_>,
    ) {
        self.launch(recording, moment, false);
        let batch = &self.batch;
        let energies = moment.energies.then_some(batch.energies);
        energy_gradient(recording, batch.x, energies, batch.gradient);
    }
}
