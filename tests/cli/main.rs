//! The command line end to end, in temporary folders.

#[path = "../common/checkpoint.rs"]
mod checkpoint;
#[path = "../common/chromium.rs"]
mod chromium;
#[path = "../common/command.rs"]
mod command;

mod bench;
mod best;
#[cfg(unix)]
mod best_files;
mod browser;
mod caches;
mod checkpoints;
#[cfg(unix)]
mod disks;
#[cfg(unix)]
mod drawn;
mod interruptions;
mod lists;
#[cfg(target_os = "linux")]
mod mounts;
mod page;
mod pictures;
#[cfg(unix)]
mod recoveries;
mod refusals;
#[cfg(unix)]
mod resume;
#[cfg(unix)]
mod runs;
mod scoring;
mod settings;
mod setup;
mod sweeps;
#[cfg(unix)]
mod tensorboard;
#[cfg(unix)]
mod terminals;
mod train;
#[cfg(unix)]
mod ui;
#[cfg(target_arch = "x86_64")]
mod vector_widths;
#[cfg(unix)]
mod watching;
