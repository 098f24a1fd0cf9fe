//! The pictures that `afterimage sample` draws.

use super::args::SampleArgs;
use super::error::CliError;
use crate::gpu::Executor;
use crate::model::{Model, SampleOptions, Samples, Weights};
use crate::report::{
    PLANE, PLANE_CELLS, Words, cell_centres, in_few_digits, labelled_grid, paths_over_landscape,
    sample_grid, scatter,
};
use crate::train::can_be_shown;
use image::RgbImage;

/// Rows at most, or paths over a landscape, where nobody says how many: as many as can be told apart.
const MOST_ROWS: usize = 8;

/// What a picture is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    kind: Kind,
    /// Whether the samples are to be drawn at all.
    is_picture: bool,
    /// Whether energies stand below pictures.
    energies: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The samples.
    Samples,
    /// Each chain at so many times.
    Chains(usize),
    /// So many pictures on the line between two samples.
    Between(usize),
}

impl Asked {
    /// What the arguments ask for, where the file is to have pictures, and where it `is_png`.
    pub(super) fn of(
        arguments: &SampleArgs,
        is_picture: bool,
        is_png: bool,
    ) -> Result<Self, CliError> {
        let (kind, option) = match (arguments.steps_shown, arguments.interpolate) {
            (Some(times), _) => (Kind::Chains(times as usize), Some("--steps-shown")),
            (None, Some(points)) => (Kind::Between(points as usize), Some("--interpolate")),
            (None, None) => (Kind::Samples, None),
        };
        let option = option.or(arguments.energies.then_some("--energies"));
        match option {
            Some(option) if !is_png => Err(CliError::Unfit {
                option,
                why: "it is a picture, so --out has to end in .png".into(),
            }),
            _ => Ok(Asked {
                kind,
                is_picture,
                energies: arguments.energies,
            }),
        }
    }

    /// Refuses what cannot be drawn of samples of `model` after so many steps.
    pub(super) fn check(&self, model: &Model, steps: usize) -> Result<(), CliError> {
        let refuse = |option, why: String| Err(CliError::Unfit { option, why });
        let shape = model.architecture().input();
        let is_planar = shape.is_planar();
        if self.is_picture && !can_be_shown(shape) {
            return refuse(
                "--out",
                format!("there are no pictures of {shape}; name an .npy"),
            );
        }
        match self.kind {
            Kind::Chains(times) if steps + 1 < times => refuse(
                "--steps-shown",
                format!(
                    "{steps} steps have {} states; ask for no more, or raise --steps",
                    steps + 1
                ),
            ),
            Kind::Between(_) if is_planar => refuse(
                "--interpolate",
                "between points of the plane there are no pictures; --steps-shown draws their landscape".into(),
            ),
            _ if self.energies && is_planar => refuse(
                "--energies",
                "there is no room below points of the plane; --json prints their energies".into(),
            ),
            Kind::Samples | Kind::Chains(_) | Kind::Between(_) => Ok(()),
        }
    }

    /// Rows of the picture, or samples in it, at most where nobody says how many.
    pub(super) fn rows(&self) -> usize {
        match self.kind {
            Kind::Samples => usize::MAX,
            Kind::Chains(_) | Kind::Between(_) => MOST_ROWS,
        }
    }

    /// How many samples it takes for so many rows.
    pub(super) fn samples(&self, rows: usize) -> usize {
        match self.kind {
            Kind::Samples | Kind::Chains(_) => rows,
            Kind::Between(_) => rows.saturating_mul(2),
        }
    }

    /// States along the way that it takes, beside that before the first step.
    pub(super) fn frames(&self) -> usize {
        match self.kind {
            Kind::Chains(times) => times - 1,
            Kind::Samples | Kind::Between(_) => 0,
        }
    }
}

/// What a picture is drawn from.
struct Drawn<'a> {
    model: &'a Model,
    executor: &'a mut Executor,
    samples: &'a Samples,
    options: &'a SampleOptions,
    /// Which weights, in words.
    weights: &'static str,
}

/// Draws what is `asked` for of `samples`, which are drawn by `options`.
pub(super) fn draw(
    asked: &Asked,
    model: &Model,
    weights: Weights,
    executor: &mut Executor,
    samples: &Samples,
    options: &SampleOptions,
) -> Result<RgbImage, CliError> {
    let drawn = Drawn {
        model,
        executor,
        samples,
        options,
        weights: weights.words(),
    };
    match (asked.kind, asked.energies) {
        (Kind::Samples, false) => picture(model, &samples.values, options.count),
        (Kind::Samples, true) => drawn.with_energies(),
        (Kind::Chains(_), _) if model.architecture().input().is_planar() => drawn.paths(),
        (Kind::Chains(_), energies) => drawn.chains(energies),
        (Kind::Between(points), _) => drawn.between(points),
    }
}

