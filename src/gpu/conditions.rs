//! Launches that the GPU decides on: their workgroups are words on the GPU, which are 0 where a condition does not hold.

use super::handles::Buffer;
use super::kernel::{Access, Kernel, Program};
use super::recording::Dispatch;
use std::collections::HashMap;
use std::sync::Arc;

/// Different numbers of workgroups that an executor can meet in conditional launches: more than a recording of a thousand
/// launches can have.
const MOST_SIZES: usize = 1024;

/// Writes `wanted` or zeros to the workgroups, as the condition says.
pub static ONLY_IF: Kernel = Kernel {
    name: "only_if",
    source: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/only_if.wgsl")),
    shared: &[],
    bindings: &[Access::Read, Access::Read, Access::ReadWrite],
    immediates: 1,
};

/// The sizes of all conditional launches so far, each once, and their places on the GPU.
pub(super) struct Conditions {
    places: HashMap<[u32; 3], usize>,
    wanted: Buffer,
    workgroups: Buffer,
    program: Arc<Program>,
}

impl Conditions {
    pub(super) fn new() -> Self {
        Conditions {
            places: HashMap::new(),
            wanted: Buffer::new("wanted workgroups", 3 * MOST_SIZES).for_workgroups(),
            workgroups: Buffer::new("conditional workgroups", 3 * MOST_SIZES).for_workgroups(),
            program: Arc::new(Program::new(&ONLY_IF)),
        }
    }

    /// Where the numbers of workgroups of a launch of this size are, in words, and whether they have to be written to
    /// [`Self::wanted`] first; none where there are too many sizes.
    pub(super) fn place(&mut self, size: [u32; 3]) -> Option<(usize, bool)> {
        if let Some(&place) = self.places.get(&size) {
            return Some((place, false));
        }
        let place = 3 * self.places.len();
        (self.places.len() < MOST_SIZES).then(|| {
            self.places.insert(size, place);
            (place, true)
        })
    }

    /// The byte where the numbers of workgroups of a launch of this size begin, which [`Self::place`] has been told of.
    pub(super) fn offset(&self, size: [u32; 3]) -> u64 {
        4 * self.places[&size] as u64
    }

    /// Three words a size.
    pub(super) fn wanted(&self) -> Buffer {
        self.wanted
    }

    /// The same or zeros.
    pub(super) fn workgroups(&self) -> Buffer {
        self.workgroups
    }

    /// The launch that asks `condition`.
    pub(super) fn ask(&self, condition: Buffer) -> Dispatch {
        Dispatch {
            program: self.program.clone(),
            resources: vec![condition.into(), self.wanted.into(), self.workgroups.into()],
            immediates: vec![self.places.len() as u32],
            step_word: None,
            workgroups: [1, 1, 1],
            flops: 0,
            bytes: 0,
        }
    }
}
