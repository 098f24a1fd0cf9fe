//! The kinds of samplers: each step against its f64 twin, moments of known targets, adaptation, what is counted, and runs
//! from the command line.

#[path = "../common/mod.rs"]
mod common;

mod command_line;
mod last_look;
mod moments;
mod passes;
mod steps;
mod target;
mod training;
