//! The pictures of a run.

use super::{Event, Run};
use crate::config::Interval;
use crate::model::{Model, SampleOptions};
use crate::report::{
    EnergiesAt, PLANE, PLANE_CELLS, Panel, Series, cell_centres, curves, energy_histograms,
    landscape, png_bytes, sample_grid,
};
use crate::train::drawing::{SCATTER_POINTS, can_be_shown, samples_drawn};
use crate::train::error::TrainError;
use crate::train::lines::Lines;
use crate::train::metrics::{CURVES, Curve, MetricsRow};
use crate::train::trainer::Trainer;
use crate::train::waiting::Unwritten;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

/// What samples are called that the noise of training has drawn, and not the weights of the picture.
const NOISE: &str = "noise samples";

impl Run<'_> {
    /// A picture of noise samples during training, and one of `chains`, which are the same ones each time.
    pub(super) fn picture(
        &mut self,
        trainer: &mut Trainer,
        step: u64,
        values: &[f32],
        average: Option<Vec<f32>>,
        chains: Option<Vec<f32>>,
    ) -> Result<(), TrainError> {
        let picture = if let Some(average) = average {
            let model = trainer.model_of(average, step)?;
            self.landscape(trainer, &model, values, NOISE)?
        } else if can_be_shown(trainer.data().shape()) {
            self.grid(trainer, values)?
        } else {
            return Ok(());
        };
        let folder = self.folder.join("samples");
        let path = folder.join(format!("{step:06}.png"));
        self.pictures = Some(folder);
        self.show(|board| board.picture(step.saturating_sub(1), &picture));
        let bytes = picture;
        self.deliver(trainer, Unwritten::File { path, bytes })?;
        let Some(chains) = chains else {
            return Ok(());
        };
        let bytes = self.grid(trainer, &chains)?;
        let path = self.folder.join(format!("samples/{step:06}.chains.png"));
        self.deliver(trainer, Unwritten::File { path, bytes })
    }

    pub(super) fn grid(&self, trainer: &Trainer, values: &[f32]) -> Result<Vec<u8>, TrainError> {
        let (shape, scaling) = (trainer.data().shape(), trainer.data().scaling());
        let count = self
            .config
            .run
            .samples
            .min(values.len() / shape.len())
            .max(1);
        let columns = (count as f64).sqrt().ceil() as usize;
        let brightness = |value: f32| scaling.brightness(value);
        Ok(png_bytes(&sample_grid(
            &values[..count * shape.len()],
            shape,
            brightness,
            columns,
        )?)?)
    }

    /// The landscape of `model` beside data and the points `values`, under their `title`.
    pub(super) fn landscape(
        &self,
        trainer: &mut Trainer,
        model: &Model,
        values: &[f32],
        title: &str,
    ) -> Result<Vec<u8>, TrainError> {
        let grid = cell_centres(PLANE_CELLS, PLANE);
        let (executor, workspace) = trainer.workspace();
        let mark = executor.mark();
        let energies = model
            .evaluator_on(executor, workspace)?
            .energies(executor, &grid)?;
        executor.release_since(mark);
        let data = trainer.data().first(SCATTER_POINTS);
        let picture = landscape(
            &energies,
            PLANE_CELLS,
            PLANE,
            &points(&data),
            &points(values),
            title,
        )?;
        Ok(png_bytes(&picture)?)
    }

    /// Draws the last pictures. Gives the states of the fresh chains that they show, before these are denoised.
    pub(super) fn last_pictures(
        &mut self,
        trainer: &mut Trainer,
        model: &Model,
        stopped: bool,
        samples: &mut Option<PathBuf>,
        landscape: &mut Option<PathBuf>,
    ) -> Result<Vec<f32>, TrainError> {
        if !can_be_shown(trainer.data().shape()) {
            return Ok(Vec::new());
        }
        let (title, (values, states)) = if stopped {
            (NOISE, (trainer.noise_samples()?, Vec::new()))
        } else {
            ("model samples", self.draw(trainer, model)?)
        };
        let picture = if trainer.data().is_planar() {
            let picture = self.landscape(trainer, model, &values, title)?;
            *landscape = Some(self.write(self.folder.join("landscape.png"), &picture)?);
            picture
        } else {
            self.grid(trainer, &values)?
        };
        let steps = trainer.steps_done();
        self.show(|board| board.last_picture(steps, &picture));
        *samples = Some(self.write(self.folder.join("samples.png"), &picture)?);
        Ok(states)
    }

    /// Samples from fresh chains, and their states before these were denoised.
    pub(super) fn draw(
        &mut self,
        trainer: &mut Trainer,
        model: &Model,
    ) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
        let run = &self.config.run;
        let options = SampleOptions {
            count: samples_drawn(self.config, trainer.data().shape()),
            steps: run.sample_steps,
            seed: run.seed,
            frames: 1,
        };
        let (observer, stop) = (&mut self.observer, self.stop);
        let mut progress = |done: usize, of: usize| {
            observer(Event::Drawing { done, of });
            !stop.load(Ordering::Relaxed)
        };
        let (executor, workspace) = trainer.workspace();
        let mut samples = model.sample_on(executor, workspace, &options, &mut progress)?;
        (self.observer)(Event::Drew {
            acceptance: samples.acceptance,
            step_size: samples.step_size,
        });
        if samples.lost > 0 {
            (self.observer)(Event::Lost {
                chains: samples.lost,
                of: options.count,
            });
        }
        let states = samples.frames.pop().unwrap_or_default();
        Ok((samples.values, states))
    }

    pub(super) fn curves(&mut self) -> Result<Option<PathBuf>, TrainError> {
        if self.metrics.rows().is_empty() {
            return Ok(None);
        }
        let mut drawn: Vec<&Curve> = CURVES.iter().collect();
        drawn.sort_by_key(|curve| curve.place);
        let mut panels: Vec<Panel> = Vec::new();
        for curve in drawn {
            let value = |row| f64::from((curve.value)(row));
            let rows = self.metrics.rows().iter();
            let series = Series {
                label: curve.label.into(),
                points: rows.map(|row| (row.step as f64, value(row))).collect(),
            };
            match panels.last_mut() {
                Some(panel) if panel.title == curve.title => panel.series.push(series),
                _ => panels.push(Panel {
                    title: curve.title.into(),
                    series: vec![series],
                    log_scale: curve.log_scale,
                }),
            }
        }
        let rows = self.metrics.rows().iter();
        let judged = rows.filter_map(|row| Some((row.step as f64, f64::from(row.data_distance?))));
        let judged: Vec<(f64, f64)> = judged.collect();
        if !judged.is_empty() {
            panels.push(Panel {
                title: "energy distance of chains from data".into(),
                series: vec![Series {
                    label: "distance".into(),
                    points: judged,
                }],
                log_scale: false,
            });
        }
        if self.config.snapshot.interval == Interval::Adaptive {
            panels.push(Panel {
                title: "noise update interval".into(),
                series: vec![intervals(self.metrics.rows())],
                log_scale: false,
            });
        }
        let picture = png_bytes(&curves(&panels)?)?;
        self.write(self.folder.join("curves.png"), &picture)
            .map(Some)
    }

    /// Draws histograms of the energies along the way.
    pub(super) fn energy_histograms(&mut self) -> Result<Option<PathBuf>, TrainError> {
        let rows = self.energies.as_ref().map_or(&[][..], Lines::rows);
        let rows: Vec<EnergiesAt<'_>> = rows
            .iter()
            .filter(|row| !row.data.is_empty() && !row.noise.is_empty())
            .map(|row| EnergiesAt {
                step: row.step,
                data: &row.data,
                noise: &row.noise,
            })
            .collect();
        if rows.is_empty() {
            return Ok(None);
        }
        let picture = png_bytes(&energy_histograms(&rows)?)?;
        self.write(self.folder.join("energies.png"), &picture)
            .map(Some)
    }
}

/// How long each snapshot served, at the step that ended it.
fn intervals(rows: &[MetricsRow]) -> Series {
    let refreshes = rows.windows(2).filter(|pair| pair[1].snapshot_age == 0);
    Series {
        label: "steps".into(),
        points: refreshes
            .map(|pair| (pair[1].step as f64, (pair[0].snapshot_age + 1) as f64))
            .collect(),
    }
}

pub(super) fn points(values: &[f32]) -> Vec<[f32; 2]> {
    values
        .chunks_exact(2)
        .map(|point| [point[0], point[1]])
        .collect()
}
