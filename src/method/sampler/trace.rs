//! What chains leave behind on their way, for diagnoses.

use super::settings::MOST_RECORDS;
use super::{ChainPass, PreparedChains, Sampler};
use crate::gpu::{Buffer, Recording};
use crate::kernels::{TRACE_VALUES, trace_chains};
use crate::method::chains::ChainPreparation;

/// What the first group of chains leaves behind in a diagnosed pass.
pub(super) struct Trace {
    /// The states when it began.
    pub(super) before: Buffer,
    pub(super) records: Buffer,
}

/// Steps that chains go on by to be looked at.
pub(crate) struct Probe {
    preparation: ChainPreparation,
    trace: Trace,
    records: usize,
    pass: ChainPass,
}

impl Probe {
    /// How many records of each chain there will be.
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    /// What [`Traces`](crate::method::Traces) are read from when all records are there.
    pub(crate) fn trace(&self) -> Buffer {
        self.trace.records
    }
}

impl Sampler {
    /// What pass number `step` leaves for [`Traces`](crate::method::Traces): the buffer, and how many records of each chain
    /// it holds.
    pub(crate) fn trace(&self, step: u64) -> Option<(Buffer, usize)> {
        let (trace, diagnose) = (self.trace.as_ref()?, self.settings.diagnose?);
        let done = step + 1;
        (done.is_multiple_of(diagnose.every) || done == diagnose.of)
            .then_some((trace.records, self.settings.records()))
    }

    /// The first pass that is diagnosed; none where none is.
    pub(crate) fn first_traced(&self) -> Option<u64> {
        self.trace.as_ref()?;
        let diagnose = self.settings.diagnose?;
        Some(diagnose.every.min(diagnose.of).max(1) - 1)
    }

    pub(super) fn run_traced(
        &self,
        recording: &mut Recording,
        chains: PreparedChains<'_>,
        pass: &ChainPass,
        trace: &Trace,
        records: usize,
    ) {
        recording.copy(self.chains.states(), trace.before);
        for record in 0..records {
            self.run_to_record(recording, chains, pass, trace, (record, records));
        }
    }

    fn run_to_record(
        &self,
        recording: &mut Recording,
        chains: PreparedChains<'_>,
        pass: &ChainPass,
        trace: &Trace,
        (record, records): (usize, usize),
    ) {
        let part = pass.steps * record / records..pass.steps * (record + 1) / records;
        chains.run(recording, pass, part);
        let (before, trace) = (trace.before, trace.records);
        trace_chains(recording, self.chains.batch(), record, before, trace);
    }

    /// A probe of `steps` steps of the chains of the last group, from where they are; step size and temperature stay as
    /// they are. `chains` are those of this sampler.
    pub(crate) fn probe(
        &self,
        recording: &mut Recording,
        chains: PreparedChains<'_>,
        steps: usize,
    ) -> Probe {
        let records = steps.min(MOST_RECORDS);
        let trace = self.new_trace(records);
        recording.copy(self.chains.states(), trace.before);
        Probe {
            preparation: chains.preparation(),
            trace,
            records,
            pass: ChainPass {
                // The last numbers there are, which no pass of a run gets to.
                first_step: 0u32.wrapping_sub(steps as u32),
                steps,
                adapting: 0,
                first_chain: 0,
                anneal: None,
            },
        }
    }

    /// Runs a probe on to its record number `record`, on the energy for which the chains were prepared when it began.
    pub(crate) fn run_probe(&self, recording: &mut Recording, probe: &Probe, record: usize) {
        let (chains, place) = (
            self.chains.resume(probe.preparation),
            (record, probe.records),
        );
        self.run_to_record(recording, chains, &probe.pass, &probe.trace, place);
    }

    pub(super) fn new_trace(&self, records: usize) -> Trace {
        let group = self.chains.network().samples();
        let values = self.chains.states().words();
        Trace {
            before: Buffer::new("chains before", values),
            records: Buffer::new("trace", records * group * TRACE_VALUES),
        }
    }
}
