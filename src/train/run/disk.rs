//! What a run writes on its way, also where the disk does not take it for a while.

use super::{Event, Run, write_config};
use crate::config;
use crate::files::{RunLock, mend_run_folder, write_atomically};
use crate::model::{KeptChains, most_kept};
use crate::train::board::Board;
use crate::train::energy_rows::EnergyRow;
use crate::train::error::TrainError;
use crate::train::lines::Lines;
use crate::train::trainer::Trainer;
use crate::train::waiting::{Checkpoint, Unwritten, is_of_disk};
use std::path::PathBuf;

impl Run<'_> {
    /// Writes a file, after those that wait; where the disk does not take it, it waits, too.
    pub(super) fn deliver(&mut self, trainer: &Trainer, file: Unwritten) -> Result<(), TrainError> {
        self.waiting.push(file);
        match self.write_waiting(trainer) {
            Err(error) => self.waits(error),
            Ok(()) => Ok(()),
        }
    }

    pub(super) fn write_waiting(&mut self, trainer: &Trainer) -> Result<(), TrainError> {
        self.hold_folder()?;
        while let Some(file) = self.waiting.pop() {
            let written = match &file {
                Unwritten::File { path, bytes } => self.write(path.clone(), bytes).map(|_| ()),
                Unwritten::Snapshot { step, parameters } => {
                    self.kept.keep(trainer, *step, parameters.clone())
                }
                Unwritten::Checkpoint(checkpoint) => self.write_checkpoint(checkpoint).map(|_| ()),
            };
            if let Err(error) = written {
                self.waiting.first_again(file);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Goes on in spite of an error, if the disk is to blame and there is memory for what it does not take. Tells of it once.
    pub(super) fn waits(&mut self, error: TrainError) -> Result<(), TrainError> {
        if !is_of_disk(&error) || !self.waiting.has_room() {
            return Err(error);
        }
        if self.waiting.tell(true) {
            (self.observer)(Event::Waits(&error));
        }
        Ok(())
    }

    /// Tells TensorBoard something, where it listens.
    pub(super) fn show(&mut self, tell: impl FnOnce(&mut Board)) {
        // Where the folder was taken away, another run may stand in its place.
        let is_gone = self.lock.is_gone(self.folder);
        let Some(board) = &mut self.board else {
            return;
        };
        if board.is_gone() {
            let toml = config::to_toml(self.config);
            *board = Board::begin(self.folder, self.metrics.rows(), &toml);
        }
        tell(board);
        let why = if is_gone { None } else { board.write() };
        if let Some(why) = why {
            (self.observer)(Event::NotShown(&why));
        }
    }

    /// Says what TensorBoard is not told in the end.
    pub(super) fn end_show(&mut self) {
        let why = self.board.as_mut().and_then(Board::end);
        if let Some(why) = why {
            (self.observer)(Event::NotShown(&why));
        }
    }

    /// Writes down the energies of the samples of a step, and tells TensorBoard, with their log-ratios but for c, which is in
    /// the metrics.
    pub(super) fn take_energies(
        &mut self,
        step: u64,
        energies: &[f32],
        log_ratios: Option<Vec<f32>>,
    ) -> Result<(), TrainError> {
        // The last step of a run that was stopped is none of those.
        let is_weighed = self.is_weighed(step + 1);
        let lines = self.energies.as_mut().filter(|_| is_weighed);
        let row = EnergyRow::new(step, self.config.run.batch, energies);
        if let Some(Err(error)) = lines.map(|lines| lines.push(row)) {
            self.waits(error.into())?;
        }
        let row = self.metrics.rows().get(step as usize);
        let c = row.map_or(0.0, |row| row.normaliser);
        let log_ratios: Option<Vec<f32>> =
            log_ratios.map(|all| all.into_iter().map(|ratio| ratio + c).collect());
        let data = self.config.run.batch;
        self.show(|board| board.energies(step, data, energies, log_ratios.as_deref()));
        Ok(())
    }

    pub(super) fn is_behind(&self) -> bool {
        let (diagnostics, energies) = (self.diagnostics.as_ref(), self.energies.as_ref());
        self.metrics.is_behind()
            || diagnostics.is_some_and(Lines::is_behind)
            || energies.is_some_and(Lines::is_behind)
            || !self.waiting.is_empty()
            || self.best_is_behind
    }

    /// Refuses to write where the folder was taken away and another run stands in its place.
    fn hold_folder(&mut self) -> Result<(), TrainError> {
        if self.lock.is_gone(self.folder) && self.folder.is_dir() {
            self.lock = RunLock::take(self.folder)?;
        }
        Ok(())
    }

    /// Writes all that waits, into a folder that is made anew where it has vanished.
    pub(super) fn settle(&mut self, trainer: &Trainer) -> Result<(), TrainError> {
        self.settle_files(trainer)?;
        self.catch_up(trainer)
    }

    /// The same but for the best weights, which every state has itself.
    pub(super) fn settle_files(&mut self, trainer: &Trainer) -> Result<(), TrainError> {
        let (diagnostics, energies) = (self.diagnostics.as_ref(), self.energies.as_ref());
        let is_anew = self.metrics.is_gone()
            || diagnostics.is_some_and(Lines::is_gone)
            || energies.is_some_and(Lines::is_gone);
        mend_run_folder(self.folder)?;
        self.hold_folder()?;
        if is_anew {
            write_config(self.config, self.folder)?;
            self.best_is_behind = self.best.is_some();
        }
        self.metrics.settle()?;
        if let Some(diagnostics) = &mut self.diagnostics {
            diagnostics.settle()?;
        }
        if let Some(energies) = &mut self.energies {
            energies.settle()?;
        }
        self.write_waiting(trainer)
    }

    /// Writes the best weights, when nothing else waits.
    pub(super) fn catch_up(&mut self, trainer: &Trainer) -> Result<(), TrainError> {
        self.bring_best(trainer)?;
        if self.waiting.tell(false) {
            (self.observer)(Event::CaughtUp);
        }
        Ok(())
    }

    pub(super) fn write(&mut self, path: PathBuf, bytes: &[u8]) -> Result<PathBuf, TrainError> {
        write_atomically(&path, bytes)?;
        (self.observer)(Event::Wrote(&path));
        Ok(path)
    }

    /// The model after the last step, with chains of the replay buffer.
    pub(super) fn checkpoint(&self, trainer: &mut Trainer) -> Result<Checkpoint, TrainError> {
        let model = trainer.model()?;
        let length = trainer.data().shape().len();
        let chains = trainer.kept_chains(most_kept(length))?;
        let chains = chains.map(|(states, of)| KeptChains::finite(&states, length, of));
        Ok(Checkpoint { model, chains })
    }

    pub(super) fn write_checkpoint(
        &mut self,
        checkpoint: &Checkpoint,
    ) -> Result<PathBuf, TrainError> {
        let Checkpoint { model, chains } = checkpoint;
        let name = format!("checkpoints/{:06}.safetensors", model.step());
        let path = self.folder.join(name);
        model.save(&path)?;
        (self.observer)(Event::Wrote(&path));
        // After the weights, which are worth more: a disk may have room for them alone.
        if let Some(chains) = chains {
            match chains.save(model, &path) {
                Ok(chains) => (self.observer)(Event::Wrote(&chains)),
                Err(error) => (self.observer)(Event::NoChains(&error)),
            }
        }
        Ok(path)
    }
}
