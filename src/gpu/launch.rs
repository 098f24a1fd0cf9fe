use super::handles::Mark;
use super::immediates::{Immediates, WORDS};
use super::recording::{Dispatch, Frozen, Recording};
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// A dispatch whose pipeline and bind group have been looked up.
pub(super) struct Launch {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) bind_group: wgpu::BindGroup,
    pub(super) immediates: Vec<u32>,
    pub(super) step_word: Option<usize>,
    pub(super) workgroups: [u32; 3],
    pub(super) flops: u64,
}

impl Launch {
    pub(super) fn new(
        dispatch: &Dispatch,
        pipeline: wgpu::ComputePipeline,
        bind_group: wgpu::BindGroup,
    ) -> Self {
        Launch {
            pipeline,
            bind_group,
            immediates: dispatch.immediates.clone(),
            step_word: dispatch.step_word,
            workgroups: dispatch.workgroups,
            flops: dispatch.flops,
        }
    }

    /// Encodes the launch with `steps` added to its step number, on as many workgroups as `workgroups` says, a buffer and an
    /// offset in bytes, or else on its own.
    pub(super) fn encode(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        steps: u32,
        workgroups: Option<(&wgpu::Buffer, u64)>,
        immediates: &mut Immediates,
    ) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bind_group, &[]);
        match self.step_word {
            None => immediates.tell(pass, &self.immediates),
            Some(word) => {
                let mut words = [0; WORDS];
                let words = &mut words[..self.immediates.len()];
                words.copy_from_slice(&self.immediates);
                words[word] = words[word].wrapping_add(steps);
                immediates.tell(pass, words);
            }
        }
        match workgroups {
            Some((buffer, offset)) => pass.dispatch_workgroups_indirect(buffer, offset),
            None => {
                let [x, y, z] = self.workgroups;
                pass.dispatch_workgroups(x, y, z);
            }
        }
    }
}

/// The launches of frozen recordings, from their first replay on.
#[derive(Default)]
pub(super) struct Replays {
    by_id: HashMap<u64, Resolved>,
}

struct Resolved {
    source: Weak<Recording>,
    launches: Arc<[Launch]>,
    newest_resource: u64,
}

impl Replays {
    pub(super) fn get(&self, frozen: &Frozen) -> Option<Arc<[Launch]>> {
        let resolved = self.by_id.get(&frozen.id())?;
        Some(resolved.launches.clone())
    }

    /// Keeps the launches of `frozen` for as long as somebody holds it.
    pub(super) fn insert(
        &mut self,
        frozen: &Frozen,
        launches: Arc<[Launch]>,
        newest_resource: u64,
    ) {
        self.by_id
            .retain(|_, resolved| resolved.source.strong_count() > 0);
        let source = frozen.downgrade();
        self.by_id.insert(
            frozen.id(),
            Resolved {
                source,
                launches,
                newest_resource,
            },
        );
    }

    /// Drops those that hold a resource named since `mark`.
    pub(super) fn forget_since(&mut self, mark: Mark) {
        self.by_id
            .retain(|_, resolved| mark.is_after(resolved.newest_resource));
    }
}
