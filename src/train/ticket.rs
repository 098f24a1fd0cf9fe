/// What a run fetches from the GPU, of an optimiser step. The device layer carries both as a number of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ticket {
    /// The step's metrics, under the number of the step itself.
    Metrics,
    /// The trace for [`Diagnostics`](crate::method::Diagnostics), where a step has one.
    Trace,
    /// The chains' [`StepControl`](crate::method::StepControl).
    Control,
    /// The averaged weights that belong to a picture of the chains.
    Average,
    /// The same chains of the replay buffer each time, for an animation; in as many parts as the buffer has.
    KeptChains,
    /// The chains, for a picture.
    States,
    /// The energies of a step's samples, under the live weights and then under the snapshot, for histograms.
    Energies,
    /// The parameters that the noise is drawn from, to be kept.
    Snapshot,
    /// Chains that are judged.
    Judged,
    /// The averaged weights after a step whose chains are judged, and then the live ones.
    Candidate,
    /// A part of a [`TrainingState`](super::TrainingState), under the number of the steps that were done.
    State,
}

/// In the order of their numbers.
const ALL: [Ticket; 11] = [
    Ticket::Metrics,
    Ticket::Trace,
    Ticket::Control,
    Ticket::Average,
    Ticket::KeptChains,
    Ticket::States,
    Ticket::Energies,
    Ticket::Snapshot,
    Ticket::Judged,
    Ticket::Candidate,
    Ticket::State,
];

/// Bits of a step: no run has as many.
const STEP_BITS: u32 = 56;

impl Ticket {
    /// The number it is fetched under in `step`.
    pub(super) fn number(self, step: u64) -> u64 {
        (self as u64) << STEP_BITS | step
    }

    /// What came back under `number`, and of which step; none where nothing was fetched under it.
    pub(super) fn of(number: u64) -> Option<(Self, u64)> {
        let ticket = ALL.get((number >> STEP_BITS) as usize)?;
        Some((*ticket, number & ((1 << STEP_BITS) - 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_comes_back_as_what_it_was() {
        for step in [0, 7, (1 << STEP_BITS) - 1] {
            for ticket in ALL {
                assert_eq!(Ticket::of(ticket.number(step)), Some((ticket, step)));
            }
        }
        assert_eq!(Ticket::of(u64::MAX), None, "the number of a read");
    }
}
