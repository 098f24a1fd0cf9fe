use super::handles::{Buffer, Image};
use super::kernel::Program;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

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

    /// Says how many bytes the launch recorded last has to read and write, each value counted once: for kernels that
    /// move data rather than compute.
    pub fn moves(&mut self, bytes: usize) {
        if let Some(Command::Dispatch(dispatch)) = self.commands.last_mut() {
            dispatch.bytes = bytes as u64;
        }
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
    pub fn copy_range(
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

    /// Adds all commands of `other`.
    pub fn append(&mut self, other: Recording) {
        self.commands.extend(other.commands);
    }

    /// How many times each kernel is launched.
    pub fn launches(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for command in &self.commands {
            if let Command::Dispatch(dispatch) = command {
                *counts.entry(dispatch.program.kernel.name).or_default() += 1;
            }
        }
        counts
    }

    /// Floating-point operations of all launches.
    pub fn flops(&self) -> u64 {
        self.dispatches().map(|dispatch| dispatch.flops).sum()
    }

    /// Bytes moved by all launches that [say how many](Self::moves).
    pub fn bytes(&self) -> u64 {
        self.dispatches().map(|dispatch| dispatch.bytes).sum()
    }

    fn dispatches(&self) -> impl Iterator<Item = &Dispatch> {
        self.commands.iter().filter_map(|command| match command {
            Command::Dispatch(dispatch) => Some(dispatch),
            _ => None,
        })
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
                let names: Vec<_> = dispatch
                    .resources
                    .iter()
                    .map(|resource| match resource {
                        Resource::Buffer(buffer) => buffer.label,
                        Resource::Image(image) => image.label,
                    })
                    .collect();
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
        bindings: &[Access::Read],
        immediates: 0,
    };

    #[test]
    fn a_recording_is_counted_and_printed_without_a_device() {
        let (a, b) = (Buffer::new("live", 4), Buffer::new("stale", 4));
        let mut recording = Recording::new();
        recording.copy(a, b);
        for _ in 0..3 {
            recording.dispatch(Dispatch {
                program: Arc::new(Program::new(&KERNEL)),
                resources: vec![a.into()],
                immediates: vec![],
                workgroups: [1, 1, 1],
                flops: 7,
                bytes: 0,
            });
        }
        recording.moves(16);
        assert_eq!((recording.flops(), recording.bytes()), (21, 16));
        assert_eq!(recording.launches()["nothing"], 3);
        let text = recording.to_string();
        assert!(
            text.starts_with("copy 4 words live[0] -> stale[0]\nnothing(live) on 1×1×1"),
            "{text}"
        );
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
