//! Every loader on well-formed and malformed input, and the order in which samples are visited.

mod axes;
mod cifar10;
mod damaged;
mod files;
mod held_out;
mod idx_files;
mod kinds;
mod npy_files;
mod options;
mod order;
mod pictures;
mod planar;
mod ranges;
mod sets;
mod tables;
