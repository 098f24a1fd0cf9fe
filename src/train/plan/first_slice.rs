//! What has to fit before a run starts.

use super::TrainingPlan;
use crate::gpu::Recording;
use crate::method::Sampler;

impl TrainingPlan {
    /// Records what a run does with its first slice and the first group of every part of its chains, without the data:
    /// everything that steps use, at a size that grows neither with the number of slices nor with the replay buffer.
    pub(in crate::train) fn first_slice(&self) -> Recording {
        let mut recording = self.setup(&[]);
        // One step with a refresh, one without, and one with a diagnosis.
        let traced = self.noise.sampler().and_then(Sampler::first_traced);
        let traced = traced.map(|pass| pass * self.config.pool());
        for step in [0, 1].into_iter().chain(traced) {
            recording.append(self.part_of_step(step, &[], 1));
        }
        recording
    }

    /// Records the beginning of the last look at the chains, in place of all of it; nothing where there is none.
    pub(in crate::train) fn first_probe(&self) -> Recording {
        let mut recording = Recording::new();
        if let Some(probe) = self.probe(&mut recording, self.config.sampler.probe) {
            self.run_probe(&mut recording, &probe, 0);
        }
        recording
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, SnapshotKind};
    use crate::gpu::{Command, Resource};
    use crate::kernels::tiled::Tiled;
    use crate::kernels::{SAMPLERS, Variant};
    use crate::method::GaussianFit;
    use crate::shape::Shape;
    use crate::words::Word;
    use std::collections::{BTreeMap, HashSet};

    const PLANE: Shape = Shape {
        channels: 2,
        height: 1,
        width: 1,
    };

    fn plan(sets: &[String]) -> TrainingPlan {
        let always = [
            "network.layers=[{dense=8},{dense=1}]",
            "run.batch=8",
            "sampler.buffer=32",
            "sampler.steps=5",
            "sampler.jumps=0",
            "objective.normaliser=learned",
            "data.noise=0.1",
            "objective.noise_ratio=3",
            "sampler.reuse=1",
        ];
        let sets: Vec<String> = always
            .map(str::to_owned)
            .into_iter()
            .chain(sets.iter().cloned())
            .collect();
        let config = config::load("8gaussians", &sets).expect("is valid");
        let plan = TrainingPlan::new(&config, PLANE, Variant::Tiled(Tiled)).expect("fits");
        let points = [0.0, 1.0, 2.0, 0.5, -1.0, 0.3];
        match plan.needs_fit() {
            true => plan.with_fit(GaussianFit::new(&points, 2, 0.1).expect("varies")),
            false => plan,
        }
    }

    /// What a recording uses, and the most workgroups of every kernel.
    fn used(recording: &Recording) -> (HashSet<Resource>, BTreeMap<&'static str, u32>) {
        let mut kernels = BTreeMap::new();
        for dispatch in recording.dispatches() {
            let most = kernels.entry(dispatch.program.kernel.name).or_default();
            *most = dispatch.workgroups.iter().product::<u32>().max(*most);
        }
        (recording.resources(), kernels)
    }

    #[test]
    fn the_noise_of_the_data_begins_wide_and_falls_in_a_share_of_the_run() {
        let sets = ["data.noise_start=0.4", "data.noise_fall=0.5", "run.steps=8"];
        let plan = plan(&sets.map(String::from));
        let deviation = |step| {
            let step = plan.part_of_step(step, &[], 1);
            let dispatches = step.dispatches();
            let added = dispatches
                .iter()
                .find(|dispatch| dispatch.program.kernel.name == "add_noise");
            f32::from_bits(*added.unwrap().immediates.last().unwrap())
        };
        assert_eq!([0, 2, 4, 7].map(deviation), [0.4, 0.2, 0.1, 0.1]);
    }

    fn each(check: impl Fn(&str, TrainingPlan)) {
        let others = [
            "run.slice=7",
            "sampler.diagnose=2 sampler.probe=0",
            "snapshot.interval=adaptive",
            "snapshot.interval=adaptive sampler.reuse=adaptive sampler.pool=2 sampler.diagnose=0",
        ];
        for &noise in SnapshotKind::all() {
            for sampler in SAMPLERS {
                for other in others {
                    if noise != SnapshotKind::Copy && other.contains("adaptive") {
                        continue;
                    }
                    let what = format!(
                        "snapshot.kind={} sampler.kind={} {other}",
                        noise.name(),
                        sampler.name
                    );
                    let mut sets: Vec<String> = what.split(' ').map(str::to_owned).collect();
                    if noise == SnapshotKind::Mixture {
                        sets.push("snapshot.components=3".into());
                    }
                    check(&what, plan(&sets));
                }
            }
        }
    }

    /// What is checked before a run must not itself take the memory that it is about.
    #[test]
    fn the_first_slice_takes_no_memory_for_data_and_chains() {
        let uploaded = |sets: &[&str]| -> usize {
            let sets: Vec<String> = sets.iter().map(|&set| set.into()).collect();
            let recording = plan(&sets).first_slice();
            let commands = recording.commands().iter();
            commands
                .map(|command| match command {
                    Command::Upload { words, .. } => words.len(),
                    _ => 0,
                })
                .sum()
        };
        let small = uploaded(&["run.slice=7", "sampler.buffer=64"]);
        let large = uploaded(&["run.slice=7", "sampler.buffer=100000000"]);
        assert_eq!(large, small);
    }

    /// Four steps have a refresh, a diagnosis and the lack of both.
    #[test]
    fn the_first_slice_uses_all_that_steps_use() {
        each(|what, plan| {
            let (resources, kernels) = used(&plan.first_slice());
            for step in 0..4 {
                let step = used(&plan.step(step, &[0.1; 16]));
                for resource in step.0 {
                    assert!(resources.contains(&resource), "{what}: {resource:?}");
                }
                for (kernel, most) in step.1 {
                    let checked = kernels.get(kernel).is_some_and(|checked| *checked >= most);
                    assert!(checked, "{what}: {kernel}");
                }
            }
        });
    }
}
