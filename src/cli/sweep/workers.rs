//! Cells in turn, several at a time.

use super::cell::{self, End, Errand, Kept, Progress};
use super::display::Display;
use crate::cli::error::CliError;
use crate::cli::signals::Stop;
use crate::sweep::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// What a worker tells, of the cell at a place.
enum Told {
    Goes(usize, Progress),
    Ended(usize, Result<End, CliError>),
}

/// Does `cells` until all are done or a signal says stop. What fails of one takes nothing from the others; an error is what
/// keeps any cell from being done, such as a full disk. Gives how many are another's.
pub(super) fn work(
    errand: &Errand<'_>,
    cells: &[&Cell],
    stop: &Stop,
    display: &mut Display,
) -> Result<usize, CliError> {
    let next = AtomicUsize::new(0);
    let failed = std::sync::atomic::AtomicBool::new(false);
    let (tell, told) = mpsc::channel();
    let mut error = None;
    let mut busy = 0;
    thread::scope(|scope| {
        for _ in 0..errand.arguments.jobs.min(cells.len()) {
            let (tell, next, failed) = (tell.clone(), &next, &failed);
            scope.spawn(move || {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let is_over = stop.asked().load(Ordering::Relaxed);
                    let Some(cell) = cells.get(place).filter(|_| !is_over) else {
                        return;
                    };
                    if failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let mut goes = |progress| drop(tell.send(Told::Goes(place, progress)));
                    let end = cell::run(errand, cell, stop.asked(), &mut goes);
                    // The screen goes on as long as anybody works.
                    let _ = tell.send(Told::Ended(place, end));
                }
            });
        }
        drop(tell);
        for told in told {
            match told {
                Told::Goes(place, progress) => display.show(place, &progress),
                Told::Ended(place, end) => {
                    display.ended(place);
                    match end {
                        Ok(End::Done(result)) => display.finished(cells[place], &result, Kept::No),
                        Ok(End::Kept(result)) => display.finished(cells[place], &result, Kept::Yes),
                        Ok(End::Busy) => {
                            busy += 1;
                            display.busy(cells[place]);
                        }
                        Ok(End::Stopped) => {}
                        Err(found) => {
                            failed.store(true, Ordering::Relaxed);
                            error.get_or_insert(found);
                        }
                    }
                }
            }
        }
    });
    match error {
        Some(error) => Err(error),
        None => Ok(busy),
    }
}
