use crate::gpu::{Buffer, Kernel, Program, Recording};

static KERNEL: Kernel = kernel!("move_chains", 1, [Read, Read, ReadWrite]);

/// Chains of a replay buffer that take a turn: chain i is in slot `order[first + i]` of `states` (cyclically).
#[derive(Clone, Copy, Debug)]
pub struct ReplayTurn {
    pub states: Buffer,
    pub order: Buffer,
    pub first: u32,
    pub chains: usize,
    /// Values of a chain.
    pub length: usize,
}

impl ReplayTurn {
    /// Copies chain i into row i of `x`.
    pub fn gather(&self, recording: &mut Recording, x: Buffer) {
        self.copy(recording, true, [self.states, x]);
    }

    /// Copies row i of `x` into the slot of chain i. The slots must differ.
    pub fn scatter(&self, recording: &mut Recording, x: Buffer) {
        self.copy(recording, false, [x, self.states]);
    }

    fn copy(&self, recording: &mut Recording, take_out: bool, [from, to]: [Buffer; 2]) {
        Program::new(&KERNEL)
            .u32("CHAINS", self.chains)
            .u32("SAMPLE_LENGTH", self.length)
            .u32("TURNS", self.order.words())
            .u32("SLOTS", self.states.words() / self.length)
            .flag("TAKE_OUT", take_out)
            .bind([self.order, from, to])
            .immediates([self.first])
            .moving(4 * self.chains * (2 * self.length + 1))
            .over(recording, self.chains * self.length);
    }
}
