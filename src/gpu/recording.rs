use super::handles::{Buffer, Image, Purpose, next_id};
use super::kernel::Program;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, Weak};

/// A list of GPU commands, in order. Making one needs no device; an [`Executor`](super::Executor) runs it.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    commands: Vec<Command>,
}

/// One step of a recording.
#[derive(Clone, Debug)]
pub enum Command {
    /// Write `words` into `buffer` from word `offset` on, in order with the commands around it.
    Upload {
        buffer: Buffer,
        offset: usize,
        words: Vec<u32>,
    },
    /// Copy `words` words between two different buffers.
    Copy {
        from: Buffer,
        from_offset: usize,
        to: Buffer,
        to_offset: usize,
        words: usize,
    },
    /// Run a kernel.
    Dispatch(Dispatch),
    /// Bring `words` words back to the host without waiting; they arrive under `ticket`.
    Fetch {
        buffer: Buffer,
        offset: usize,
        words: usize,
        ticket: u64,
    },
    /// Run a frozen recording `times` times over, with the steps `first_step`, `first_step` + 1, … (wrapping).
    Replay {
        frozen: Frozen,
        first_step: u32,
        times: u32,
    },
    /// Run the launches of `body`, if the first word of `condition` is not 0 when its turn comes; else none of them.
    OnlyIf { condition: Buffer, body: Recording },
}

/// One launch of a kernel.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// Shared by the copies of a recording.
    pub program: Arc<Program>,
    /// In binding order.
    pub resources: Vec<Resource>,
    /// The contents of `var<immediate>`.
    pub immediates: Vec<u32>,
    /// The word of the immediates that holds the number of a step: a replay adds its own step to it (wrapping).
    pub step_word: Option<usize>,
    pub workgroups: [u32; 3],
    /// Floating-point operations of the launch: what the submission budget is reckoned in. Kernels bound by memory
    /// stand for about 16 an element.
    pub flops: u64,
    /// Bytes that the launch has to read and write, each value counted once; 0 where nobody said.
    pub bytes: u64,
}

/// Something a kernel can be bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    Buffer(Buffer),
    Image(Image),
}

impl Resource {
    pub(super) fn id(&self) -> u64 {
        match self {
            Resource::Buffer(buffer) => buffer.id,
            Resource::Image(image) => image.id,
        }
    }

    /// What it is called in listings and errors.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Resource::Buffer(buffer) => buffer.label,
            Resource::Image(image) => image.label,
        }
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        match self {
            Resource::Buffer(buffer) => buffer.bytes(),
            Resource::Image(image) => image.bytes(),
        }
    }

    /// What it is for.
    pub fn purpose(&self) -> Purpose {
        match self {
            Resource::Buffer(buffer) => buffer.purpose(),
            Resource::Image(image) => image.purpose(),
        }
    }
}

impl From<Buffer> for Resource {
    fn from(buffer: Buffer) -> Self {
        Resource::Buffer(buffer)
    }
}

impl From<Image> for Resource {
    fn from(image: Image) -> Self {
        Resource::Image(image)
    }
}

/// A recording that does not change any more: an executor looks up its pipelines and bind groups at the first replay
/// and keeps them for the next ones. Copies are the same to it.
#[derive(Clone, Debug)]
pub struct Frozen {
    id: u64,
    recording: Arc<Recording>,
}

impl Frozen {
    /// What is replayed.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Tells whether there still is a copy that could be replayed.
    pub(super) fn downgrade(&self) -> Weak<Recording> {
        Arc::downgrade(&self.recording)
    }
}

/// Spreads `count` workgroups over two dimensions, since each may hold at most 65,535.
pub fn grid(count: usize) -> [u32; 3] {
    const WIDEST: usize = 32_768;
    if count <= WIDEST {
        [count.max(1) as u32, 1, 1]
    } else {
        [WIDEST as u32, count.div_ceil(WIDEST) as u32, 1]
    }
}

impl Recording {
    /// An empty recording.
    pub fn new() -> Self {
        Self::default()
    }

