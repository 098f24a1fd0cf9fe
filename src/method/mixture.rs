use crate::gpu::{Buffer, Recording};
use crate::kernels::noise::mixture_energy;
use crate::purpose::SNAPSHOT;

/// The last snapshots, whose even mixture is the noise distribution:
/// p_φ = 1/M Σ_j exp(−E_j) / Z_j.
///
/// The Z_j are known up to a factor that all share, from c at the time when each was taken: c estimates
/// log Z_φ − log Z_θ of the mixture and the live model, and θ is what the new component is a copy of. So c is not reset
/// by a refresh; it starts at 0, and the first component's log Z_j is what it is relative to.
#[derive(Clone, Debug)]
pub(crate) struct Mixture {
    interval: u64,
    /// The components' parameters; a new one takes the place of the oldest.
    ring: Vec<Buffer>,
    /// −log Z_j of each, relative to the first ever.
    offsets: Buffer,
    /// Energies of a batch under one component.
    one: Buffer,
    /// And under all of them: (component, sample).
    all: Buffer,
}

impl Mixture {
    /// Up to `components` snapshots of `parameters` values each, one taken every `interval` steps, over batches of
    /// `samples`. Numbers below 1 count as 1.
    pub(crate) fn new(components: usize, interval: u64, parameters: usize, samples: usize) -> Self {
        let components = components.max(1);
        Mixture {
            interval: interval.max(1),
            ring: (0..components)
                .map(|_| {
                    Buffer::new("mixture component", parameters)
                        .of(SNAPSHOT)
                        .lasting()
                })
                .collect(),
            offsets: Buffer::new("mixture offsets", components).lasting(),
            one: Buffer::new("component energies", samples),
            all: Buffer::new("energies of all components", components * samples),
        }
    }

    /// Steps since the newest component was taken.
    pub(crate) fn age(&self, step: u64) -> u64 {
        step % self.interval
    }

    /// The parameters of the newest component in optimiser step `step`.
    pub(crate) fn newest(&self, step: u64) -> Buffer {
        self.ring[self.newest_place(step)]
    }

    /// Its place among the components.
    pub(crate) fn newest_place(&self, step: u64) -> usize {
        ((step / self.interval) % self.ring.len() as u64) as usize
    }

    /// M.
    pub(crate) fn components(&self) -> usize {
        self.ring.len()
    }

    /// Takes the live parameters as the newest component where `step` is due, with c in the first word of `normaliser`;
    /// at step 0 as all components.
    pub(crate) fn begin(
        &self,
        recording: &mut Recording,
        step: u64,
        live: Buffer,
        normaliser: Buffer,
    ) {
        if !step.is_multiple_of(self.interval) {
            return;
        }
        let newest = self.newest_place(step);
        let places = if step == 0 {
            0..self.ring.len()
        } else {
            newest..newest + 1
        };
        for place in places {
            recording.copy(live, self.ring[place]);
            recording.copy_range(normaliser, 0, self.offsets, place, 1);
        }
    }

    /// Puts the parameters of component `index` into `snapshot`.
    pub(crate) fn load(&self, recording: &mut Recording, index: usize, snapshot: Buffer) {
        recording.copy(self.ring[index], snapshot);
    }

    /// Where the energies of a batch under one component go, before [`Self::keep`].
    pub(crate) fn component_energies(&self) -> Buffer {
        self.one
    }

    /// Keeps them as those of component `index`.
    pub(crate) fn keep(&self, recording: &mut Recording, index: usize) {
        let samples = self.one.words();
        recording.copy_range(self.one, 0, self.all, index * samples, samples);
    }

    /// The mixture's energies of a batch from those of its components, which have been kept.
    pub(crate) fn energies(&self, recording: &mut Recording, energies: Buffer) {
        let count = self.components();
        mixture_energy(recording, count, self.all, self.offsets, energies);
    }
}
