//! What has to fit before a run starts.

use super::{Noise, TrainingPlan};
use crate::gpu::{Buffer, Recording};
use crate::method::Sampler;
use crate::network::Prepared;

impl TrainingPlan {
    /// Records what a run does with its first slice and its first group of chains: everything that a step or the last
    /// look at the chains uses, at a length that does not grow with the number of slices.
    pub(in crate::train) fn first_slice(&self) -> Recording {
        let (live, snapshot) = (self.snapshot.live(), self.snapshot.parameters());
        let mut recording = self.setup(&[]);
        let r = &mut recording;
        let data_words = self.data_count * self.architecture.input().len();
        self.data_noise.add(r, 0, data_words, self.samples);
        // A snapshot that follows the live parameters is a copy of them at first.
        for step in 0..2 {
            self.begin(r, step);
        }
        match &self.noise {
            Noise::Snapshot(sampler) => {
                self.network.prepare(r, snapshot);
                self.first_group(r, sampler);
            }
            Noise::Mixture(mixture, sampler) => {
                mixture.load(r, 0, snapshot);
                let network = self.network.prepare(r, snapshot);
                self.first_group(r, sampler);
                self.first_energies(r, network, mixture.component_energies());
                mixture.keep(r, 0);
                mixture.energies(r, self.snapshot_energies);
            }
            Noise::Fixed(noise) => {
                self.draw(r, 0);
                noise.energies(r, self.samples, self.snapshot_energies);
            }
        }
        let network = self.network.prepare(r, live);
        self.first_energies(r, network, self.live_energies);
        self.objective
            .weigh(r, self.live_energies, self.snapshot_energies);
        self.snapshot.end(r, self.objective.metrics());
        match &self.staging {
            None => {
                let (factor, gradient) = (self.objective.factor(), self.optimiser.gradient());
                network.weight_gradient(r, self.samples, factor, gradient, false);
            }
            Some(staging) => self.slice_gradient(r, network, staging, 0),
        }
        network.finish_gradient(r, self.optimiser.gradient());
        self.optimiser.step(r, 0, live, self.objective.metrics());
        self.network.turn(r, live);
        if let Some(probe) = self.probe(r, self.probe_steps) {
            self.run_probe(r, &probe, 0);
        }
        recording
    }

    /// The first group of chains, in a pass without a diagnosis and in one with it.
    fn first_group(&self, r: &mut Recording, sampler: &Sampler) {
        let snapshot = self.snapshot.parameters();
        let chains = sampler.chains().prepare(r, snapshot);
        for pass in std::iter::once(0).chain(sampler.first_traced()) {
            sampler.draw_group(r, chains, pass, self.samples, self.data_count, 0);
        }
    }

    fn first_energies(&self, r: &mut Recording, network: Prepared<'_>, energies: Buffer) {
        match &self.staging {
            None => network.energies(r, self.samples, energies, true),
            Some(staging) => self.slice_energies(r, network, staging, energies, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, NOISE_KINDS};
    use crate::gpu::{Command, Resource};
    use crate::kernels::tiled::Tiled;
    use crate::kernels::{SAMPLERS, Variant};
    use crate::method::{FEWEST_RECORDS, GaussianFit};
    use crate::shape::Shape;
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

    /// The buffers of a recording, and the most workgroups of every kernel on every binding, by name.
    fn used(recording: &Recording) -> (HashSet<Buffer>, BTreeMap<&'static str, u32>) {
        let mut buffers = HashSet::new();
        let mut kernels = BTreeMap::new();
        for command in recording.expanded().commands() {
            match command {
                Command::Upload { buffer, .. } | Command::Fetch { buffer, .. } => {
                    buffers.insert(*buffer);
                }
                Command::Copy { from, to, .. } => buffers.extend([*from, *to]),
                Command::Dispatch(dispatch) => {
                    let most = kernels.entry(dispatch.program.kernel.name).or_default();
                    *most = dispatch.workgroups.iter().product::<u32>().max(*most);
                    let named = dispatch.resources.iter().map(|resource| match resource {
                        Resource::Buffer(buffer) => *buffer,
                        Resource::Image(_) => panic!("the tiled kernels use no images"),
                    });
                    buffers.extend(named);
                }
                Command::Replay { .. } => panic!("is expanded"),
            }
        }
        (buffers, kernels)
    }

    fn each(check: impl Fn(&str, TrainingPlan)) {
        let others = [
            "run.slice=7",
            "sampler.diagnose=2 sampler.probe=0",
            "snapshot.interval=adaptive",
        ];
        for noise in NOISE_KINDS {
            for sampler in SAMPLERS {
                for other in others {
                    if *noise != "copy" && other.ends_with("adaptive") {
                        continue;
                    }
                    let what = format!(
                        "snapshot.kind={noise} sampler.kind={} {other}",
                        sampler.name
                    );
                    let mut sets: Vec<String> = what.split(' ').map(str::to_owned).collect();
                    if *noise == "mixture" {
                        sets.push("snapshot.components=3".into());
                    }
                    check(&what, plan(&sets));
                }
            }
        }
    }

    /// Four steps have a refresh, a diagnosis and the lack of both.
    #[test]
    fn the_first_slice_uses_all_that_steps_use() {
        each(|what, plan| {
            let (buffers, kernels) = used(&plan.first_slice());
            for step in 0..4 {
                let step = used(&plan.step(step, &[0.1; 16]));
                for buffer in step.0 {
                    assert!(buffers.contains(&buffer), "{what}: {}", buffer.label());
                }
                for (kernel, most) in step.1 {
                    let checked = kernels.get(kernel).is_some_and(|checked| *checked >= most);
                    assert!(checked, "{what}: {kernel}");
                }
            }
        });
    }

    #[test]
    fn what_the_first_slice_uses_is_what_the_account_says() {
        each(|what, plan| {
            let (buffers, _) = used(&plan.first_slice());
            let held: u64 = buffers.iter().map(Buffer::bytes).sum();
            let probe = match plan.sampler() {
                Some(sampler) if plan.probe_steps >= FEWEST_RECORDS => {
                    sampler.probe_bytes(plan.probe_steps)
                }
                _ => 0,
            };
            assert_eq!(held, plan.memory().training() + probe, "{what}");
        });
    }
}
