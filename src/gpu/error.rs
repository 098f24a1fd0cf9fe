use super::preprocess::PreprocessError;

/// What can go wrong between the program and the GPU: the facts. What to do about them depends on what runs there, so
/// whoever is above says it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    #[error("no GPU adapter found")]
    NoAdapter,
    #[error("no adapter matches '{wanted}': choose one of {known}")]
    UnknownAdapter { wanted: String, known: String },
    #[error("the device could not be opened: {0}")]
    Device(String),
    #[error("the GPU reported an error: {0}")]
    Reported(String),
    #[error("the GPU ran out of memory while {what}")]
    OutOfMemory { what: String },
    #[error(
        "in a page nothing can wait for the GPU: await the form of this call that is asynchronous"
    )]
    WouldWait,
    #[error("the GPU device was lost ({0})")]
    Lost(String),
    #[error(
        "the GPU did not finish within {seconds} s: it may hang, or the work is too large for it"
    )]
    Timeout { seconds: u64 },
    #[error(
        "'{label}' needs {needed} bytes but this adapter allows at most {allowed} in one buffer"
    )]
    TooLarge {
        label: &'static str,
        needed: u64,
        allowed: u64,
    },
    #[error(
        "'{label}' needs a {width}×{height} image but this adapter allows at most {allowed} a side"
    )]
    ImageTooLarge {
        label: &'static str,
        width: u32,
        height: u32,
        allowed: u32,
    },
    #[error("shader '{kernel}': {source}")]
    Preprocess {
        kernel: &'static str,
        source: PreprocessError,
    },
    #[error("shader '{kernel}' takes {expected} resources but {given} were bound")]
    Bindings {
        kernel: &'static str,
        expected: usize,
        given: usize,
    },
    #[error(
        "shader '{kernel}' was given {words} words of immediates, so word {step_word} cannot hold its step: name one of them"
    )]
    StepWord {
        kernel: &'static str,
        words: usize,
        step_word: usize,
    },
    #[error("'{command}' cannot be replayed: freeze launches only and record the rest beside them")]
    NotReplayable { command: String },
    #[error(
        "'{command}' cannot depend on a condition: only launches and replays can, of which there may be a thousand different \
         sizes; record the rest beside them"
    )]
    NotConditional { command: String },
    #[error("'{label}' has been released: name a new one and record again with it")]
    Released { label: &'static str },
    #[error(
        "the imported buffer '{label}' lacks a usage: create it with STORAGE, COPY_SRC and COPY_DST"
    )]
    ImportUsages { label: &'static str },
    #[error(
        "the imported buffer '{label}' has {size} bytes: give it a whole number of 32-bit words, at least one"
    )]
    ImportSize { label: &'static str, size: u64 },
    #[error(
        "'{kernel}' needs {groups:?} workgroups but this adapter allows {allowed} in each dimension"
    )]
    TooManyWorkgroups {
        kernel: &'static str,
        groups: [u32; 3],
        allowed: u32,
    },
    #[error(
        "the loops of '{kernel}' would make {turns} turns, but drivers such as this may stop at {allowed} without a word"
    )]
    TooManyTurns {
        kernel: &'static str,
        turns: usize,
        allowed: usize,
    },
    #[error("'{label}' holds {len} words; words {start}..{end} lie outside it")]
    OutOfRange {
        label: &'static str,
        len: usize,
        start: usize,
        end: usize,
    },
}

impl From<wgpu::Error> for GpuError {
    fn from(error: wgpu::Error) -> Self {
        match error {
            wgpu::Error::OutOfMemory { .. } => GpuError::OutOfMemory {
                what: "running the work it was given".into(),
            },
            error => GpuError::reported(error),
        }
    }
}

impl GpuError {
    /// What wgpu says, which lists causes below each other, in one line.
    pub(super) fn reported(error: impl std::fmt::Display) -> Self {
        let text = error.to_string();
        let words: Vec<&str> = text.split_whitespace().collect();
        GpuError::Reported(words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_out_of_memory_is_told_from_other_errors() {
        let error = wgpu::Error::OutOfMemory {
            source: "no more".into(),
        };
        let text = GpuError::from(error).to_string();
        assert!(text.contains("memory") && !text.contains('\n'), "{text}");
        let error = wgpu::Error::Validation {
            source: "wrong".into(),
            description: "wrong\n\nCaused by:\n  a buffer".into(),
        };
        let GpuError::Reported(text) = GpuError::from(error) else {
            panic!("it is no such error");
        };
        assert!(text.ends_with("wrong Caused by: a buffer"), "{text}");
    }
}
