/// What a run fetches from the GPU, of an optimiser step. The device layer carries it as a number of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ticket {
    /// The step's metrics, under the number of the step itself.
    Metrics(u64),
    /// The trace for [`Diagnostics`](crate::method::Diagnostics), where a step has one.
    Trace(u64),
    /// The chains' [`StepControl`](crate::method::StepControl).
    Control(u64),
    /// The averaged weights that belong to a picture of the chains.
    Average(u64),
    /// The chains, for a picture.
    States(u64),
}

/// Bits of a step: no run has as many.
const STEP_BITS: u32 = 56;

impl Ticket {
    /// The number it is fetched under.
    pub(super) fn number(self) -> u64 {
        let (kind, step) = match self {
            Ticket::Metrics(step) => (0, step),
            Ticket::Trace(step) => (1, step),
            Ticket::Control(step) => (2, step),
            Ticket::Average(step) => (3, step),
            Ticket::States(step) => (4, step),
        };
        kind << STEP_BITS | step
    }

    /// What came back under `number`; none where nothing was fetched under it.
    pub(super) fn of(number: u64) -> Option<Self> {
        let step = number & ((1 << STEP_BITS) - 1);
        Some(match number >> STEP_BITS {
            0 => Ticket::Metrics(step),
            1 => Ticket::Trace(step),
            2 => Ticket::Control(step),
            3 => Ticket::Average(step),
            4 => Ticket::States(step),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_comes_back_as_what_it_was() {
        let kinds = [
            Ticket::Metrics,
            Ticket::Trace,
            Ticket::Control,
            Ticket::Average,
            Ticket::States,
        ];
        for step in [0, 7, (1 << STEP_BITS) - 1] {
            for kind in kinds {
                assert_eq!(Ticket::of(kind(step).number()), Some(kind(step)));
            }
        }
        assert_eq!(Ticket::of(u64::MAX), None, "the number of a read");
    }
}
