//! The animation of a run: what it has drawn on its way, as frames.

use super::pictures::points;
use super::{Event, Run};
use crate::config::SnapshotKind;
use crate::files::number_of;
use crate::report::{
    PLANE, ReportError, evenly, held_gif, landscape_with_data, on_one_size, titled,
};
use crate::train::drawing::can_be_shown;
use crate::train::error::TrainError;
use crate::train::trainer::Trainer;
use image::{ImageFormat, RgbImage};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The file, in a run's folder.
const ANIMATION: &str = "training.gif";
/// Frames at most; fewer where they are large, so that a page can hold the file.
const MOST_FRAMES: usize = 40;
const FEWEST_FRAMES: usize = 2;
const MOST_BYTES: usize = 3 << 19;
/// How long all frames but the last are shown together, ...
const ALL_MS: usize = 6000;
/// ... each of them at least and at most, ...
const FRAME_MS: (usize, usize) = (80, 500);
/// ... and how long the last one is.
const LAST_MS: u32 = 2000;
/// Data over a landscape: enough to see where they are, and few enough to see the landscape.
const DATA_POINTS: usize = 250;

/// What the frames of a run are made of.
struct Frames {
    /// What the names of their pictures end with, after the step.
    ending: &'static str,
    /// What they show, and under which weights.
    note: &'static str,
}

/// A picture that becomes a frame: in a file, or the last one, which is in none.
enum Picture {
    File(PathBuf),
    Bytes(Vec<u8>),
}

impl Run<'_> {
    /// The chains that the last frame shows, as a picture; none where frames show landscapes, of which the last one is drawn
    /// anyway, or there are no frames.
    pub(super) fn last_chains(&self, trainer: &mut Trainer) -> Result<Option<Vec<u8>>, TrainError> {
        if trainer.data().is_planar() || self.frames(trainer).is_none() {
            return Ok(None);
        }
        let chains = match trainer.kept_chains(self.config.run.samples)? {
            Some((chains, _)) => chains,
            None => trainer.noise_samples()?,
        };
        self.grid(trainer, &chains).map(Some)
    }

    /// Draws the animation of what was drawn on the way and of `end`, a picture after the last step. None where these are
    /// fewer than two.
    pub(super) fn animation(
        &mut self,
        trainer: &Trainer,
        end: Option<Vec<u8>>,
    ) -> Result<Option<PathBuf>, TrainError> {
        let Some(Frames { ending, note }) = self.frames(trainer) else {
            return Ok(None);
        };
        let mut pictures = numbered(&self.folder.join("samples"), ending);
        // A run that was interrupted may have drawn later steps, which it has not done again.
        pictures.retain(|&step, _| step <= trainer.steps_done());
        // Nor is it another animation for pictures that somebody has asked for in between.
        let every = self.config.run.sample_every;
        pictures.retain(|&step, _| every == 0 || step.is_multiple_of(every));
        if let Some(bytes) = end {
            pictures.insert(trainer.steps_done(), Picture::Bytes(bytes));
        }
        let pictures: Vec<(u64, Picture)> = pictures.into_iter().collect();
        let [(_, first), .., (_, last)] = &pictures[..] else {
            return Ok(None);
        };
        let shown = Shown {
            steps: self.config.run.steps,
            note,
            data: trainer
                .data()
                .is_planar()
                .then(|| points(&trainer.data().first(DATA_POINTS))),
        };
        let ends = [shown.frame(0, first)?.ok(), shown.frame(0, last)?.ok()];
        let most = affordable(ends.as_slice())?;
        let mut frames = Vec::new();
        for place in evenly(pictures.len(), most) {
            let (step, picture) = &pictures[place];
            match (shown.frame(*step, picture)?, picture) {
                (Ok(frame), _) => frames.push(frame),
                (Err(why), Picture::File(path)) => {
                    (self.observer)(Event::NoFrame { path, why: &why });
                }
                // It was drawn in memory.
                (Err(_), Picture::Bytes(_)) => {}
            }
        }
        if frames.len() < 2 {
            return Ok(None);
        }
        let each = (ALL_MS / frames.len()).clamp(FRAME_MS.0, FRAME_MS.1) as u32;
        let bytes = held_gif(&on_one_size(frames), each, LAST_MS)?;
        self.write(self.folder.join(ANIMATION), &bytes).map(Some)
    }

    /// What the frames are made of; none where there is nothing to see that changes along training.
    fn frames(&self, trainer: &Trainer) -> Option<Frames> {
        if trainer.data().is_planar() {
            return Some(Frames {
                ending: ".png",
                note: "exp(−E), averaged weights; dots: data",
            });
        }
        if !can_be_shown(trainer.data().shape()) {
            return None;
        }
        match self.config.snapshot.kind {
            SnapshotKind::Copy | SnapshotKind::Ema | SnapshotKind::Mixture => {}
            SnapshotKind::Gaussian | SnapshotKind::Uniform => return None,
        }
        Some(match trainer.plan().kept_chains(1) {
            Some(_) => Frames {
                ending: ".chains.png",
                note: "the same chains throughout, snapshot's weights",
            },
            None => Frames {
                ending: ".png",
                note: "fresh noise chains, snapshot's weights",
            },
        })
    }
}

/// What all frames have in common.
struct Shown {
    /// Steps of the whole run.
    steps: u64,
    note: &'static str,
    /// What lies over landscapes; none over other pictures.
    data: Option<Vec<[f32; 2]>>,
}

impl Shown {
    /// The frame after `step` steps, or why there is none of that picture.
    fn frame(&self, step: u64, picture: &Picture) -> Result<Result<RgbImage, String>, TrainError> {
        let decoded = match picture {
            Picture::File(path) => fs::read(path).map_err(|error| error.to_string()),
            Picture::Bytes(bytes) => Ok(bytes.clone()),
        }
        .and_then(|bytes| {
            let image = image::load_from_memory_with_format(&bytes, ImageFormat::Png);
            image.map_err(|error| error.to_string())
        });
        let picture = match (decoded, &self.data) {
            (Err(why), _) => return Ok(Err(why)),
            (Ok(picture), None) => picture.into_rgb8(),
            (Ok(picture), Some(data)) => {
                let picture = picture.into_rgb8();
                match landscape_with_data(&picture, PLANE, data)? {
                    Some(landscape) => landscape,
                    None => return Ok(Err("it is no landscape as this program draws them".into())),
                }
            }
        };
        let title = format!("after {step} of {} steps", self.steps);
        Ok(Ok(titled(&picture, [&title, self.note])?))
    }
}

/// The pictures in `folder` whose names are a number of steps and `ending`.
fn numbered(folder: &Path, ending: &str) -> BTreeMap<u64, Picture> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        // `.png` is an ending of others, too, but no number stands before it there.
        let digits = name.strip_suffix(ending)?;
        let step = number_of(&name).filter(|_| digits.parse::<u64>().is_ok())?;
        Some((step, Picture::File(entry.path())))
    };
    entries.filter_map(of).collect()
}

/// How many frames such as `some` a file has room for.
fn affordable(some: &[Option<RgbImage>]) -> Result<usize, ReportError> {
    let mut largest = 1;
    for frame in some.iter().flatten() {
        let alone = held_gif(std::slice::from_ref(frame), LAST_MS, LAST_MS)?;
        largest = alone.len().max(largest);
    }
    Ok((MOST_BYTES / largest).clamp(FEWEST_FRAMES, MOST_FRAMES))
}