    /// The commands so far.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// Adds any command.
    pub fn push(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// Adds a kernel launch.
    pub fn dispatch(&mut self, dispatch: Dispatch) {
        self.commands.push(Command::Dispatch(dispatch));
    }

    /// Adds an upload of f32 values.
    pub fn upload_f32(&mut self, buffer: Buffer, offset: usize, values: &[f32]) {
        self.upload(buffer, offset, values.iter().map(|v| v.to_bits()).collect());
    }

    /// Adds an upload of words.
    pub fn upload(&mut self, buffer: Buffer, offset: usize, words: Vec<u32>) {
        self.commands.push(Command::Upload {
            buffer,
            offset,
            words,
        });
    }

    /// Adds a copy of the whole of `from` to the start of `to`.
    pub fn copy(&mut self, from: Buffer, to: Buffer) {
        self.copy_range(from, 0, to, 0, from.words());
    }

    /// Adds a copy of a range.
    pub(crate) fn copy_range(
        &mut self,
        from: Buffer,
        from_offset: usize,
        to: Buffer,
        to_offset: usize,
        words: usize,
    ) {
        self.commands.push(Command::Copy {
            from,
            from_offset,
            to,
            to_offset,
            words,
        });
    }

    /// Adds an asynchronous transfer to the host.
    pub fn fetch(&mut self, buffer: Buffer, offset: usize, words: usize, ticket: u64) {
        self.commands.push(Command::Fetch {
            buffer,
            offset,
            words,
            ticket,
        });
    }

    /// Adds `times` replays of a frozen recording, with the steps `first_step`, `first_step` + 1, … (wrapping).
    pub fn replay(&mut self, frozen: &Frozen, first_step: u32, times: u32) {
        self.commands.push(Command::Replay {
            frozen: frozen.clone(),
            first_step,
            times,
        });
    }

    /// Adds the launches and replays of `body`, which take place only if the first word of `condition` is not 0 then: the GPU
    /// decides, and nobody waits for it. What they bind is made in any case. An executor refuses a body with anything else.
    pub fn only_if(&mut self, condition: Buffer, body: Recording) {
        self.commands.push(Command::OnlyIf { condition, body });
    }

    /// Makes it a recording that can be replayed. Only launches can be: an executor refuses to replay anything else.
    pub fn freeze(self) -> Frozen {
        Frozen {
            id: next_id(),
            recording: Arc::new(self),
        }
    }

    /// The same work with its replays written out, command by command.
    pub fn expanded(&self) -> Recording {
        let mut expanded = Recording::new();
        for command in &self.commands {
            let (frozen, first_step, times) = match command {
                Command::Replay {
                    frozen,
                    first_step,
                    times,
                } => (frozen, first_step, times),
                Command::OnlyIf { condition, body } => {
                    expanded.only_if(*condition, body.expanded());
                    continue;
                }
                other => {
                    expanded.push(other.clone());
                    continue;
                }
            };
            for time in 0..*times {
                let mut once = frozen.recording().expanded();
                for command in &mut once.commands {
                    if let Command::Dispatch(dispatch) = command {
                        dispatch.advance(first_step.wrapping_add(time));
                    }
                }
                expanded.append(once);
            }
        }
        expanded
    }

    /// Adds all commands of `other`.
    pub fn append(&mut self, other: Recording) {
        self.commands.extend(other.commands);
    }

    /// Every buffer and image that it uses, each once.
    pub fn resources(&self) -> HashSet<Resource> {
        let mut used = HashSet::new();
        for command in &self.commands {
            match command {
                Command::Upload { buffer, .. } | Command::Fetch { buffer, .. } => {
                    used.insert((*buffer).into());
                }
                Command::Copy { from, to, .. } => used.extend([*from, *to].map(Resource::from)),
                Command::Dispatch(dispatch) => used.extend(&dispatch.resources),
                Command::Replay { frozen, .. } => used.extend(frozen.recording().resources()),
                Command::OnlyIf { condition, body } => {
                    used.insert((*condition).into());
                    used.extend(body.resources());
                }
            }
        }
        used
    }

    /// Every [lasting](Buffer::lasting) buffer that it uses, in the order in which they were named: the same in every
    /// program that names them in the same order.
    pub fn lasting(&self) -> Vec<Buffer> {
        let used = self.resources().into_iter();
        let mut lasting: Vec<Buffer> = used
            .filter_map(|resource| match resource {
                Resource::Buffer(buffer) => Some(buffer),
                Resource::Image(_) => None,
            })
            .filter(Buffer::is_lasting)
            .collect();
        lasting.sort_by_key(|buffer| buffer.id);
        lasting
    }

    /// Every launch in order, each of a replay once and those that may not take place, too.
    pub fn dispatches(&self) -> Vec<&Dispatch> {
        let mut all = Vec::new();
        for command in &self.commands {
            match command {
                Command::Dispatch(dispatch) => all.push(dispatch),
                Command::Replay { frozen, .. } => all.extend(frozen.recording().dispatches()),
                Command::OnlyIf { body, .. } => all.extend(body.dispatches()),
                Command::Upload { .. } | Command::Copy { .. } | Command::Fetch { .. } => {}
            }
        }
        all
    }

    /// How many times each kernel is launched, where every condition holds.
    pub fn launches(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for command in &self.commands {
            match command {
                Command::Dispatch(dispatch) => {
                    *counts.entry(dispatch.program.kernel.name).or_default() += 1;
                }
                Command::Replay { frozen, times, .. } => {
                    for (kernel, count) in frozen.recording().launches() {
                        *counts.entry(kernel).or_default() += count * *times as usize;
                    }
                }
                Command::OnlyIf { body, .. } => {
                    for (kernel, count) in body.launches() {
                        *counts.entry(kernel).or_default() += count;
                    }
                }
                _ => {}
            }
        }
        counts
    }

    /// Floating-point operations of all launches, where every condition holds.
    pub fn flops(&self) -> u64 {
        self.total(&|dispatch| dispatch.flops)
    }

    /// Bytes moved by all launches that [say how many](Dispatch::bytes).
    pub fn bytes(&self) -> u64 {
        self.total(&|dispatch| dispatch.bytes)
    }

    fn total(&self, of: &dyn Fn(&Dispatch) -> u64) -> u64 {
        self.commands
            .iter()
            .map(|command| match command {
                Command::Dispatch(dispatch) => of(dispatch),
                Command::Replay { frozen, times, .. } => {
                    frozen.recording().total(of) * u64::from(*times)
                }
                Command::OnlyIf { body, .. } => body.total(of),
                _ => 0,
            })
            .sum()
    }
}

impl Dispatch {
    /// Adds `steps` to the step number among the immediates, if there is one.
    fn advance(&mut self, steps: u32) {
        if let Some(word) = self
            .step_word
            .and_then(|index| self.immediates.get_mut(index))
        {
            *word = word.wrapping_add(steps);
        }
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for command in &self.commands {
            writeln!(f, "{command}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Upload {
                buffer,
                offset,
                words,
            } => {
                write!(
                    f,
                    "upload {} words to {}[{offset}]",
                    words.len(),
                    buffer.label
                )
            }
            Command::Copy {
                from,
                from_offset,
                to,
                to_offset,
                words,
            } => {
                write!(
                    f,
                    "copy {words} words {}[{from_offset}] -> {}[{to_offset}]",
                    from.label, to.label
                )
            }
            Command::Dispatch(dispatch) => {
                let names: Vec<_> = dispatch.resources.iter().map(Resource::label).collect();
                let [x, y, z] = dispatch.workgroups;
                write!(
                    f,
                    "{}({}) on {x}×{y}×{z} workgroups",
                    dispatch.program.kernel.name,
                    names.join(", ")
                )
            }
            Command::Fetch {
                buffer,
                offset,
                words,
                ticket,
            } => {
                write!(
                    f,
                    "fetch {words} words of {}[{offset}] as {ticket}",
                    buffer.label
                )
            }
            Command::Replay {
                frozen,
                first_step,
                times,
            } => {
                let commands = frozen.recording().commands().len();
                write!(
                    f,
                    "replay {commands} commands {times} times from step {first_step}"
                )
            }
            Command::OnlyIf { condition, body } => {
                let commands = body.commands().len();
                write!(f, "{commands} commands only if {} says so", condition.label)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernel::{Access, Kernel};
    use super::*;

    static KERNEL: Kernel = Kernel {
        name: "nothing",
        source: "",
        shared: &[],
        bindings: &[Access::Read],
        immediates: 0,
    };

    #[test]
    fn a_recording_is_counted_and_printed_without_a_device() {
        let (a, b) = (Buffer::new("from", 4), Buffer::new("to", 4));
        let mut recording = Recording::new();
        recording.copy(a, b);
        for _ in 0..3 {
            recording.dispatch(Dispatch {
                program: Arc::new(Program::new(&KERNEL)),
                resources: vec![a.into()],
                immediates: vec![],
                step_word: None,
                workgroups: [1, 1, 1],
                flops: 7,
                bytes: 4,
            });
        }
        assert_eq!((recording.flops(), recording.bytes()), (21, 12));
        assert_eq!(recording.launches()["nothing"], 3);
        assert_eq!(recording.resources(), HashSet::from([a.into(), b.into()]));
        let text = recording.to_string();
        assert!(
            text.starts_with("copy 4 words from[0] -> to[0]\nnothing(from) on 1×1×1"),
            "{text}"
        );
    }

    #[test]
    fn a_replay_is_counted_and_written_out_as_the_work_it_stands_for() {
        let mut once = Recording::new();
        once.dispatch(Dispatch {
            program: Arc::new(Program::new(&KERNEL)),
            resources: vec![Buffer::new("x", 4).into()],
            immediates: vec![9, 1],
            step_word: Some(1),
            workgroups: [1, 1, 1],
            flops: 7,
            bytes: 0,
        });
        let mut recording = Recording::new();
        recording.replay(&once.freeze(), u32::MAX - 1, 3);
        assert_eq!(recording.flops(), 21);
        assert_eq!(recording.launches()["nothing"], 3);
        assert_eq!(
            recording.to_string(),
            "replay 1 commands 3 times from step 4294967294\n"
        );
        let immediates: Vec<_> = recording
            .expanded()
            .commands()
            .iter()
            .map(|command| match command {
                Command::Dispatch(dispatch) => dispatch.immediates.clone(),
                other => panic!("{other}"),
            })
            .collect();
        // The recorded step plus the replay's, wrapping; other words stay.
        assert_eq!(immediates, [[9, u32::MAX], [9, 0], [9, 1]]);
    }

    #[test]
    fn a_grid_covers_its_count_within_the_limit() {
        for count in [0, 1, 32_768, 32_769, 65_536, 1_000_000] {
            let [x, y, _] = grid(count);
            assert!(x <= 65_535 && y <= 65_535);
            assert!(x as usize * y as usize >= count);
        }
    }
}