impl Drawn<'_> {
    /// The samples with their energies.
    fn with_energies(self) -> Result<RgbImage, CliError> {
        let title = format!("{} samples", self.options.count);
        let note = format!(
            "{} steps, {}; energies below",
            self.options.steps, self.weights
        );
        let columns = columns_of(self.options.count);
        let values = self.samples.values.clone();
        self.grid(&values, columns, [&title, &note], &[], true)
    }

    /// A row for each chain: its states from its start to its end, and the sample that it gives.
    fn chains(self, with_energies: bool) -> Result<RgbImage, CliError> {
        let mut states = vec![&self.samples.start];
        states.extend(&self.samples.frames);
        let mut heads = vec!["start".to_owned()];
        heads.extend(self.options.frame_steps().iter().map(usize::to_string));
        if self.model.config().data.noise > 0.0 {
            states.push(&self.samples.values);
            heads.push("denoised".into());
        }
        let length = self.model.architecture().input().len();
        let of_chain = |chain: usize| {
            let own = chain * length..(chain + 1) * length;
            states
                .iter()
                .flat_map(move |states| states[own.clone()].iter().copied())
        };
        let values: Vec<f32> = (0..self.options.count).flat_map(of_chain).collect();
        let title = format!(
            "{} chains of {} steps, {}",
            self.options.count, self.options.steps, self.weights
        );
        let note = match with_energies {
            true => "steps so far above, energies below",
            false => "a row is a chain; above: steps so far",
        };
        let columns = heads.len();
        self.grid(&values, columns, [&title, note], &heads, with_energies)
    }

    /// A row for each two samples: what lies on the straight line between them, with its energies.
    fn between(self, points: usize) -> Result<RgbImage, CliError> {
        let length = self.model.architecture().input().len();
        let share = |point: usize| point as f32 / (points - 1) as f32;
        let mut values = Vec::new();
        for pair in self.samples.values.chunks_exact(2 * length) {
            let (from, to) = pair.split_at(length);
            for point in 0..points {
                let between = |(from, to): (&f32, &f32)| from + share(point) * (to - from);
                values.extend(from.iter().zip(to).map(between));
            }
        }
        let percent = |point| format!("{:.0} %", 100.0 * share(point));
        let heads: Vec<String> = (0..points).map(percent).collect();
        let title = "On straight lines between samples";
        let note = format!(
            "{} steps, {}; energies below",
            self.options.steps, self.weights
        );
        self.grid(&values, points, [title, &note], &heads, true)
    }

    /// Pictures with words.
    fn grid(
        self,
        values: &[f32],
        columns: usize,
        title: [&str; 2],
        heads: &[String],
        with_energies: bool,
    ) -> Result<RgbImage, CliError> {
        let below = match with_energies {
            true => in_few_digits(&energies(self.model, self.executor, values)?),
            false => Vec::new(),
        };
        let words = Words {
            title,
            heads,
            below: &below,
        };
        let scaling = self.model.scaling();
        let shape = self.model.architecture().input();
        let brightness = |value: f32| scaling.brightness(value);
        Ok(labelled_grid(values, shape, brightness, columns, &words)?)
    }

    /// The ways of chains in the plane.
    fn paths(self) -> Result<RgbImage, CliError> {
        let grid = cell_centres(PLANE_CELLS, PLANE);
        let landscape = energies(self.model, self.executor, &grid)?;
        let states = [&self.samples.start]
            .into_iter()
            .chain(&self.samples.frames);
        let states: Vec<Vec<[f32; 2]>> = states.map(|states| points(states)).collect();
        let path = |chain: usize| states.iter().map(|states| states[chain]).collect();
        let paths: Vec<Vec<[f32; 2]>> = (0..self.options.count).map(path).collect();
        let title = format!(
            "{} chains of {} steps",
            self.options.count, self.options.steps
        );
        let note = format!("from white to orange; exp(−E), {}", self.weights);
        Ok(paths_over_landscape(
            &landscape,
            PLANE_CELLS,
            PLANE,
            &paths,
            [&title, &note],
        )?)
    }
}

/// The energies of samples.
pub(super) fn energies(
    model: &Model,
    executor: &mut Executor,
    values: &[f32],
) -> Result<Vec<f32>, CliError> {
    let count = values.len() / model.architecture().input().len();
    let mut evaluator = model.evaluator(executor, count.min(256))?;
    Ok(evaluator.energies(executor, values)?)
}

/// Samples without words.
pub(super) fn picture(model: &Model, values: &[f32], count: usize) -> Result<RgbImage, CliError> {
    let shape = model.architecture().input();
    if shape.is_planar() {
        return Ok(scatter("model samples", PLANE, &points(values))?);
    }
    let scaling = model.scaling();
    let brightness = |value: f32| scaling.brightness(value);
    Ok(sample_grid(values, shape, brightness, columns_of(count))?)
}

/// Columns of a grid about as wide as high.
fn columns_of(count: usize) -> usize {
    (count as f64).sqrt().ceil() as usize
}

fn points(values: &[f32]) -> Vec<[f32; 2]> {
    let pairs = values.chunks_exact(2);
    pairs.map(|point| [point[0], point[1]]).collect()
}
